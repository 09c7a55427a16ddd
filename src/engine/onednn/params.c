/* SPDX-License-Identifier: Apache-2.0 */
#include "params.h"
#include "kernel_layout.h"
#include "layout.h"

#include "cnnsweep/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

cs_param_row *od_node_param(const od_node *node, cs_param_role role) {
    return cs_param_rows_find(node->params, node->n_params, role);
}

cs_param_row *od_node_kernel(const od_node *node) {
    return od_node_param(node, node->op->kernel);
}

float *od_param_at(const od_node *node, cs_param_array array, const cs_param_row *param) {
    return cs_param_row_at(&node->program->params, array, param);
}

cs_status od_params_collect(od_program *program) {
    CS_TRY(cs_param_table_open(&program->params, &program->base.spec, CS_CACHE_LINE / sizeof(float)));
    for (int i = 0; i < program->lowered->n_ops; i++) {
        od_node *node = &program->nodes[i];
        node->params = program->params.rows + program->params.n;
        node->n_params = cs_param_table_add(&program->params, program->lowered, i, false);
        for (int k = 0; k < node->n_params; k++) /* for kernels the operation's plan sets it */
            node->params[k].count = od_lanes(program, (int)node->params[k].param->count);
    }
    return CS_OK;
}

void od_kernel_follows_primitive(od_node *node) {
    od_kernel_layout *layout = &node->kernel_layout;
    layout->primitive = node->op->trainable ? &node->backward_weights.primitive : &node->forward.primitive;
    layout->tensor = node->op->trainable ? dnnl_query_diff_weights_md : dnnl_query_weights_md;
    od_node_kernel(node)->count = od_primitive_bytes(layout->primitive, layout->tensor) / sizeof(float);
}

cs_status od_kernel_memory(const od_node *node, float *data, dnnl_memory_t *out) {
    const od_kernel_layout *layout = &node->kernel_layout;
    dnnl_engine_t engine = node->program->engine->engine;
    if (layout->primitive)
        return od_memory_for(engine, layout->primitive, layout->tensor, data, out);
    return od_memory_create(engine, &layout->desc, data, out);
}

/* These two return the number of floats of the largest parameter in the engine's layout, and of the largest kernel,
 * with its added channels, in Keras' layout. */
static size_t largest_param(const od_program *program) {
    size_t largest = 0;
    for (int i = 0; i < program->params.n; i++)
        largest = program->params.rows[i].count > largest ? program->params.rows[i].count : largest;
    return largest;
}

static size_t largest_plain(const od_program *program) {
    size_t largest = 0;
    for (int i = 0; i < program->params.n; i++) {
        const cs_param_row *row = &program->params.rows[i];
        const od_node *node = &program->nodes[row->op];
        int inputs = row->param->role == node->op->kernel ? node->kernel_layout.inputs : 0;
        size_t plain = inputs ? row->param->count / (size_t)row->param->dims[2] * (size_t)inputs : row->param->count;
        largest = plain > largest ? plain : largest;
    }
    return largest;
}

void od_params_free(od_program *program) {
    for (int a = 0; a < CS_ARRAY_COUNT; a++)
        free(program->params.arrays[a]);
    for (int i = 0; i < program->n_constraints; i++) {
        free(program->constraints[i].unit);
        free(program->constraints[i].factors);
    }
    free(program->constraints);
    free(program->params.rows);
    free(program->update.spans);
    free(program->staging);
    free(program->gradient_scratch);
}

cs_status od_copy_layout(od_program *program, dnnl_memory_t from, dnnl_memory_t to) {
    od_primitive reorder = {0};
    cs_status status = od_reorder_create(program->engine->engine, from, to, &reorder);
    if (status == CS_OK) {
        dnnl_exec_arg_t args[2] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
        status = od_execute(reorder.code, program->engine->stream, 2, args);
    }
    od_primitive_clear(&reorder);
    return status;
}

/* The operation that uses this kernel, if the engine keeps the kernel in its own layout; else NULL. */
static const od_node *node_of_kernel(const od_program *program, const cs_param_row *row) {
    const od_node *node = &program->nodes[row->op];
    bool own = node->kernel_layout.primitive || node->kernel_layout.desc.rank > 0;
    return own && row->param->role == node->op->kernel ? node : NULL;
}

