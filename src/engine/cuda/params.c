/* SPDX-License-Identifier: Apache-2.0 */
#include "params.h"
#include "node.h"
#include "transfer.h"

#include "cnnsweep/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

cs_param_row *cu_node_param(const cu_node *node, cs_param_role role) {
    return cs_param_rows_find(node->params, node->n_params, role);
}

cs_param_row *cu_node_kernel(const cu_node *node) {
    return cu_node_param(node, node->op->kernel);
}

float *cu_param_value(const cu_node *node, cs_param_role role) {
    const cs_param_row *row = cu_node_param(node, role);
    return row ? cs_param_row_at(&node->program->params, CS_ARRAY_VALUE, row) : NULL;
}

float *cu_param_gradient(const cu_node *node, cs_param_role role) {
    const cs_param_row *row = cu_node_param(node, role);
    return row && row->trained ? cs_param_row_at(&node->program->params, CS_ARRAY_GRADIENT, row) : NULL;
}

bool cu_is_matrix(const cu_node *node, const cs_param_row *row) {
    return row->param->role == node->op->kernel && (node->op->kind == CS_OP_CONV || node->op->kind == CS_OP_DENSE);
}

/* Backward computes a gradient for every trained kernel. */
static void collect_penalties(cu_program *program) {
    for (int i = 0; program->training && i < program->lowered->n_ops; i++) {
        cu_node *node = &program->nodes[i];
        const cs_param_row *kernel = cu_node_kernel(node);
        if (!kernel)
            continue;
        const cs_penalty of = cs_param_penalty(program->graph, kernel->param);
        if (of.l1 <= 0 && of.l2 <= 0)
            continue;
        node->penalty = &program->penalties[program->n_penalties++];
        *node->penalty = (cu_penalty){kernel->offset, kernel->count, (float)of.l2, (float)of.l1};
    }
}

/* The norms of the spans are computed like penalties with the factor 1. */
static void collect_norms(cu_program *program) {
    const cs_optimizer *optimizer = program->base.spec.optimizer;
    if (!program->update.by_tensor && !(optimizer && optimizer->global_clipnorm > 0))
        return;
    for (int i = 0; i < program->update.n; i++)
        program->penalties[program->n_penalties + i] =
            (cu_penalty){program->update.spans[i].offset, program->update.spans[i].count, 1, 0};
    program->n_norms = program->update.n;
}

/* In inference the other parameters are folded into the kernels or into arrays of the operations. */
cs_status cu_params_collect(cu_program *program) {
    enum { ALIGNMENT = 64 }; /* in floats; the 16-bit copy, which cuDNN's kernels read, is then aligned, too */
    size_t n_ops = (size_t)program->lowered->n_ops;
    cs_param_table *params = &program->params;
    CS_TRY(cs_param_table_open(params, &program->base.spec, ALIGNMENT));
    for (int i = 0; i < program->lowered->n_ops; i++) {
        cu_node *node = &program->nodes[i];
        node->params = params->rows + params->n;
        node->n_params = cs_param_table_add(params, program->lowered, i, !program->training);
    }
    CS_TRY(cs_param_table_place(params, &program->update));
    CS_TRY(cs_alloc(n_ops + (size_t)params->n, sizeof *program->penalties, "penalties", &program->penalties));
    collect_penalties(program);
    collect_norms(program);
    return CS_OK;
}

static cs_status take(cu_program *program, size_t bytes, const char *what, void *out) {
    void *taken;
    if (bytes == 0)
        return CS_OK;
    CS_TRY(cu_alloc(program->engine->device, bytes, what, &taken));
    memcpy(out, &taken, sizeof taken);
    program->bytes += bytes;
    return CS_OK;
}

cs_status cu_params_allocate(cu_program *program) {
    cs_param_table *params = &program->params;
    cu_type type = program->engine->type;
    for (int a = 0; a < CS_ARRAY_COUNT; a++)
        CS_TRY(take(program, cs_param_table_count(params, a) * sizeof(float), "parameters", &params->arrays[a]));
    if (type != CU_F32)
        CS_TRY(take(program, params->count * cu_type_size(type), "parameters", &program->copy));
    return CS_OK;
}

