/* SPDX-License-Identifier: Apache-2.0 */
/* The last feature maps and logits of the zoo agree with those of torchvision (tests/net/golden/torch_forward.txt). */
#include "device.h"
#include "golden_forward.h"
#include "test.h"

static void feature_maps_are_those_of_torchvision(void **state) {
    (void)state;
    golden_check_forward("torch_forward.txt", CS_DIALECT_TORCH, test_device());
}

static void feature_maps_are_those_of_torchvision_on_the_ref_engine(void **state) {
    (void)state;
    golden_check_forward("torch_forward.txt", CS_DIALECT_TORCH, "ref");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(feature_maps_are_those_of_torchvision),
        cmocka_unit_test(feature_maps_are_those_of_torchvision_on_the_ref_engine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
