/* SPDX-License-Identifier: Apache-2.0 */
/* Measures one step: engine_rate ARCH DIALECT ALPHA SIZE BATCH train|forward THREADS [WORD...]
 *   describe                also prints which implementation runs each layer
 *   work                    also prints a line "work" with the amount of work for one image, see print_work
 *   resident                the batch is given to the engine once, not before each step
 *   device=cpu precision=fp32 classes=2 optimizer=adam autotune deterministic    as in a job
 * For each line "STEPS [loss|backward|update]" of standard input it prints the median of the seconds of that many
 * steps, each of which ends with that part (default: update). A GPU works asynchronously, and only the loss waits for
 * it; so the time of a part is the difference to the part before it. "forward" runs the whole network without a head in
 * inference mode. */
#include "cnnsweep/engine.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"
#include "cnnsweep/zoo.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct bench {
    cs_graph *graph;
    cs_params *params;
    cs_engine *engine;
    cs_segment *segment;
    cs_program *program;
    int batch, step, classes;
    bool train, describe, work, resident;
    const char *device;
    cs_engine_options options;
    cs_optimizer optimizer;
    float *images;
    int32_t *labels;
    int64_t *samples; /* all 0; dropout masks need some number */
} bench;

/* The arguments of the command line. */
enum { ARCH = 1, DIALECT, ALPHA, SIZE, BATCH, MODE, THREADS, N_ARGS };

/* The part of a step that a line ends with. */
enum { LOSS, BACKWARD, UPDATE, N_PARTS };
static const char *const parts[N_PARTS] = {"loss", "backward", "update"};

/* The optimizer with Keras' defaults, except that sgd has a momentum. */
static cs_status read_optimizer(const char *name, cs_optimizer *out) {
    const double unset = (double)NAN;
    *out = (cs_optimizer){.dialect = CS_TRAIN_DIALECT_KERAS,
                          .lr = 1e-4,
                          .beta_1 = 0.9,
                          .beta_2 = unset,
                          .rho = unset,
                          .epsilon = unset,
                          .weight_decay = unset,
                          .initial_accumulator = unset};
    for (int kind = 0; cs_optimizer_name(kind); kind++)
        if (strcmp(name, cs_optimizer_name(kind)) == 0) {
            out->kind = (cs_optimizer_kind)kind;
            out->momentum = kind == CS_OPTIMIZER_SGD ? 0.9 : 0;
            cs_optimizer_resolve(out);
            return CS_OK;
        }
    return cs_fail(CS_ERR_ARG, "there is no optimizer '%s'", name);
}

static cs_status read_precision(const char *name, cs_precision *out) {
    for (int p = 0; p < CS_PRECISION_COUNT; p++)
        if (strcmp(name, cs_precision_name((cs_precision)p)) == 0) {
            *out = (cs_precision)p;
            return CS_OK;
        }
    return cs_fail(CS_ERR_ARG, "precision '%s' is not fp32, tf32, bf16 or fp16", name);
}

static cs_status read_word(bench *b, const char *word) {
    const char *value = strchr(word, '=');
    value = value ? value + 1 : word;
    if (strcmp(word, "describe") == 0)
        b->describe = true;
    else if (strcmp(word, "work") == 0)
        b->work = true;
    else if (strcmp(word, "resident") == 0)
        b->resident = true;
    else if (strcmp(word, "autotune") == 0)
        b->options.autotune = true;
    else if (strcmp(word, "deterministic") == 0)
        b->options.deterministic = true;
    else if (strncmp(word, "device=", 7) == 0)
        b->device = value;
    else if (strncmp(word, "classes=", 8) == 0)
        b->classes = atoi(value);
    else if (strncmp(word, "optimizer=", 10) == 0)
        return read_optimizer(value, &b->optimizer);
    else if (strncmp(word, "precision=", 10) == 0)
        return read_precision(value, &b->options.precision);
    else
        return cs_fail(CS_ERR_ARG, "'%s' is no word of engine_rate", word);
    return CS_OK;
}

static cs_status bench_read(bench *b, char **argv, cs_model_config *config) {
    *b = (bench){.device = "cpu", .classes = 2};
    CS_TRY(read_optimizer("adam", &b->optimizer));
    cs_model_config_init(config);
    snprintf(config->arch, sizeof config->arch, "%s", argv[ARCH]);
    config->dialect = strcmp(argv[DIALECT], "torch") == 0 ? CS_DIALECT_TORCH : CS_DIALECT_KERAS;
    config->alpha = (float)atof(argv[ALPHA]);
    config->input_h = config->input_w = atoi(argv[SIZE]);
    b->batch = atoi(argv[BATCH]);
    b->train = strcmp(argv[MODE], "train") == 0;
    b->options.threads = atoi(argv[THREADS]);
    for (char **word = argv + N_ARGS; *word; word++)
        CS_TRY(read_word(b, *word));
    config->classes = b->train ? b->classes : 0;
    config->dropout = 0.5f;
    return CS_OK;
}

static cs_status make_batch(bench *b, const cs_model_config *config) {
    size_t count = (size_t)b->batch * (size_t)config->input_h * (size_t)config->input_w * 3;
    CS_TRY(cs_alloc(count, sizeof *b->images, "images", &b->images));
    CS_TRY(cs_alloc((size_t)b->batch, sizeof *b->labels, "labels", &b->labels));
    CS_TRY(cs_alloc((size_t)b->batch, sizeof *b->samples, "samples", &b->samples));
    cs_rng rng = cs_rng_at(1, CS_PURPOSE_TEST, 0, 0);
    for (size_t i = 0; i < count; i++)
        b->images[i] = cs_rng_range(&rng, -1, 1);
    for (int i = 0; i < b->batch; i++)
        b->labels[i] = i % b->classes;
    return CS_OK;
}