void cu_params_free(cu_program *program) {
    cu_device *device = program->engine->device;
    for (int a = 0; a < CS_ARRAY_COUNT; a++)
        cu_free(device, program->params.arrays[a]);
    cu_free(device, program->copy);
    free(program->params.rows);
    free(program->penalties);
    free(program->update.spans);
}

void cu_transpose(size_t rows, size_t columns, const float *from, float *to) {
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            to[c * rows + r] = from[r * columns + c];
}

static size_t out_channels(const cs_param_row *row) {
    return (size_t)row->param->dims[row->param->rank - 1];
}

static cs_status load_param(cs_program *base, const cs_param_row *row, float *values, const float *host) {
    cu_program *program = cu_program_of(base);
    float *staging;
    CS_TRY(cu_staging_ready(program, &staging));
    if (cu_is_matrix(&program->nodes[row->op], row))
        cu_transpose(row->count / out_channels(row), out_channels(row), host, staging);
    else
        memcpy(staging, host, row->count * sizeof *host);
    return cu_staging_send(program, values, row->count);
}

static cs_status read_param(cs_program *base, const cs_param_row *row, float *values, float *host) {
    cu_program *program = cu_program_of(base);
    CS_TRY(cu_fetch(program, values, row->count));
    if (cu_is_matrix(&program->nodes[row->op], row))
        cu_transpose(out_channels(row), row->count / out_channels(row), program->staging, host);
    else
        memcpy(host, program->staging, row->count * sizeof *host);
    return CS_OK;
}

/* Updates the data that operations derive from parameters, and the copy in the engine's type. */
static cs_status refresh(cu_program *program, const cs_params *params) {
    for (int i = 0; i < program->lowered->n_ops; i++) {
        cu_node *node = &program->nodes[i];
        if (node->class->load)
            CS_TRY(node->class->load(node, params));
    }
    if (program->copy && program->params.count > 0)
        cu_k_from_float(cu_device_stream(program->engine->device), program->engine->type, program->params.count,
                        program->params.arrays[CS_ARRAY_VALUE], program->copy);
    return cu_check_launches(program->engine->device, "load");
}

static double penalty_of(const cu_program *program, const cs_params *params) {
    double sum = 0;
    for (int i = 0; i < program->params.n; i++) {
        const cs_param *param = program->params.rows[i].param;
        const cs_penalty of = cs_param_penalty(program->graph, param);
        for (size_t k = 0; (of.l1 > 0 || of.l2 > 0) && k < param->count; k++) {
            double value = (double)params->data[param->offset + k];
            sum += of.l2 * value * value + of.l1 * fabs(value);
        }
    }
    return sum;
}

cs_status cu_params_load(cu_program *program, cs_param_array array, const cs_params *params) {
    CS_TRY(cu_params_wait_sums(program));
    if (program->training)
        CS_TRY(cs_param_table_load(&program->params, &program->base, array, params, load_param));
    if (array == CS_ARRAY_GRADIENT)
        program->gradient_scale = 1;
    if (array != CS_ARRAY_VALUE)
        return CS_OK;
    if (!program->training)
        program->penalty = penalty_of(program, params);
    return refresh(program, params);
}

cs_status cu_params_read(cu_program *program, cs_param_array array, cs_params *params) {
    float factor = array == CS_ARRAY_GRADIENT ? 1 / program->gradient_scale : 1;
    CS_TRY(cu_params_wait_sums(program));
    CS_TRY(cs_param_table_read(&program->params, &program->base, array, params, read_param));
    for (int i = 0; factor != 1 && i < program->params.n; i++) {
        const cs_param *param = program->params.rows[i].param;
        for (size_t k = 0; k < param->count; k++)
            params->data[param->offset + k] *= factor;
    }
    return CS_OK;
}

