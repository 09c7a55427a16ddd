/* SPDX-License-Identifier: Apache-2.0 */
/* The last feature maps of the zoo agree with those of Keras (tests/net/golden/keras_forward.txt). */
#include "device.h"
#include "golden_forward.h"
#include "test.h"

static void feature_maps_are_those_of_keras(void **state) {
    (void)state;
    golden_check_forward("keras_forward.txt", CS_DIALECT_KERAS, test_device());
}

static void feature_maps_are_those_of_keras_on_the_ref_engine(void **state) {
    (void)state;
    golden_check_forward("keras_forward.txt", CS_DIALECT_KERAS, "ref");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(feature_maps_are_those_of_keras),
        cmocka_unit_test(feature_maps_are_those_of_keras_on_the_ref_engine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
