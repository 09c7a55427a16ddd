/* oneDNN falls back to a reference loop, up to a thousand times slower, where no fast kernel takes the layout or size:
 * no step of a training or inference program may run on one. */
#include "test.h"

#include "cnnsweep/engine.h"
#include "cnnsweep/zoo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* describe() of the whole network; free it. */
static char *describe(const char *arch, float alpha, int size, cs_mode mode) {
    cs_model_config config;
    cs_model_config_init(&config);
    snprintf(config.arch, sizeof config.arch, "%s", arch);
    config.alpha = alpha;
    config.input_h = config.input_w = size;
    config.classes = 2;
    cs_graph *graph;
    cs_engine *engine;
    cs_segment *segment;
    cs_program *program;
    assert_ok(cs_model_build(&config, &graph));
    assert_ok(cs_engine_open("cpu", &(cs_engine_options){.threads = 1}, &engine));
    assert_ok(cs_segment_create(graph, 0, graph->n_layers, &segment));
    assert_ok(cs_program_compile(engine, &(cs_program_spec){.segment = segment, .batch = 8, .mode = mode}, &program));
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    cs_program_describe(program, out);
    fclose(out);
    cs_program_free(program);
    cs_segment_free(segment);
    cs_engine_close(engine);
    cs_graph_free(graph);
    return text;
}

static void assert_fast(const char *arch, float alpha, int size, cs_mode mode) {
    char *text = describe(arch, alpha, size, mode);
    assert_non_null(strstr(text, "jit"));
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        if (strstr(line, "ref"))
            fail_msg("%s alpha %g at %d px, mode %d: %s", arch, (double)alpha, size, (int)mode, line);
    free(text);
}

static void skip_without_onednn(void) {
    cs_engine *engine;
    assert_ok(cs_engine_open("cpu", &(cs_engine_options){.threads = 1}, &engine));
    int other = strcmp(cs_engine_name(engine), "onednn");
    cs_engine_close(engine);
    if (other)
        skip();
}

static void mobilenet_trains_on_fast_kernels_at_every_size(void **state) {
    (void)state;
    skip_without_onednn();
    static const int sizes[] = {32, 50, 64, 96, 128, 161, 224};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int alpha = 1; alpha <= 4; alpha *= 2)
            assert_fast("mobilenet", (float)alpha / 4, sizes[i], CS_MODE_TRAIN);
}

static void mobilenet_infers_on_fast_kernels(void **state) {
    (void)state;
    skip_without_onednn();
    assert_fast("mobilenet", 1, 224, CS_MODE_INFER);
    assert_fast("mobilenet", 0.25f, 50, CS_MODE_INFER);
}

static void mobilenet_v2_trains_and_infers_on_fast_kernels(void **state) {
    (void)state;
    skip_without_onednn();
    static const int sizes[] = {64, 97, 224};
    static const float alphas[] = {0.35f, 1, 1.4f};
    for (int i = 0; i < 3; i++) {
        assert_fast("mobilenet_v2", alphas[i], sizes[i], CS_MODE_TRAIN);
        assert_fast("mobilenet_v2", 1, sizes[i], CS_MODE_TRAIN);
        assert_fast("mobilenet_v2", alphas[i], sizes[i], CS_MODE_INFER);
    }
}

static void resnet50_trains_and_infers_on_fast_kernels(void **state) {
    (void)state;
    skip_without_onednn();
    static const int sizes[] = {64, 97, 224};
    for (int i = 0; i < 3; i++) {
        assert_fast("resnet50", 1, sizes[i], CS_MODE_TRAIN);
        assert_fast("resnet50", 1, sizes[i], CS_MODE_INFER);
    }
}

static void densenet_trains_and_infers_on_fast_kernels(void **state) {
    (void)state;
    skip_without_onednn();
    static const int sizes[] = {64, 97, 224};
    for (int i = 0; i < 3; i++) {
        assert_fast("densenet121", 1, sizes[i], CS_MODE_TRAIN);
        assert_fast("densenet121", 1, sizes[i], CS_MODE_INFER);
    }
    assert_fast("densenet169", 1, 224, CS_MODE_TRAIN);
}

/* By the default dialect; the first size is small enough to leave single pixels at the end. */
static void the_other_networks_train_and_infer_on_fast_kernels(void **state) {
    (void)state;
    skip_without_onednn();
    static const struct network {
        const char *arch;
        int sizes[3];
    } networks[] = {
        {"resnet18", {33, 64, 224}},        {"inception_v3", {75, 96, 299}},
        {"xception", {71, 96, 299}},        {"cnn4", {32, 50, 64}},
        {"efficientnet_b0", {33, 64, 224}}, {"basenet_deep", {32, 50, 64}},
        {"basenet_deep_bn", {32, 50, 64}},
    };
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
        for (int k = 0; k < 3; k++) {
            assert_fast(networks[i].arch, 1, networks[i].sizes[k], CS_MODE_TRAIN);
            assert_fast(networks[i].arch, 1, networks[i].sizes[k], CS_MODE_INFER);
        }
}

static void basenet_trains_and_infers_on_fast_kernels(void **state) {
    (void)state;
    skip_without_onednn();
    assert_fast("basenet", 1, 32, CS_MODE_TRAIN);
    assert_fast("basenet", 1, 32, CS_MODE_INFER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mobilenet_trains_on_fast_kernels_at_every_size),
        cmocka_unit_test(mobilenet_infers_on_fast_kernels),
        cmocka_unit_test(mobilenet_v2_trains_and_infers_on_fast_kernels),
        cmocka_unit_test(resnet50_trains_and_infers_on_fast_kernels),
        cmocka_unit_test(densenet_trains_and_infers_on_fast_kernels),
        cmocka_unit_test(the_other_networks_train_and_infer_on_fast_kernels),
        cmocka_unit_test(basenet_trains_and_infers_on_fast_kernels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