/* Copies one kernel between the arrays and `staging`, which has Keras' layout with the added channels. */
static cs_status copy_kernel(const od_node *node, float *values, bool to_engine) {
    od_program *program = node->program;
    od_desc plain = od_plain_kernel_desc(node);
    dnnl_memory_t engine = NULL, host = NULL;
    cs_status status = od_kernel_memory(node, values, &engine);
    if (status == CS_OK)
        status = od_memory_create(program->engine->engine, &plain, program->staging, &host);
    if (status == CS_OK)
        status = to_engine ? od_copy_layout(program, host, engine) : od_copy_layout(program, engine, host);
    dnnl_memory_destroy(engine);
    dnnl_memory_destroy(host);
    return status;
}

static cs_status load_param(cs_program *base, const cs_param_row *row, float *values, const float *host) {
    od_program *program = od_program_of(base);
    const od_node *node = node_of_kernel(program, row);
    if (!node) {
        memcpy(values, host, row->param->count * sizeof *values);
        return CS_OK;
    }
    od_pad_kernel(row->param, node->kernel_layout.inputs, host, program->staging);
    return copy_kernel(node, values, true);
}

/* Finds where the engine's layout has the values of each unit: it loads a kernel of which each value is the number of
 * its unit, counted from 1, so that padding is 0. */
static cs_status map_units(od_program *program, od_constraint *constraint, float *plain, float *mapped) {
    const cs_param_row *row = constraint->row;
    const int units = constraint->norm.units;
    for (size_t i = 0; i < row->param->count; i++)
        plain[i] = (float)(i % (size_t)units + 1);
    CS_TRY(load_param(&program->base, row, mapped, plain));
    for (size_t i = 0; i < row->count; i++)
        constraint->unit[i] = mapped[i] > 0 ? (int32_t)mapped[i] - 1 : units;
    return CS_OK;
}

static cs_status open_constraint(od_program *program, od_constraint *constraint) {
    const cs_param_row *row = constraint->row;
    float *plain = NULL, *mapped = NULL;
    cs_status status;
    CS_TRY(cs_alloc(row->count, sizeof *constraint->unit, "constraints", &constraint->unit));
    CS_TRY(cs_alloc((size_t)constraint->norm.units + 1, sizeof(double), "constraints", &constraint->factors));
    CS_TRY_GOTO(cs_alloc(row->param->count, sizeof *plain, "constraints", &plain), failed);
    CS_TRY_GOTO(cs_alloc_aligned(row->count, sizeof *mapped, "constraints", &mapped), failed);
    status = map_units(program, constraint, plain, mapped);
failed:
    free(plain);
    free(mapped);
    return status;
}

static cs_status collect_constraints(od_program *program) {
    const cs_param_table *params = &program->params;
    CS_TRY(cs_alloc((size_t)params->n, sizeof *program->constraints, "constraints", &program->constraints));
    for (int i = 0; i < params->n; i++) {
        const cs_max_norm norm = cs_param_max_norm(program->graph, params->rows[i].param);
        if (!params->rows[i].trained || norm.limit <= 0)
            continue;
        od_constraint *constraint = &program->constraints[program->n_constraints++];
        *constraint = (od_constraint){.row = &params->rows[i], .norm = norm};
        CS_TRY(open_constraint(program, constraint));
        program->other_bytes += params->rows[i].count * sizeof *constraint->unit;
    }
    return CS_OK;
}

cs_status od_params_allocate(od_program *program) {
    cs_param_table *params = &program->params;
    CS_TRY(cs_alloc_aligned(largest_plain(program), sizeof(float), "staging", &program->staging));
    if (!program->training)
        return CS_OK;
    CS_TRY(cs_param_table_place(params, &program->update));
    CS_TRY(cs_alloc_aligned(largest_param(program), sizeof(float), "gradients", &program->gradient_scratch));
    for (int a = 0; a < CS_ARRAY_COUNT; a++)
        CS_TRY(cs_alloc_aligned(cs_param_table_count(params, a), sizeof(float), "parameters", &params->arrays[a]));
    return collect_constraints(program);
}

