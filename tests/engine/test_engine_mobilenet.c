/* A whole training step of MobileNet, all layers trainable: the default engine's gradients against the reference's. */
#include "run.h"

#include "cnnsweep/zoo.h"

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

static const engine_case row = {"mobilenet_0.25", mobilenet_net, 64, 64, 3, {0}, 8, 8, 0, 0, 0};

static void every_gradient_of_a_step_is_the_reference_s(void **state) {
    (void)state;
    engine_run got, want;
    run_open(&got, &row, "cpu", CS_MODE_TRAIN);
    if (strcmp(cs_engine_name(got.engine), "ref") == 0) {
        run_close(&got);
        skip();
    }
    run_open(&want, &row, "ref", CS_MODE_TRAIN);
    run_step(&got);
    run_step(&want);
    cs_params *a = run_read(&got, CS_SLOT_GRADIENT), *b = run_read(&want, CS_SLOT_GRADIENT);
    assert_near(got.logits, want.logits, (size_t)row.rows * (size_t)want.classes, 1e-4, 0, "logits");
    assert_params_near(a, b, 1e-4, "gradient");
    cs_params_free(a);
    cs_params_free(b);
    run_close(&got);
    run_close(&want);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_gradient_of_a_step_is_the_reference_s)};
    return cmocka_run_group_tests_name("mobilenet", tests, NULL, NULL);
}
