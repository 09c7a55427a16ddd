/* SPDX-License-Identifier: Apache-2.0 */
/* cuda_plans DESCRIPTION makes a plan for every convolution and dense layer of every architecture of the zoo, for the
 * GPU that cuDNN's JSON in the file describes. No GPU is needed. The plans are for training (forward and backward) and
 * inference, with batches of 32 and 256, in every precision. The program fails if there is no plan, or only one that is
 * compiled at run time. */
#include "conv.h"
#include "lower.h"

#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/zoo.h"

#include <stdlib.h>
#include <string.h>

enum { NAMES = 256 };

/* The set of different shapes. They are zeroed before they are filled, because memcmp compares them. */
typedef struct shapes {
    cu_conv_spec *specs; /* with batch 1 and CU_F32 */
    size_t n, capacity;
} shapes;

/* An implementation and the number of convolutions that use it. */
typedef struct plan_tally {
    struct {
        char name[64];
        int count;
    } rows[NAMES];
    int n, total, failed;
    size_t workspace; /* the largest workspace */
} plan_tally;

static cs_status add_shape(shapes *all, cu_conv_kind kind, const cu_dims *dims, bool has_bias,
                           cs_activation activation) {
    cu_conv_spec spec;
    memset(&spec, 0, sizeof spec);
    spec.kind = kind;
    spec.dims = *dims;
    spec.has_bias = has_bias;
    spec.activation = activation;
    for (size_t i = 0; i < all->n; i++)
        if (memcmp(&all->specs[i], &spec, sizeof spec) == 0)
            return CS_OK;
    CS_TRY(cs_grow(&all->specs, &all->capacity, all->n + 1, sizeof spec, "shapes"));
    all->specs[all->n++] = spec;
    return CS_OK;
}

static cs_status add_operation(shapes *all, const cs_graph *graph, const cs_lowered *lowered, const cs_op *op) {
    bool has_bias = graph->layers[op->layer].use_bias || op->batch_norm != CS_NO_LAYER;
    const cs_value *in = &lowered->values[op->inputs[0]];
    const cs_shape *x = &in->shape, *y = &lowered->values[op->output].shape;
    cu_dims dims;
    memset(&dims, 0, sizeof dims);
    dims = (cu_dims){1, x->h, x->w, x->c, y->h, y->w, y->c, op->window};
    if (op->kind == CS_OP_DENSE)
        dims.window = (cs_window){.kernel_h = 1, .kernel_w = 1, .stride_h = 1, .stride_w = 1};
    CS_TRY(add_shape(all, CU_CONV_FORWARD, &dims, has_bias, op->activation));
    if (in->needs_grad)
        CS_TRY(add_shape(all, CU_CONV_BACKWARD_DATA, &dims, false, CS_ACT_LINEAR));
    if (op->trainable)
        CS_TRY(add_shape(all, CU_CONV_BACKWARD_KERNEL, &dims, false, CS_ACT_LINEAR));
    return CS_OK;
}

/* Training with the image's gradient, which explanations need. */
static cs_status add_segment(shapes *all, const cs_segment *segment, cs_mode mode) {
    static const int image = 0;
    const cs_program_spec spec = {.segment = segment,
                                  .batch = 1,
                                  .mode = mode,
                                  .gradients = &image,
                                  .n_gradients = mode == CS_MODE_TRAIN ? 1 : 0};
    cs_lowered *lowered = NULL;
    cs_status status = cs_lower(&spec, &lowered);
    for (int i = 0; status == CS_OK && i < lowered->n_ops; i++)
        if (lowered->ops[i].kind == CS_OP_CONV || lowered->ops[i].kind == CS_OP_DENSE)
            status = add_operation(all, segment->graph, lowered, &lowered->ops[i]);
    cs_lowered_free(lowered);
    return status;
}

static cs_status add_network(shapes *all, const cs_zoo_entry *entry, const char *head, int classes) {
    cs_model_config config;
    cs_graph *graph = NULL;
    cs_segment *segment = NULL;
    cs_status status = CS_OK;
    cs_model_config_init(&config);
    snprintf(config.arch, sizeof config.arch, "%s", entry->name);
    snprintf(config.head, sizeof config.head, "%s", head);
    config.dialect = entry->dialect;
    config.classes = classes;
    config.input_h = config.input_w = entry->min_size > 64 ? 299 : 224;
    CS_TRY_GOTO(cs_model_build(&config, &graph), done);
    CS_TRY_GOTO(cs_segment_create(graph, 0, graph->n_layers, &segment), done);
    CS_TRY_GOTO(add_segment(all, segment, CS_MODE_TRAIN), done);
    CS_TRY_GOTO(add_segment(all, segment, CS_MODE_INFER), done);
done:
    cs_segment_free(segment);
    cs_graph_free(graph);
    return status;
}

