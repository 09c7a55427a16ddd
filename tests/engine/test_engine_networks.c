/* A whole training step of a network of the zoo, all layers trainable: the default engine's gradients against the
 * reference's. */
#include "run.h"

#include "cnnsweep/zoo.h"

#include <string.h>

static void add_net(cs_graph *graph, const engine_case *row, const char *arch, float alpha) {
    cs_model_config config;
    size_t count;
    int top, mean, logits;
    cs_model_config_init(&config);
    config.alpha = alpha;
    config.input_h = row->h;
    config.input_w = row->w;
    const cs_zoo_entry *entry = cs_zoo_entries(&count);
    while (strcmp(entry->name, arch) != 0)
        entry++;
    assert_ok(entry->build(graph, &config, &top));
    assert_ok(cs_graph_global_average_pool(graph, "mean", top, false, &mean));
    assert_ok(cs_graph_dense(graph, "logits", mean, 10, CS_ACT_SOFTMAX, &logits));
}

static void mobilenet_net(cs_graph *graph, const engine_case *row) {
    add_net(graph, row, "mobilenet", 0.25f);
}

static void mobilenet_v2_net(cs_graph *graph, const engine_case *row) {
    add_net(graph, row, "mobilenet_v2", 0.35f);
}

static void resnet50_net(cs_graph *graph, const engine_case *row) {
    add_net(graph, row, "resnet50", 1);
}

static void densenet121_net(cs_graph *graph, const engine_case *row) {
    add_net(graph, row, "densenet121", 1);
}

/* Among a million activations some lie so near a corner of their ReLU that two engines' rounding puts them on either
 * side; deep down, where a channel has few values, one of them changes a gradient by percents. So batch norms put two
 * channels of three well above 0, and below 6, and the third below 0: the same ones everywhere, for sums to stay apart
 * too. The corners themselves are for the single layers' tests. */
static void avoid_corners(engine_run *run) {
    const float offset = 2;
    for (int p = 0; p < run->graph->n_params; p++) {
        const cs_param *param = &run->graph->params[p];
        float *values = cs_params_at(run->initial, param);
        for (size_t c = 0; c < param->count; c++) {
            if (param->role == CS_PARAM_BETA)
                values[c] = c % 3 == 0 ? -offset : offset;
            if (param->role == CS_PARAM_GAMMA)
                values[c] /= 2;
        }
    }
    run_load(run, run->initial);
}

static void skip_without_another_engine(void) {
    cs_engine *engine;
    assert_ok(cs_engine_open("cpu", &(cs_engine_options){.threads = 1}, &engine));
    bool only_ref = strcmp(cs_engine_name(engine), "ref") == 0;
    cs_engine_close(engine);
    if (only_ref)
        skip();
}

static void assert_step_agrees(const char *name, void (*build)(cs_graph *graph, const engine_case *row), int size,
                               int batch, double tolerance) {
    const engine_case row = {name, build, size, size, 3, {0}, batch, batch, 0, 0, 0};
    engine_run run[2];
    cs_params *gradients[2];
    skip_without_another_engine();
    for (int i = 0; i < 2; i++) {
        run_open(&run[i], &row, i ? "ref" : "cpu", CS_MODE_TRAIN);
        avoid_corners(&run[i]);
        run_step(&run[i]);
        gradients[i] = run_read(&run[i], CS_SLOT_GRADIENT);
    }
    assert_near(run[0].logits, run[1].logits, (size_t)batch * (size_t)run[0].classes, 1e-4, 0, "logits");
    assert_params_near(gradients[0], gradients[1], tolerance, "gradient");
    for (int i = 0; i < 2; i++) {
        cs_params_free(gradients[i]);
        run_close(&run[i]);
    }
}

static void every_gradient_of_mobilenet_is_the_reference_s(void **state) {
    (void)state;
    assert_step_agrees("mobilenet", mobilenet_net, 64, 8, 1e-4);
}

static void every_gradient_of_mobilenet_v2_is_the_reference_s(void **state) {
    (void)state;
    assert_step_agrees("mobilenet_v2", mobilenet_v2_net, 65, 8, 1e-3); /* odd on the way down too */
}

static void every_gradient_of_resnet50_is_the_reference_s(void **state) {
    (void)state;
    assert_step_agrees("resnet50", resnet50_net, 48, 4, 1e-3);
}

static void every_gradient_of_densenet121_is_the_reference_s(void **state) {
    (void)state;
    assert_step_agrees("densenet121", densenet121_net, 64, 4, 1e-3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_gradient_of_mobilenet_is_the_reference_s),
        cmocka_unit_test(every_gradient_of_mobilenet_v2_is_the_reference_s),
        cmocka_unit_test(every_gradient_of_resnet50_is_the_reference_s),
        cmocka_unit_test(every_gradient_of_densenet121_is_the_reference_s),
    };
    return cmocka_run_group_tests_name("networks", tests, NULL, NULL);
}
