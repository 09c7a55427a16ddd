/* SPDX-License-Identifier: Apache-2.0 */
#include "program.h"
#include "call.h"
#include "classes.h"
#include "memory.h"
#include "norm.h"
#include "params.h"
#include "stages.h"
#include "transfer.h"
#include "weights.h"

#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

static const od_kernels *choose_kernels(void) {
#if defined(__x86_64__)
    dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
    if ((isa & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core)
        return &od_kernels_avx512;
    if ((isa & dnnl_cpu_isa_avx2) == dnnl_cpu_isa_avx2)
        return &od_kernels_avx2;
#endif
    return &od_kernels_base;
}

static void close_engine(cs_engine *base) {
    od_engine *engine = (od_engine *)base;
    if (engine->stream)
        dnnl_stream_destroy(engine->stream);
    if (engine->engine)
        dnnl_engine_destroy(engine->engine);
    free(engine);
}

static cs_status open_engine(const cs_engine_options *options, cs_engine **out) {
    od_engine *engine = NULL;
    CS_TRY(cs_alloc(1, sizeof *engine, "engine", &engine));
    engine->base = (cs_engine){.ops = &cs_onednn_engine, .options = *options};
    engine->kernels = choose_kernels();
    omp_set_num_threads(options->threads);
    dnnl_status_t status = dnnl_engine_create(&engine->engine, dnnl_cpu, 0);
    if (status == dnnl_success)
        status = dnnl_stream_create(&engine->stream, engine->engine, dnnl_stream_default_flags);
    if (status != dnnl_success) {
        close_engine(&engine->base);
        return od_fail(status, "engine");
    }
    const dnnl_version_t *version = dnnl_version();
    cs_log(CS_LOG_DEBUG, "oneDNN %d.%d.%d, %d threads, %s", version->major, version->minor, version->patch,
           options->threads, engine->kernels->name);
    *out = &engine->base;
    return CS_OK;
}

static void close_node(od_node *node) {
    od_call_close(&node->forward);
    od_call_close(&node->backward_data);
    od_call_close(&node->backward_weights);
    od_weights_close(&node->forward_kernel);
    od_weights_close(&node->backward_kernel);
    free(node->folded_bias);
    free(node->bias_scratch);
    free(node->norm.scale);
    free(node->norm.partial);
    free(node->norm.sums);
    free(node->norm.copies);
    free(node->workspace);
    free(node->factors);
}

static void release(cs_program *base) {
    od_program *program = od_program_of(base);
    for (int i = 0; program->nodes && i < program->lowered->n_ops; i++)
        close_node(&program->nodes[i]);
    if (program->lowered)
        od_stages_free(program);
    od_params_free(program);
    cs_lowered_free(program->lowered);
    free(program->nodes);
    free(program->values);
    free(program->grads);
    free(program->arena);
    free(program->scratch);
    free(program->probabilities);
    free(program->terms);
    free(program);
}

/* Downstream programs read the memory that the upstream program writes. */
static cs_status connect_upstream(od_program *program) {
    if (!program->base.spec.upstream)
        return CS_OK;
    const od_program *upstream = od_program_of(program->base.spec.upstream);
    if (upstream->rows < program->rows || upstream->lowered->n_outputs != program->lowered->n_inputs)
        return cs_fail(CS_ERR_SHAPE, "a program of %d rows and %d inputs cannot read one of %d rows and %d outputs",
                       program->rows, program->lowered->n_inputs, upstream->rows, upstream->lowered->n_outputs);
    for (int i = 0; i < program->lowered->n_inputs; i++) {
        const od_tensor *source = &upstream->values[upstream->lowered->outputs[i]];
        program->values[program->lowered->inputs[i]] = *source;
    }
    return CS_OK;
}

static int largest_chunk(int batch) {
    int chunk = 1;
    while (2 * chunk <= batch && chunk < OD_LARGEST_CHUNK)
        chunk *= 2;
    return chunk;
}

static cs_status build(od_program *program) {
    CS_TRY(cs_lower(&program->base.spec, &program->lowered));
    size_t n_values = (size_t)program->lowered->n_values;
    CS_TRY(cs_alloc(n_values, sizeof *program->values, "tensors", &program->values));
    CS_TRY(cs_alloc(n_values, sizeof *program->grads, "tensors", &program->grads));
    CS_TRY(cs_alloc((size_t)program->lowered->n_ops, sizeof *program->nodes, "operations", &program->nodes));
    for (int i = 0; i < program->lowered->n_ops; i++)
        program->nodes[i] = (od_node){
            .program = program, .op = &program->lowered->ops[i], .class = od_class_of(&program->lowered->ops[i])};
    CS_TRY(od_stages_plan(program));
    CS_TRY(connect_upstream(program));
    CS_TRY(od_params_collect(program));
    for (int i = 0; i < program->lowered->n_ops; i++) {
        od_node *node = &program->nodes[i];
        cs_status status = node->class->plan ? node->class->plan(node) : CS_OK;
        if (status != CS_OK)
            return cs_context(status, "layer '%s'", program->graph->layers[node->op->layer].name);
    }
    CS_TRY(od_params_allocate(program));
    int last = program->lowered->outputs[program->lowered->n_outputs - 1];
    CS_TRY(cs_alloc((size_t)program->values[last].shape.c, sizeof(double), "probabilities", &program->probabilities));
    CS_TRY(cs_alloc((size_t)program->values[last].shape.c, sizeof *program->terms, "loss", &program->terms));
    CS_TRY(od_memory_plan(program));
    for (int i = 0; i < program->lowered->n_ops; i++) {
        od_node *node = &program->nodes[i];
        if (node->class->bind)
            CS_TRY(node->class->bind(node));
    }
    return CS_OK;
}

static cs_status compile(cs_engine *engine, const cs_program_spec *spec, cs_program **out) {
    od_program *program = NULL;
    CS_TRY(cs_alloc(1, sizeof *program, "program", &program));
    program->base = (cs_program){.ops = &cs_onednn_engine, .engine = engine, .spec = *spec};
    program->engine = (od_engine *)engine;
    program->graph = spec->segment->graph;
    program->training = spec->mode == CS_MODE_TRAIN;
    int chunk = largest_chunk(spec->batch);
    program->rows = (spec->batch + chunk - 1) / chunk * chunk;
    cs_status status = build(program);
    if (status != CS_OK) {
        release(&program->base);
        return status;
    }
    *out = &program->base;
    return CS_OK;
}

static cs_status load(cs_program *base, cs_param_array array, const cs_params *params) {
    return od_params_load(od_program_of(base), array, params);
}

static cs_status read(cs_program *base, cs_param_array array, cs_params *params) {
    return od_params_read(od_program_of(base), array, params);
}

static cs_status set_input(cs_program *base, int i, const float *values, int n) {
    od_program *program = od_program_of(base);
    od_from_host(program, &program->values[program->lowered->inputs[i]], n, values);
    return CS_OK;
}

static cs_status get_output(cs_program *base, int i, float *values, int n) {
    od_program *program = od_program_of(base);
    od_to_host(program, &program->values[program->lowered->outputs[i]], n, values);
    return CS_OK;
}

static cs_status set_output(cs_program *base, int i, const float *values, int n) {
    od_program *program = od_program_of(base);
    od_from_host(program, &program->values[program->lowered->outputs[i]], n, values);
    return CS_OK;
}

static cs_status set_gradient(cs_program *base, const float *values, int n) {
    od_program *program = od_program_of(base);
    const od_tensor *gradient = &program->grads[program->lowered->outputs[program->lowered->n_outputs - 1]];
    if (gradient->wanted)
        od_from_host(program, gradient, n, values);
    return CS_OK;
}

static cs_status get_gradient(cs_program *base, int i, float *values, int n) {
    const od_program *program = od_program_of(base);
    const od_tensor *gradient = &program->grads[program->lowered->gradients[i]];
    if (gradient->wanted)
        od_to_host(program, gradient, n, values);
    else
        memset(values, 0, (size_t)n * cs_shape_count(gradient->shape) * sizeof *values);
    return CS_OK;
}

static cs_status run_stage(const od_stage *stage, int n) {
    for (int first = 0, index = 0; first < n; first += stage->chunk, index++) {
        int left = n - first;
        od_rows rows = {first, index, stage->chunk, left < stage->chunk ? left : stage->chunk};
        for (int i = 0; i < stage->n_steps; i++)
            CS_TRY(stage->steps[i].run(stage->steps[i].node, &rows));
    }
    return stage->finish ? stage->finish(stage->finish_node, n) : CS_OK;
}

static cs_status forward(cs_program *base, int n) {
    od_program *program = od_program_of(base);
    for (int s = 0; s < program->n_stages; s++)
        CS_TRY(run_stage(&program->forward[s], n));
    return CS_OK;
}

static cs_status backward(cs_program *base, int n) {
    od_program *program = od_program_of(base);
    int layer = base->spec.segment->end;
    if (n == 0) /* a rank without rows has no first chunk, which would write the gradients */
        memset(program->params.arrays[CS_ARRAY_GRADIENT], 0, program->params.trained_count * sizeof(float));
    for (int s = 0; s < program->n_stages; s++) {
        const od_stage *stage = &program->backward[s];
        CS_TRY(run_stage(stage, n));
        od_params_add_penalty_gradient(program, stage->complete, layer);
        layer = stage->complete;
        CS_TRY(cs_program_report_gradients(base, layer));
    }
    return CS_OK;
}

/* Sets probabilities[k] = softmax(logits)[k] and the terms [classes] of the loss of row r. Returns their sum. */
static cs_term compute_terms(const float *logits, int classes, const cs_targets *targets, int r, double *probabilities,
                             cs_term *terms) {
    double largest = (double)logits[0], total = 0;
    cs_term sum = {0};
    for (int k = 1; k < classes; k++)
        if ((double)logits[k] > largest)
            largest = (double)logits[k];
    for (int k = 0; k < classes; k++)
        total += probabilities[k] = exp((double)logits[k] - largest);
    const double log_total = log(total);
    for (int k = 0; k < classes; k++) {
        probabilities[k] /= total;
        terms[k] = cs_loss_term(&targets->focal, cs_target(targets, r, classes, k), probabilities[k],
                                log_total - ((double)logits[k] - largest));
        sum.loss += terms[k].loss;
        sum.pull += terms[k].pull;
    }
    return sum;
}

static bool is_correct(const float *logits, int classes, int32_t label) {
    int best = 0;
    for (int k = 1; k < classes; k++)
        if (logits[k] > logits[best])
            best = k;
    return best == label;
}

static void binary_loss(const od_tensor *logits, const od_tensor *gradient, const cs_targets *targets, int n,
                        float *probabilities, cs_loss *out) {
    for (int r = 0; r < n; r++) {
        const double logit = (double)logits->data[(size_t)r * logits->row];
        const cs_binary_row row =
            cs_binary_loss(&targets->focal, cs_target(targets, r, 2, 0), cs_target(targets, r, 2, 1), logit);
        out->sum += row.loss;
        out->correct += (logit > 0) == targets->labels[r];
        for (int k = 0; probabilities && k < 2; k++)
            probabilities[2 * r + k] = (float)row.p[k];
        if (gradient->wanted)
            gradient->data[(size_t)r * gradient->row] = (float)(row.slope / n);
    }
}

static void softmax_loss(const od_program *program, const od_tensor *logits, const od_tensor *gradient,
                         const cs_targets *targets, int n, float *probabilities, cs_loss *out) {
    int classes = logits->shape.c;
    for (int r = 0; r < n; r++) {
        const float *row = logits->data + (size_t)r * logits->row;
        cs_term sum = compute_terms(row, classes, targets, r, program->probabilities, program->terms);
        out->sum += sum.loss;
        out->correct += is_correct(row, classes, targets->labels[r]);
        for (int k = 0; k < classes; k++) {
            double p = program->probabilities[k];
            if (probabilities)
                probabilities[(size_t)r * (size_t)classes + (size_t)k] = (float)p;
            if (gradient->wanted)
                gradient->data[(size_t)r * gradient->row + (size_t)k] =
                    (float)((sum.pull * p - program->terms[k].pull) / n);
        }
    }
}

static cs_status loss(cs_program *base, const cs_targets *targets, int n, float *probabilities, cs_loss *out) {
    const od_program *program = od_program_of(base);
    int output = program->lowered->outputs[program->lowered->n_outputs - 1];
    const od_tensor *logits = &program->values[output], *gradient = &program->grads[output];
    *out = (cs_loss){.penalty = program->training ? od_params_penalty(program) : program->penalty};
    if (cs_program_is_binary(base))
        binary_loss(logits, gradient, targets, n, probabilities, out);
    else
        softmax_loss(program, logits, gradient, targets, n, probabilities, out);
    return CS_OK;
}

static cs_status update(cs_program *base, const cs_optimizer *optimizer, int64_t step) {
    return od_params_update(od_program_of(base), optimizer, step);
}

static size_t move_bucket(cs_program *base, const cs_bucket *bucket, float *out, const float *in) {
    return od_params_move_bucket(od_program_of(base), bucket, out, in);
}

static void describe(const cs_program *base, FILE *out) {
    const od_program *program = (const od_program *)base;
    for (int s = 0; s < program->n_stages; s++)
        for (int i = 0; i < program->forward[s].n_steps; i++) {
            const od_step *step = &program->forward[s].steps[i];
            const od_node *node = step->node;
            const cs_shape shape = program->lowered->values[node->op->output].shape;
            const od_call *calls[] = {&node->forward, &node->backward_data, &node->backward_weights};
            fprintf(out, "stage %d chunk %d  %-24s %dx%dx%d%s", s, program->forward[s].chunk,
                    program->graph->layers[node->op->layer].name, shape.h, shape.w, shape.c,
                    step->run == od_norm_moments ? "  moments" : "");
            for (size_t k = 0; k < sizeof calls / sizeof *calls; k++)
                if (calls[k]->primitive.code)
                    fprintf(out, "  %s", od_primitive_implementation(&calls[k]->primitive));
            fputc('\n', out);
        }
}

static size_t memory(const cs_program *base) {
    const od_program *program = (const od_program *)base;
    size_t floats = program->arena_count + program->scratch_count;
    for (int a = 0; program->training && a < CS_ARRAY_COUNT; a++)
        floats += cs_param_table_count(&program->params, a);
    return floats * sizeof(float) + program->other_bytes;
}

const cs_engine_ops cs_onednn_engine = {
    .name = "onednn",
    .doc = "CPU, oneDNN",
    .open = open_engine,
    .close = close_engine,
    .compile = compile,
    .release = release,
    .load = load,
    .read = read,
    .set_input = set_input,
    .get_output = get_output,
    .set_output = set_output,
    .forward = forward,
    .loss = loss,
    .set_gradient = set_gradient,
    .backward = backward,
    .get_gradient = get_gradient,
    .update = update,
    .move_bucket = move_bucket,

    .describe = describe,
    .memory = memory,
};