static cs_status add_zoo(shapes *all) {
    size_t n;
    const cs_zoo_entry *entries = cs_zoo_entries(&n);
    for (size_t i = 0; i < n; i++) {
        CS_TRY(add_network(all, &entries[i], "", 2));
        if (entries[i].add_top)
            CS_TRY(add_network(all, &entries[i], "top", 1000));
    }
    return CS_OK;
}

static void count(plan_tally *tally, const char *name) {
    int i = 0;
    while (i < tally->n && strcmp(tally->rows[i].name, name) != 0)
        i++;
    if (i == tally->n && i < NAMES)
        snprintf(tally->rows[tally->n++].name, sizeof tally->rows[i].name, "%s", name);
    if (i < NAMES)
        tally->rows[i].count++;
}

static void try_plan(cu_dnn *dnn, const cu_conv_spec *spec, plan_tally *tally) {
    cu_conv *conv;
    tally->total++;
    if (cu_conv_open(dnn, spec, &conv) != CS_OK) {
        tally->failed++;
        cs_log_error_last();
        return;
    }
    count(tally, cu_conv_name(conv));
    if (strstr(cu_conv_name(conv), "compiled")) {
        tally->failed++;
        fprintf(stderr, "only a plan that is compiled at run time: %s\n", cu_conv_name(conv));
    }
    if (cu_conv_workspace(conv) > tally->workspace)
        tally->workspace = cu_conv_workspace(conv);
    cu_conv_close(conv);
}

static cs_status try_shapes(const shapes *all, const char *description, const cs_engine_options *options, cu_type type,
                            int *failed) {
    static const int batches[] = {32, 256};
    cu_dnn *dnn;
    CS_TRY(cu_dnn_open(NULL, description, options, &dnn));
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
        plan_tally tally = {0};
        double start = cs_now();
        for (size_t i = 0; i < all->n; i++) {
            cu_conv_spec spec = all->specs[i];
            spec.type = type;
            spec.dims.batch = batches[b];
            try_plan(dnn, &spec, &tally);
        }
        printf("%s%s, batch %d: %d plans, %d missing, %.1f s, largest workspace %.0f MiB\n",
               cs_precision_name(options->precision), options->deterministic ? " deterministic" : "", batches[b],
               tally.total, tally.failed, cs_now() - start, (double)tally.workspace / (1 << 20));
        for (int i = 0; i < tally.n; i++)
            printf("  %5d %s\n", tally.rows[i].count, tally.rows[i].name);
        *failed += tally.failed;
    }
    cu_dnn_close(dnn);
    return CS_OK;
}

static cs_status run(const char *path, int *failed) {
    enum { RUNS = 6 };
    static const struct {
        cs_precision precision;
        bool deterministic;
        cu_type type;
    } runs[RUNS] = {{CS_PRECISION_BF16, false, CU_BF16}, {CS_PRECISION_FP32, false, CU_F32},
                    {CS_PRECISION_FP16, false, CU_F16},  {CS_PRECISION_TF32, false, CU_F32},
                    {CS_PRECISION_BF16, true, CU_BF16},  {CS_PRECISION_FP32, true, CU_F32}};
    shapes all = {0};
    char *description = NULL;
    size_t size;
    cs_status status = CS_OK;
    CS_TRY_GOTO(cs_file_read(path, 1 << 16, &description, &size), done);
    CS_TRY_GOTO(add_zoo(&all), done);
    int asymmetric = 0;
    for (size_t i = 0; i < all.n; i++) {
        const cs_window *w = &all.specs[i].dims.window;
        asymmetric += w->pad_top != w->pad_bottom || w->pad_left != w->pad_right;
    }
    printf("%zu convolutions that differ; %d of them pad more on one side, none needs a padded copy\n", all.n,
           asymmetric);
    for (int i = 0; i < RUNS; i++) {
        cs_engine_options options = {
            .threads = 1, .precision = runs[i].precision, .deterministic = runs[i].deterministic};
        CS_TRY_GOTO(try_shapes(&all, description, &options, runs[i].type, failed), done);
    }
done:
    free(description);
    free(all.specs);
    return status;
}

int main(int argc, char **argv) {
    int failed = 0;
    if (argc != 2) {
        fprintf(stderr, "usage: %s DESCRIPTION\n", argv[0]);
        return 2;
    }
    cs_status status = run(argv[1], &failed);
    if (status != CS_OK)
        cs_log_error_last();
    return status != CS_OK || failed > 0;
}