/* Gradients are summed with the scale of the loss, which is equal on all ranks. A rank without rows has computed no
 * loss and takes the scale here. */
static void take_scale(cu_program *program, const cs_bucket *bucket) {
    if (bucket->kind == CS_BUCKET_GRADIENTS)
        program->gradient_scale = cu_loss_scale(program);
}

static cs_status move_bucket(cu_program *program, const cs_bucket *bucket, float *out, const float *in, size_t *total) {
    const cs_param_row *row;
    if (out || in)
        CS_TRY(cu_params_wait_sums(program));
    if (in)
        take_scale(program, bucket);
    for (int i = 0; (row = cs_param_table_next(&program->params, program->graph, bucket, &i)) != NULL;) {
        float *values = cs_param_row_at(&program->params, cs_bucket_array(bucket), row);
        if (out) {
            CS_TRY(cu_fetch(program, values, row->count));
            memcpy(out + *total, program->staging, row->count * sizeof *out);
        }
        if (in)
            CS_TRY(cu_send(program, values, in + *total, row->count));
        *total += row->count;
    }
    return CS_OK;
}

size_t cu_params_move_bucket(cu_program *program, const cs_bucket *bucket, float *out, const float *in) {
    size_t total = 0;
    cs_status status = move_bucket(program, bucket, out, in, &total);
    if (status != CS_OK)
        program->bucket_failed = status;
    return total;
}

/* Sums runs of consecutive parameters with one call each, because parameters of consecutive layers are neighbours.
 * Padding between them is 0. */
cs_status cu_params_allreduce(cu_program *program, const cs_bucket *bucket, float weight) {
    float *values = program->params.arrays[cs_bucket_array(bucket)];
    const cs_param_row *row;
    size_t begin = 0, end = 0;
    take_scale(program, bucket);
    program->summing = true;
    for (int i = 0; (row = cs_param_table_next(&program->params, program->graph, bucket, &i)) != NULL;) {
        if (row->offset != end) {
            if (end > begin)
                CS_TRY(cu_peers_sum(program->engine->peers, values + begin, end - begin, weight));
            begin = row->offset;
        }
        end = cs_param_row_end(&program->params, row);
    }
    return end > begin ? cu_peers_sum(program->engine->peers, values + begin, end - begin, weight) : CS_OK;
}

cs_status cu_params_wait_sums(cu_program *program) {
    if (!program->summing)
        return CS_OK;
    program->summing = false;
    return cu_peers_wait_sums(program->engine->peers);
}

/* Where fp16 gradients have overflowed, the kernels of an update do nothing. */
static const int *overflow_of(const cu_program *program) {
    return program->engine->type == CU_F16 ? &program->loss->overflow : NULL;
}

static cu_stream stream_of(const cu_program *program) {
    return cu_device_stream(program->engine->device);
}

static void accumulate(cs_program *base, cs_param_array sum, double factor, bool fresh) {
    const cu_program *program = cu_program_of(base);
    float *const *arrays = program->params.arrays;
    cu_k_accumulate(stream_of(program), program->params.trained_count, (float)factor, fresh, overflow_of(program),
                    arrays[CS_ARRAY_GRADIENT], arrays[sum]);
}

/* Computes the squared norms of all spans of an array, in device memory. */
static const double *compute_norms(const cu_program *program, cs_param_array array, double *norms) {
    cu_k_square_sums(stream_of(program), program->n_norms, program->penalties_device + program->n_penalties,
                     program->params.arrays[array], norms);
    return norms;
}

static void clip(cs_program *base, cs_param_array gradient, const cs_update_clip *clip) {
    const cu_program *program = cu_program_of(base);
    const double *norms = compute_norms(program, gradient, program->norms[1]);
    for (int i = 0; i < program->update.n; i++) {
        const cs_update_span *span = &program->update.spans[i];
        cu_k_clip(stream_of(program), span->count, clip->limit, clip->epsilon, clip->global ? program->n_norms : 1,
                  clip->global ? norms : norms + i, program->params.arrays[gradient] + span->offset);
    }
}

