/* SPDX-License-Identifier: Apache-2.0 */
/* oneDNN falls back to a reference loop, which is up to a thousand times slower, if it has no fast kernel for a layout
 * or size. No training or inference program may use one. With SSE4.1 alone (processors before 2011) oneDNN has no fast
 * kernels for training and for some inference, so the test excludes it. */
#include "test.h"

#include "cnnsweep/engine.h"
#include "cnnsweep/zoo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The output of describe() for the whole network; the caller frees it. */
static char *describe(const char *arch, cs_dialect dialect, float alpha, int size, cs_mode mode) {
    cs_model_config config;
    cs_model_config_init(&config);
    snprintf(config.arch, sizeof config.arch, "%s", arch);
    config.dialect = dialect;
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

static void assert_fast(const char *arch, cs_dialect dialect, float alpha, int size, cs_mode mode) {
    char *text = describe(arch, dialect, alpha, size, mode);
    assert_non_null(strstr(text, "jit"));
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        if (strstr(line, "ref"))
            fail_msg("%s (%s) alpha %g at %d px, mode %d: %s", arch, cs_dialect_name(dialect), (double)alpha, size,
                     (int)mode, line);
    free(text);
}

static void skip_where_nothing_is_promised(void) {
    cs_engine *engine;
    assert_ok(cs_engine_open("cpu", &(cs_engine_options){.threads = 1}, &engine));
    bool other = strcmp(cs_engine_name(engine), "onednn") != 0;
    cs_engine_close(engine);
    if (other)
        skip();
    char *text = describe("mobilenet", CS_DIALECT_ANY, 1, 32, CS_MODE_INFER);
    bool lesser = strstr(text, "sse41") != NULL;
    free(text);
    if (lesser) {
        puts("skipped: oneDNN has no fast kernels to train with on SSE4.1");
        skip();
    }
}

static void every_network_of_the_zoo_runs_on_fast_kernels(void **state) {
    (void)state;
    skip_where_nothing_is_promised();
    enum { SIZES = 3 };
    size_t n;
    const cs_zoo_entry *entries = cs_zoo_entries(&n);
    for (size_t i = 0; i < n; i++) {
        const cs_zoo_entry *entry = &entries[i];
        /* The first size gives single pixels, or sides of one pixel, in the last layers. */
        const int sizes[SIZES] = {entry->min_size > 33 ? entry->min_size : 33, 96, entry->min_size > 64 ? 299 : 224};
        for (int k = 0; k < SIZES; k++) {
            assert_fast(entry->name, entry->dialect, 1, sizes[k], CS_MODE_TRAIN);
            assert_fast(entry->name, entry->dialect, 1, sizes[k], CS_MODE_INFER);
        }
    }
}

static void odd_and_even_sizes_run_on_fast_kernels(void **state) {
    (void)state;
    skip_where_nothing_is_promised();
    static const int sizes[] = {32, 50, 64, 97, 128, 161};
    static const char *const archs[] = {"mobilenet", "cnn4", "basenet", "basenet_deep_bn"};
    for (size_t a = 0; a < sizeof archs / sizeof *archs; a++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            assert_fast(archs[a], CS_DIALECT_ANY, 1, sizes[i], CS_MODE_TRAIN);
}

static void narrow_and_wide_networks_run_on_fast_kernels(void **state) {
    (void)state;
    skip_where_nothing_is_promised();
    static const struct network {
        const char *arch;
        cs_dialect dialect;
        float alpha;
    } networks[] = {
        {"mobilenet", CS_DIALECT_KERAS, 0.25f},    {"mobilenet", CS_DIALECT_KERAS, 0.5f},
        {"mobilenet_v2", CS_DIALECT_KERAS, 0.35f}, {"mobilenet_v2", CS_DIALECT_KERAS, 1.4f},
        {"mobilenet_v2", CS_DIALECT_TORCH, 0.35f},
    };
    static const int sizes[] = {50, 64, 97, 224};
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
        for (int k = 0; k < 4; k++) {
            assert_fast(networks[i].arch, networks[i].dialect, networks[i].alpha, sizes[k], CS_MODE_TRAIN);
            assert_fast(networks[i].arch, networks[i].dialect, networks[i].alpha, sizes[k], CS_MODE_INFER);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_network_of_the_zoo_runs_on_fast_kernels),
        cmocka_unit_test(odd_and_even_sizes_run_on_fast_kernels),
        cmocka_unit_test(narrow_and_wide_networks_run_on_fast_kernels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
