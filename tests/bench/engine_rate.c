/* Time of one step of the default engine: engine_rate ARCH DIALECT ALPHA SIZE BATCH train|forward THREADS [describe]
 * For each number of steps on a line of standard input prints the median of their seconds. The frozen forward is the
 * whole network without a head, in inference form. */
#include "cnnsweep/engine.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"
#include "cnnsweep/zoo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct bench {
    cs_graph *graph;
    cs_params *params;
    cs_engine *engine;
    cs_segment *segment;
    cs_program *program;
    int batch, step;
    bool train;
    float *images;
    int32_t *labels;
    int64_t *samples; /* all 0: as good as any for a mask */
} bench;

/* Command line. */
enum { ARCH = 1, DIALECT, ALPHA, SIZE, BATCH, MODE, THREADS, N_ARGS };

static cs_status bench_open(bench *b, char **argv) {
    cs_model_config config;
    cs_model_config_init(&config);
    snprintf(config.arch, sizeof config.arch, "%s", argv[ARCH]);
    config.dialect = strcmp(argv[DIALECT], "torch") == 0 ? CS_DIALECT_TORCH : CS_DIALECT_KERAS;
    config.alpha = (float)atof(argv[ALPHA]);
    config.input_h = config.input_w = atoi(argv[SIZE]);
    b->batch = atoi(argv[BATCH]);
    b->train = strcmp(argv[MODE], "train") == 0;
    config.classes = b->train ? 2 : 0;
    config.dropout = 0.5f;
    CS_TRY(cs_model_build(&config, &b->graph));
    CS_TRY(cs_params_create(b->graph, &b->params));
    cs_params_init(b->params, 1);
    CS_TRY(cs_engine_open("cpu", &(cs_engine_options){.threads = atoi(argv[THREADS])}, &b->engine));
    CS_TRY(cs_segment_create(b->graph, 0, b->graph->n_layers, &b->segment));
    cs_program_spec spec = {.segment = b->segment, .batch = b->batch, .mode = b->train ? CS_MODE_TRAIN : CS_MODE_INFER};
    CS_TRY(cs_program_compile(b->engine, &spec, &b->program));
    CS_TRY(cs_program_load(b->program, CS_SLOT_VALUE, b->params));
    size_t count = (size_t)b->batch * (size_t)config.input_h * (size_t)config.input_w * 3;
    CS_TRY(cs_alloc(count, sizeof *b->images, "images", &b->images));
    CS_TRY(cs_alloc((size_t)b->batch, sizeof *b->labels, "labels", &b->labels));
    CS_TRY(cs_alloc((size_t)b->batch, sizeof *b->samples, "samples", &b->samples));
    cs_rng rng = cs_rng_at(1, CS_PURPOSE_TEST, 0, 0);
    for (size_t i = 0; i < count; i++)
        b->images[i] = cs_rng_range(&rng, -1, 1);
    for (int i = 0; i < b->batch; i++)
        b->labels[i] = i % 2;
    return CS_OK;
}

static cs_status bench_step(bench *b, int step) {
    const cs_optimizer adam = {
        .kind = CS_OPTIMIZER_ADAM, .lr = 1e-4f, .beta_1 = 0.9f, .beta_2 = 0.999f, .epsilon = 1e-7f};
    cs_loss loss;
    CS_TRY(cs_program_set_input(b->program, 0, b->images, b->batch));
    if (b->train)
        cs_program_set_draw(b->program, &(cs_draw){.seed = 1, .epoch = (uint32_t)step, .samples = b->samples});
    CS_TRY(cs_program_forward(b->program, b->batch));
    if (!b->train)
        return CS_OK;
    CS_TRY(cs_program_loss(b->program, b->labels, b->batch, NULL, &loss));
    CS_TRY(cs_program_backward(b->program, b->batch));
    return cs_program_update(b->program, &adam, step);
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

enum { MOST_STEPS = 1000 };

static cs_status bench_answer(bench *b, int steps) {
    double seconds[MOST_STEPS];
    for (int i = 0; i < steps; i++) {
        double start = cs_now();
        CS_TRY(bench_step(b, ++b->step));
        seconds[i] = cs_now() - start;
    }
    qsort(seconds, (size_t)steps, sizeof *seconds, ascending);
    printf("%.6f\n", seconds[steps / 2]);
    fflush(stdout);
    return CS_OK;
}

static cs_status bench_run(char **argv, bool describe) {
    bench b = {0};
    int steps;
    CS_TRY(bench_open(&b, argv));
    if (describe)
        cs_program_describe(b.program, stdout);
    CS_TRY(bench_step(&b, ++b.step)); /* warm */
    while (scanf("%d", &steps) == 1 && steps >= 1 && steps <= MOST_STEPS)
        CS_TRY(bench_answer(&b, steps));
    cs_program_free(b.program);
    cs_segment_free(b.segment);
    cs_engine_close(b.engine);
    cs_params_free(b.params);
    cs_graph_free(b.graph);
    free(b.images);
    free(b.labels);
    free(b.samples);
    return CS_OK;
}

int main(int argc, char **argv) {
    if (argc < N_ARGS) {
        fprintf(stderr, "usage: engine_rate ARCH DIALECT ALPHA SIZE BATCH train|forward THREADS [describe]\n");
        return 2;
    }
    if (bench_run(argv, argc > N_ARGS) != CS_OK) {
        cs_log_error_last();
        return 1;
    }
    return 0;
}