static void *copy_at(const cu_program *program, size_t offset) {
    return program->copy ? (char *)program->copy + offset * cu_type_size(program->engine->type) : NULL;
}

static void step_span(cs_program *base, const cs_update_span *span, cs_param_array gradient, cs_optimizer_rule rule,
                      const double rates[CS_OPTIMIZER_RATES]) {
    const cu_program *program = cu_program_of(base);
    float *const *arrays = program->params.arrays;
    cu_update update = {.rule = rule,
                        .gradient = arrays[gradient] + span->offset,
                        .value = arrays[CS_ARRAY_VALUE] + span->offset,
                        .copy = copy_at(program, span->offset)};
    for (int i = 0; i < CS_OPTIMIZER_RATES; i++)
        update.rates[i] = (float)rates[i];
    for (int i = 0; i < CS_RULE_STATES; i++)
        update.state[i] = arrays[CS_ARRAY_STATE + i] ? arrays[CS_ARRAY_STATE + i] + span->offset : NULL;
    cu_k_update(stream_of(program), program->engine->type, span->count, &update, overflow_of(program));
}

static void trust_spans(cs_program *base, cs_param_array gradient, double lr) {
    const cu_program *program = cu_program_of(base);
    const double *values = compute_norms(program, CS_ARRAY_VALUE, program->norms[0]);
    const double *changes = compute_norms(program, gradient, program->norms[1]);
    for (int i = 0; i < program->update.n; i++) {
        const cs_update_span *span = &program->update.spans[i];
        cu_k_trust(stream_of(program), program->engine->type, span->count, (float)(lr * span->lr_factor), values + i,
                   changes + i, overflow_of(program), program->params.arrays[gradient] + span->offset,
                   program->params.arrays[CS_ARRAY_VALUE] + span->offset, copy_at(program, span->offset));
    }
}

static void constrain(cs_program *base) {
    const cu_program *program = cu_program_of(base);
    for (int i = 0; i < program->params.n; i++) {
        const cs_param_row *row = &program->params.rows[i];
        const cs_max_norm norm = cs_param_max_norm(program->graph, row->param);
        if (!row->trained || norm.limit <= 0)
            continue;
        const size_t units = (size_t)norm.units, items = row->count / units;
        const bool matrix = cu_is_matrix(&program->nodes[row->op], row);
        const cu_units of = {units, items, matrix ? items : 1, matrix ? 1 : units};
        cu_k_max_norm(stream_of(program), program->engine->type, &of, norm.limit, overflow_of(program),
                      cs_param_row_at(&program->params, CS_ARRAY_VALUE, row), copy_at(program, row->offset));
    }
}

static void average(cs_program *base, double momentum, double statistics) {
    const cu_program *program = cu_program_of(base);
    const float *values = program->params.arrays[CS_ARRAY_VALUE];
    float *averages = program->params.arrays[CS_ARRAY_AVERAGE];
    size_t trained = program->params.trained_count, count = program->params.count;
    cu_k_average(stream_of(program), trained, (float)momentum, values, averages);
    cu_k_average(stream_of(program), count - trained, (float)statistics, values + trained, averages + trained);
}

cs_status cu_params_update(cu_program *program, const cs_optimizer *optimizer, int64_t step) {
    static const cs_update_passes passes = {accumulate, clip, step_span, trust_spans, constrain, average};
    size_t count = program->params.trained_count;
    CS_TRY(program->bucket_failed);
    CS_TRY(cu_params_wait_sums(program));
    if (count == 0)
        return CS_OK;
    if (program->engine->type == CU_F16)
        cu_k_unscale(stream_of(program), count, program->gradient_scale, program->params.arrays[CS_ARRAY_GRADIENT],
                     &program->loss->overflow);
    program->gradient_scale = 1;
    cs_update_run(&program->base, &program->update, &passes, optimizer, step);
    return cu_check_launches(program->engine->device, "update");
}
