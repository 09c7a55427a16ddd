/* SPDX-License-Identifier: Apache-2.0 */
/* Measures explanations: explain_rate ARCH DIALECT SIZE BATCH THREADS [METHOD]
 * For each line "IMAGES" of standard input it prints the seconds in which so many images, from memory, are explained
 * for class 1: the raw maps and, as other programs do too, the maps scaled and resized to the input. */
#include "cnnsweep/explain.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"
#include "cnnsweep/zoo.h"

#include <stdlib.h>
#include <string.h>

typedef struct bench {
    cs_graph *graph;
    cs_params *params;
    cs_engine *engine;
    cs_explainer *explainer;
    const cs_explain_method *method;
    int batch, size;
    float *images, *maps, *heat;
    int32_t *classes;
} bench;

static cs_status open_network(bench *b, const char *arch, const char *dialect, int threads) {
    const cs_engine_options options = {.threads = threads, .local_ranks = 1};
    cs_model_config config;
    cs_model_config_init(&config);
    snprintf(config.arch, sizeof config.arch, "%s", arch);
    config.dialect = strcmp(dialect, "torch") == 0 ? CS_DIALECT_TORCH : CS_DIALECT_KERAS;
    config.input_h = config.input_w = b->size;
    config.classes = 2;
    snprintf(config.head, sizeof config.head, "gap,dense");
    CS_TRY(cs_model_build(&config, &b->graph));
    CS_TRY(cs_params_create(b->graph, &b->params));
    cs_params_init(b->params, 1);
    CS_TRY(cs_engine_open("cpu", &options, &b->engine));
    const cs_explain_spec spec = {.engine = b->engine, .graph = b->graph, .params = b->params, .batch = b->batch};
    return cs_explainer_open(&spec, &b->explainer);
}

static cs_status allocate(bench *b) {
    const size_t pixels = (size_t)b->size * (size_t)b->size, batch = (size_t)b->batch;
    cs_rng rng = cs_rng_at(1, CS_PURPOSE_TEST, 0, 0);
    CS_TRY(cs_alloc(batch * pixels * 3, sizeof *b->images, "images", &b->images));
    CS_TRY(cs_alloc(batch * pixels * 3, sizeof *b->maps, "maps", &b->maps));
    CS_TRY(cs_alloc(pixels, sizeof *b->heat, "heat", &b->heat));
    CS_TRY(cs_alloc(batch, sizeof *b->classes, "classes", &b->classes));
    for (size_t i = 0; i < batch * pixels * 3; i++)
        b->images[i] = cs_rng_range(&rng, -1, 1);
    for (size_t i = 0; i < batch; i++)
        b->classes[i] = 1;
    return CS_OK;
}

static cs_status explain(bench *b, int images) {
    const cs_shape shape = cs_explainer_shape(b->explainer, b->method);
    for (int first = 0; first < images; first += b->batch) {
        const int n = images - first < b->batch ? images - first : b->batch;
        CS_TRY(cs_explain(b->explainer, b->method, b->images, b->classes, n, b->maps));
        for (int i = 0; i < n; i++)
            CS_TRY(cs_explain_heat(b->maps + (size_t)i * cs_shape_count(shape), shape, b->size, b->size, b->heat));
    }
    return CS_OK;
}

static cs_status answer(bench *b) {
    char line[64];
    CS_TRY(explain(b, b->batch)); /* compiles */
    while (fgets(line, sizeof line, stdin)) {
        const double start = cs_now();
        CS_TRY(explain(b, (int)strtol(line, NULL, 10)));
        printf("%.6f\n", cs_now() - start);
        fflush(stdout);
    }
    return CS_OK;
}

static cs_status run(bench *b, int argc, char **argv) {
    b->size = (int)strtol(argv[3], NULL, 10);
    b->batch = (int)strtol(argv[4], NULL, 10);
    CS_TRY(cs_explain_method_find(argc > 6 ? argv[6] : "grad_cam", &b->method));
    CS_TRY(open_network(b, argv[1], argv[2], (int)strtol(argv[5], NULL, 10)));
    CS_TRY(allocate(b));
    return answer(b);
}

int main(int argc, char **argv) {
    bench b = {0};
    if (argc < 6) {
        fprintf(stderr, "usage: explain_rate ARCH DIALECT SIZE BATCH THREADS [METHOD]\n");
        return 2;
    }
    cs_status status = run(&b, argc, argv);
    if (status != CS_OK)
        cs_log_error_last();
    cs_explainer_close(b.explainer);
    cs_engine_close(b.engine);
    cs_params_free(b.params);
    cs_graph_free(b.graph);
    free(b.images);
    free(b.maps);
    free(b.heat);
    free(b.classes);
    return status == CS_OK ? 0 : 1;
}