static cs_status bench_open(bench *b, char **argv) {
    cs_model_config config;
    CS_TRY(bench_read(b, argv, &config));
    CS_TRY(cs_model_build(&config, &b->graph));
    CS_TRY(cs_params_create(b->graph, &b->params));
    cs_params_init(b->params, 1);
    CS_TRY(cs_engine_open(b->device, &b->options, &b->engine));
    CS_TRY(cs_segment_create(b->graph, 0, b->graph->n_layers, &b->segment));
    cs_program_spec spec = {.segment = b->segment,
                            .batch = b->batch,
                            .mode = b->train ? CS_MODE_TRAIN : CS_MODE_INFER,
                            .optimizer = &b->optimizer};
    CS_TRY(cs_program_compile(b->engine, &spec, &b->program));
    CS_TRY(cs_program_load(b->program, CS_ARRAY_VALUE, b->params));
    CS_TRY(make_batch(b, &config));
    return cs_program_set_input(b->program, 0, b->images, b->batch);
}

static cs_status bench_step(bench *b, int step, int until, cs_loss *loss) {
    if (!b->resident)
        CS_TRY(cs_program_set_input(b->program, 0, b->images, b->batch));
    if (b->train)
        cs_program_set_draw(b->program, &(cs_draw){.seed = 1, .epoch = (uint32_t)step, .samples = b->samples});
    CS_TRY(cs_program_forward(b->program, b->batch));
    if (!b->train)
        return CS_OK;
    CS_TRY(cs_program_loss(b->program, &(cs_targets){.labels = b->labels}, b->batch, NULL, loss));
    if (until >= BACKWARD)
        CS_TRY(cs_program_backward(b->program, b->batch));
    return until >= UPDATE ? cs_program_update(b->program, &b->optimizer, step) : CS_OK;
}

/* By engine.h a program may use the memory of its input for other values; then a batch cannot stay in it. */
static cs_status check_resident(bench *b) {
    cs_loss before = {0}, after = {0};
    CS_TRY(bench_step(b, 1, BACKWARD, &before));
    CS_TRY(bench_step(b, 1, LOSS, &after));
    if (fabs(before.sum - after.sum) <= 1e-3 * fabs(before.sum))
        return CS_OK;
    return cs_fail(CS_ERR_UNSUPPORTED, "resident: the loss is %g, then %g: engine %s does not keep its input",
                   before.sum, after.sum, cs_engine_name(b->engine));
}

/* Prints numbers for lower bounds: the multiply-adds of a forward pass, those of the first layer that has any (whose
 * input needs no gradient), the values between products, the parameters, and the bytes of the program's plan. */
static void print_work(const bench *b) {
    double macs = 0, first = 0, values = 0;
    for (int l = 0; l < b->graph->n_layers; l++) {
        double here = cs_layer_macs(b->graph, l);
        if (here > 0)
            values += (double)cs_shape_count(b->graph->layers[l].out);
        if (macs <= 0)
            first = here;
        macs += here;
    }
    printf("work %.0f %.0f %.0f %zu %zu\n", macs, first, values, b->graph->n_values, cs_program_memory(b->program));
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

enum { MOST_STEPS = 1000 };

static cs_status bench_answer(bench *b, int steps, int until) {
    double seconds[MOST_STEPS];
    cs_loss loss;
    for (int i = 0; i < steps; i++) {
        double start = cs_now();
        CS_TRY(bench_step(b, ++b->step, until, &loss));
        seconds[i] = cs_now() - start;
    }
    qsort(seconds, (size_t)steps, sizeof *seconds, ascending);
    printf("%.6f\n", seconds[steps / 2]);
    fflush(stdout);
    return CS_OK;
}

static int find_part(const char *name) {
    int part = 0;
    while (part < N_PARTS && strcmp(name, parts[part]) != 0)
        part++;
    return part;
}

static cs_status bench_listen(bench *b) {
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        char part[16] = "update";
        int steps = 0, until;
        sscanf(line, "%d %15s", &steps, part);
        until = find_part(part);
        if (steps < 1 || steps > MOST_STEPS || until == N_PARTS)
            return cs_fail(CS_ERR_ARG, "not understood: %s", line);
        CS_TRY(bench_answer(b, steps, until));
    }
    return CS_OK;
}

static cs_status bench_run(bench *b, char **argv) {
    cs_loss loss;
    CS_TRY(bench_open(b, argv));
    if (b->describe)
        cs_program_describe(b->program, stdout);
    if (b->work)
        print_work(b);
    fflush(stdout);
    if (b->resident && b->train)
        CS_TRY(check_resident(b));
    CS_TRY(bench_step(b, ++b->step, UPDATE, &loss)); /* warms up */
    return bench_listen(b);
}

int main(int argc, char **argv) {
    bench b = {0};
    if (argc < N_ARGS) {
        fprintf(stderr, "usage: engine_rate ARCH DIALECT ALPHA SIZE BATCH train|forward THREADS [WORD...]\n");
        return 2;
    }
    cs_status status = bench_run(&b, argv);
    if (status != CS_OK)
        cs_log_error_last();
    cs_program_free(b.program);
    cs_segment_free(b.segment);
    cs_engine_close(b.engine);
    cs_params_free(b.params);
    cs_graph_free(b.graph);
    free(b.images);
    free(b.labels);
    free(b.samples);
    return status == CS_OK ? 0 : 1;
}
