/* SPDX-License-Identifier: Apache-2.0 */
#include "device.h"

#include "ranks.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

__attribute__((constructor)) static void choose_tests(void) {
    const char *only = getenv("CNNSWEEP_TEST_ONLY");
    if (only)
        cmocka_set_test_filter(only);
}

const char *test_device(void) {
    const char *named = getenv("CNNSWEEP_TEST_DEVICE");
    return named ? named : "cpu";
}

bool test_device_is_not_ref(void) {
    const cs_engine_options options = test_engine_options(test_device(), 1);
    cs_engine *engine;
    assert_ok(cs_engine_open(test_device(), &options, &engine));
    bool another = strcmp(cs_engine_name(engine), "ref") != 0;
    cs_engine_close(engine);
    return another;
}

const char *const *test_devices(void) {
    static const char *devices[3];
    int n = 0;
    if (!getenv("CNNSWEEP_TEST_DEVICE"))
        devices[n++] = "ref";
    if (n == 0 || test_device_is_not_ref())
        devices[n++] = test_device();
    devices[n] = NULL;
    return devices;
}

cs_precision test_precision(void) {
    const char *wanted = getenv("CNNSWEEP_TEST_PRECISION");
    int p = CS_PRECISION_FP32;
    while (wanted && p < CS_PRECISION_COUNT && strcmp(wanted, cs_precision_name((cs_precision)p)) != 0)
        p++;
    if (p == CS_PRECISION_COUNT)
        fail_msg("CNNSWEEP_TEST_PRECISION is %s, not fp32, tf32, bf16 or fp16", wanted);
    return (cs_precision)p;
}

/* Ranks that are threads of this process count as ranks of one node. */
static cs_engine_options options_of(int threads) {
    const cs_comm *comm = ranks_comm();
    return (cs_engine_options){.threads = threads,
                               .local_rank = comm ? comm->rank : 0,
                               .local_ranks = comm ? comm->size : 1,
                               .plan_cache = getenv("CNNSWEEP_TEST_PLANS")};
}

cs_engine_options test_engine_options(const char *device, int threads) {
    cs_engine_options options = options_of(threads);
    if (getenv("CNNSWEEP_TEST_DEVICE") && strcmp(device, test_device()) == 0)
        options.precision = test_precision();
    return options;
}

cs_engine_options test_trainer_options(int threads) {
    cs_engine_options options = options_of(threads);
    options.deterministic = true;
    return options;
}