static cs_status read_param(cs_program *base, const cs_param_row *row, float *values, float *host) {
    od_program *program = od_program_of(base);
    const od_node *node = node_of_kernel(program, row);
    if (!node) {
        memcpy(host, values, row->param->count * sizeof *host);
        return CS_OK;
    }
    CS_TRY(copy_kernel(node, values, false));
    od_unpad_kernel(row->param, node->kernel_layout.inputs, program->staging, host);
    return CS_OK;
}

static cs_status refresh(od_program *program) {
    for (int i = 0; i < program->lowered->n_ops; i++) {
        od_node *node = &program->nodes[i];
        if (node->class->refresh)
            CS_TRY(node->class->refresh(node));
    }
    return CS_OK;
}

static void add_penalty_gradient(od_program *program, const cs_param_row *row) {
    const cs_penalty penalty = cs_param_penalty(program->graph, row->param);
    const float *value = cs_param_row_at(&program->params, CS_ARRAY_VALUE, row);
    float *gradient = cs_param_row_at(&program->params, CS_ARRAY_GRADIENT, row);
    if (penalty.l2 > 0)
        program->engine->kernels->add_scaled(row->count, (float)(2 * penalty.l2), value, gradient);
    for (size_t i = 0; penalty.l1 > 0 && i < row->count; i++)
        gradient[i] += (float)(penalty.l1 * cs_sign((double)value[i]));
}

/* The stages have computed a gradient for every trained kernel. */
void od_params_add_penalty_gradient(od_program *program, int begin, int end) {
    const cs_param_table *params = &program->params;
    for (int i = 0; i < params->n; i++)
        if (params->rows[i].param->layer >= begin && params->rows[i].param->layer < end)
            add_penalty_gradient(program, &params->rows[i]);
}

static double penalty_of(const od_program *program, const cs_param *param, size_t count, const float *value) {
    const cs_penalty penalty = cs_param_penalty(program->graph, param);
    double sum = 0;
    if (penalty.l2 > 0)
        sum = penalty.l2 * program->engine->kernels->square_sum(count, value);
    for (size_t i = 0; penalty.l1 > 0 && i < count; i++)
        sum += penalty.l1 * fabs((double)value[i]);
    return sum;
}

double od_params_penalty(const od_program *program) {
    double sum = 0;
    for (int i = 0; i < program->params.n; i++) {
        const cs_param_row *row = &program->params.rows[i];
        sum += penalty_of(program, row->param, row->count, cs_param_row_at(&program->params, CS_ARRAY_VALUE, row));
    }
    return sum;
}

static cs_status load_inference(od_program *program, const cs_params *params) {
    program->penalty = 0;
    for (int i = 0; i < program->params.n; i++) {
        const cs_param *param = program->params.rows[i].param;
        program->penalty += penalty_of(program, param, param->count, params->data + param->offset);
    }
    for (int i = 0; i < program->lowered->n_ops; i++) {
        od_node *node = &program->nodes[i];
        if (node->class->load)
            CS_TRY(node->class->load(node, params));
    }
    return CS_OK;
}

cs_status od_params_load(od_program *program, cs_param_array array, const cs_params *params) {
    if (!program->training)
        return load_inference(program, params);
    CS_TRY(cs_param_table_load(&program->params, &program->base, array, params, load_param));
    return array == CS_ARRAY_VALUE ? refresh(program) : CS_OK;
}

cs_status od_params_read(od_program *program, cs_param_array array, cs_params *params) {
    return cs_param_table_read(&program->params, &program->base, array, params, read_param);
}

size_t od_params_move_bucket(od_program *program, const cs_bucket *bucket, float *out, const float *in) {
    const cs_param_table *params = &program->params;
    const cs_param_row *row;
    size_t count = 0;
    for (int i = 0; (row = cs_param_table_next(params, program->graph, bucket, &i)) != NULL;) {
        float *values = cs_param_row_at(params, cs_bucket_array(bucket), row);
        if (out)
            memcpy(out + count, values, row->count * sizeof *out);
        if (in)
            memcpy(values, in + count, row->count * sizeof *in);
        count += row->count;
    }
    return count;
}

