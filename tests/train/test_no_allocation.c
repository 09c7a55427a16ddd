/* SPDX-License-Identifier: Apache-2.0 */
/* Between the second and the last training step none of our code allocates memory, on any thread, also in validation,
 * early stopping and a trial that fails. Only setting the parameters, once in an epoch, may allocate, as an engine
 * repacks them. The linker replaces the allocation calls of all our code by the wrappers below (settings.cmake);
 * allocations inside libraries are not counted. */
#include "augments.h"
#include "toy.h"

#include "cnnsweep/memory.h"

#include <stdatomic.h>
#include <stdlib.h>

static atomic_bool counting;
static atomic_int allocations;

static void count(void) {
    if (atomic_load(&counting))
        atomic_fetch_add(&allocations, 1);
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size) {
    count();
    return __real_malloc(size);
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size) {
    count();
    return __real_calloc(n, size);
}

void *__real_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size) {
    count();
    return __real_realloc(block, size);
}

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size) {
    count();
    return __real_aligned_alloc(alignment, size);
}

int __real_posix_memalign(void **out, size_t alignment, size_t size);
int __wrap_posix_memalign(void **out, size_t alignment, size_t size);
int __wrap_posix_memalign(void **out, size_t alignment, size_t size) {
    count();
    return __real_posix_memalign(out, alignment, size);
}

cs_status __real_cs_program_load(cs_program *program, cs_param_array array, const cs_params *params);
cs_status __wrap_cs_program_load(cs_program *program, cs_param_array array, const cs_params *params);
cs_status __wrap_cs_program_load(cs_program *program, cs_param_array array, const cs_params *params) {
    bool were_counting = atomic_exchange(&counting, false);
    cs_status status = __real_cs_program_load(program, array, params);
    atomic_store(&counting, were_counting);
    return status;
}

static void test_the_wrappers_count(void **state) {
    (void)state;
    void *blocks[2];
    atomic_store(&allocations, 0);
    atomic_store(&counting, true);
    cs_status status = cs_alloc(1, 1, "test", &blocks[0]);
    cs_status aligned = cs_alloc_aligned(1, 1, "test", &blocks[1]);
    atomic_store(&counting, false);
    assert_ok(status);
    assert_ok(aligned);
    free(blocks[0]);
    free(blocks[1]);
    assert_int_equal(atomic_load(&allocations), 2);
}

enum { EPOCHS = 4, BATCHES = 6, DIVERGES = 2 };

static void count_between(void *context, int epoch, int batch, int batches) {
    int *steps = context;
    if (++*steps == 2)
        atomic_store(&counting, true);
    if (epoch == EPOCHS - 1 && batch == batches)
        atomic_store(&counting, false);
}

static cs_status expect_divergence(void *context, int trial, cs_status code) {
    (void)context;
    return trial == DIVERGES && code == CS_ERR_DIVERGED ? CS_OK : code;
}

static void check_on(const char *device, const char *augment, cs_cache_limits cache) {
    static const toy_spec spec = {.counts = {44, 10, 10}, .contrast = 30};
    cs_trial_config trials[3];
    for (int i = 0; i < 3; i++) {
        trials[i] = toy_trial(toy_dataset("counted", &spec));
        trials[i].train.epochs = EPOCHS;
        trials[i].train.patience = i == 1 ? 1 : EPOCHS;
        trials[i].augment = test_augment(augment);
    }
    snprintf(trials[1].fine_tune, sizeof trials[1].fine_tune, "2");
    trials[DIVERGES].train.optimizer = (cs_optimizer){.kind = CS_OPTIMIZER_SGD, .lr = 1e30f, .weight_decay = 1e30f};
    cs_engine_options options = test_trainer_options(2);
    cs_engine *engine;
    int steps = 0;
    cs_train_events events = {.context = &steps, .step = count_between, .failed = expect_divergence};
    assert_ok(cs_engine_open(device, &options, &engine));
    atomic_store(&allocations, 0);
    const cs_group_config config = {.trials = trials, .n = 3, .cache = cache, .events = &events};
    assert_ok(cs_group_train(engine, &config));
    cs_engine_close(engine);
    assert_int_equal(steps, EPOCHS * BATCHES);
    assert_false(atomic_load(&counting));
    assert_int_equal(atomic_load(&allocations), 0);
}

static void test_step_loop_does_not_allocate(void **state) {
    (void)state;
    for (const char *const *device = test_devices(); *device; device++)
        check_on(*device, "horizontal_flip=true brightness_range=0.5:1.5", (cs_cache_limits){0});
}

static void test_cache_does_not_allocate(void **state) {
    (void)state;
    const cs_cache_limits cache = {.memory = 1 << 16, .disk = 1 << 16, .folder = test_scratch()};
    for (const char *const *device = test_devices(); *device; device++)
        check_on(*device, "horizontal_flip=true", cache);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_wrappers_count),
        cmocka_unit_test(test_step_loop_does_not_allocate),
        cmocka_unit_test(test_cache_does_not_allocate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