static void accumulate(cs_program *base, cs_param_array sum, double factor, bool fresh) {
    od_program *program = od_program_of(base);
    float *const *arrays = program->params.arrays;
    size_t count = program->params.trained_count;
    if (fresh)
        memset(arrays[sum], 0, count * sizeof(float));
    program->engine->kernels->add_scaled(count, (float)factor, arrays[CS_ARRAY_GRADIENT], arrays[sum]);
}

static double square_sum(const od_program *program, const cs_update_span *span, cs_param_array array) {
    return program->engine->kernels->square_sum(span->count, program->params.arrays[array] + span->offset);
}

static void clip(cs_program *base, cs_param_array gradient, const cs_update_clip *clip) {
    od_program *program = od_program_of(base);
    const cs_update_plan *plan = &program->update;
    double all = 0;
    for (int i = 0; clip->global && i < plan->n; i++)
        all += square_sum(program, &plan->spans[i], gradient);
    for (int i = 0; i < plan->n; i++) {
        const cs_update_span *span = &plan->spans[i];
        float *values = program->params.arrays[gradient] + span->offset;
        double factor = cs_clip_factor(clip, clip->global ? all : square_sum(program, span, gradient));
        if (factor != 1)
            program->engine->kernels->scale(span->count, (float)factor, values, values);
    }
}

static void step_span(cs_program *base, const cs_update_span *span, cs_param_array gradient, cs_optimizer_rule rule,
                      const double rates[CS_OPTIMIZER_RATES]) {
    od_program *program = od_program_of(base);
    float *const *arrays = program->params.arrays;
    od_update update = {.rule = rule,
                        .count = span->count,
                        .value = arrays[CS_ARRAY_VALUE] + span->offset,
                        .gradient = arrays[gradient] + span->offset};
    for (int i = 0; i < CS_OPTIMIZER_RATES; i++)
        update.rates[i] = (float)rates[i];
    for (int i = 0; i < CS_RULE_STATES; i++)
        update.state[i] = arrays[CS_ARRAY_STATE + i] ? arrays[CS_ARRAY_STATE + i] + span->offset : NULL;
    program->engine->kernels->update(&update);
}

static void trust_spans(cs_program *base, cs_param_array gradient, double lr) {
    od_program *program = od_program_of(base);
    for (int i = 0; i < program->update.n; i++) {
        const cs_update_span *span = &program->update.spans[i];
        double ratio = cs_trust_ratio(lr * span->lr_factor, square_sum(program, span, CS_ARRAY_VALUE),
                                      square_sum(program, span, gradient));
        program->engine->kernels->add_scaled(span->count, (float)ratio, program->params.arrays[gradient] + span->offset,
                                             program->params.arrays[CS_ARRAY_VALUE] + span->offset);
    }
}

static void constrain(cs_program *base) {
    const od_program *program = od_program_of(base);
    for (int c = 0; c < program->n_constraints; c++) {
        const od_constraint *constraint = &program->constraints[c];
        const size_t units = (size_t)constraint->norm.units, count = constraint->row->count;
        float *values = cs_param_row_at(&program->params, CS_ARRAY_VALUE, constraint->row);
        double *factors = constraint->factors;
        memset(factors, 0, (units + 1) * sizeof *factors);
        for (size_t i = 0; i < count; i++)
            factors[constraint->unit[i]] += (double)values[i] * (double)values[i];
        for (size_t unit = 0; unit <= units; unit++)
            factors[unit] = cs_max_norm_factor(constraint->norm.limit, factors[unit]);
        for (size_t i = 0; i < count; i++)
            values[i] = (float)((double)values[i] * factors[constraint->unit[i]]);
    }
}

static void average(cs_program *base, double momentum, double statistics) {
    od_program *program = od_program_of(base);
    const cs_param_table *params = &program->params;
    const float *values = params->arrays[CS_ARRAY_VALUE];
    float *averages = params->arrays[CS_ARRAY_AVERAGE];
    size_t trained = params->trained_count;
    program->engine->kernels->average(trained, (float)momentum, values, averages);
    program->engine->kernels->average(params->count - trained, (float)statistics, values + trained, averages + trained);
}

cs_status od_params_update(od_program *program, const cs_optimizer *optimizer, int64_t step) {
    static const cs_update_passes passes = {accumulate, clip, step_span, trust_spans, constrain, average};
    cs_update_run(&program->base, &program->update, &passes, optimizer, step);
    return refresh(program);
}
