/* SPDX-License-Identifier: Apache-2.0 */
#include "params.h"
#include "node.h"
#include "transfer.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

cu_param *cu_node_param(const cu_node *node, cs_param_role role) {
    for (int i = 0; i < node->n_params; i++)
        if (node->params[i]->param->role == role)
            return node->params[i];
    return NULL;
}

cu_param *cu_node_kernel(const cu_node *node) {
    return cu_node_param(node, node->op->kernel);
}

float *cu_param_value(const cu_node *node, cs_param_role role) {
    const cu_param *param = cu_node_param(node, role);
    return param ? node->program->value + param->offset : NULL;
}

float *cu_param_gradient(const cu_node *node, cs_param_role role) {
    const cu_param *param = cu_node_param(node, role);
    return param && param->trained ? node->program->gradient + param->offset : NULL;
}

/* Inference takes the kernels; the rest goes into them, or into arrays of the operations' own. */
static void collect_of(cu_program *program, cu_node *node) {
    const cs_layer *layer = &program->graph->layers[node->op->layer];
    for (int k = 0; k < layer->n_params; k++) {
        const cs_param *own = &program->graph->params[layer->first_param + k];
        bool kernel = own->role == node->op->kernel;
        if (!cs_op_uses(node->op, layer, own->role) || (!program->training && !kernel))
            continue;
        cu_param *param = &program->params[program->n_params++];
        param->param = own;
        param->trained = program->training && layer->trainable && !cs_param_is_statistic(own);
        param->matrix = kernel && (node->op->kind == CS_OP_CONV || node->op->kind == CS_OP_DENSE);
        node->params[node->n_params++] = param;
    }
}

enum { LINE = 64 }; /* floats: cuDNN's kernels are aligned in 16 bits, too */

static size_t end_of(const cu_param *param) {
    return param->offset + (param->param->count + LINE - 1) / LINE * LINE;
}

/* Trained parameters first: one kernel updates them all. */
static void assign_offsets(cu_program *program) {
    size_t offset = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < program->n_params; i++)
            if (program->params[i].trained == (pass == 0)) {
                program->params[i].offset = offset;
                offset = end_of(&program->params[i]);
            }
        if (pass == 0)
            program->trained_count = offset;
    }
    program->param_count = offset;
}

/* Only the head has l2, and the loss is behind it: every such kernel has a gradient for the penalty's slope to go with.
 */
static void collect_penalties(cu_program *program) {
    for (int i = 0; program->training && i < program->lowered->n_ops; i++) {
        cu_node *node = &program->nodes[i];
        const cu_param *kernel = cu_node_kernel(node);
        if (!kernel || cs_param_l2(program->graph, kernel->param) <= 0)
            continue;
        node->l2 = &program->penalties[program->n_penalties++];
        *node->l2 =
            (cu_penalty){kernel->offset, kernel->param->count, (float)cs_param_l2(program->graph, kernel->param)};
    }
}

cs_status cu_params_collect(cu_program *program) {
    size_t n_ops = (size_t)program->lowered->n_ops;
    CS_TRY(cs_alloc((size_t)program->graph->n_params, sizeof *program->params, "parameters", &program->params));
    CS_TRY(cs_alloc(n_ops, sizeof *program->penalties, "penalties", &program->penalties));
    for (int i = 0; i < program->lowered->n_ops; i++)
        collect_of(program, &program->nodes[i]);
    assign_offsets(program);
    collect_penalties(program);
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
    size_t trained = program->trained_count * sizeof(float);
    cu_type type = program->engine->type;
    CS_TRY(take(program, program->param_count * sizeof(float), "parameters", &program->value));
    if (type != CU_F32)
        CS_TRY(take(program, program->param_count * cu_type_size(type), "parameters", &program->copy));
    CS_TRY(take(program, trained, "gradients", &program->gradient));
    for (int i = 0; i < CS_OPTIMIZER_STATES; i++)
        CS_TRY(take(program, trained, "optimizer state", &program->state[i]));
    return CS_OK;
}

void cu_params_free(cu_program *program) {
    cu_device *device = program->engine->device;
    cu_free(device, program->value);
    cu_free(device, program->copy);
    cu_free(device, program->gradient);
    for (int i = 0; i < CS_OPTIMIZER_STATES; i++)
        cu_free(device, program->state[i]);
    free(program->params);
    free(program->penalties);
}

static float *slot_of(const cu_program *program, cs_slot slot) {
    if (slot >= CS_SLOT_STATE)
        return program->state[slot - CS_SLOT_STATE];
    return slot == CS_SLOT_GRADIENT ? program->gradient : program->value;
}

void cu_transpose(size_t rows, size_t columns, const float *from, float *to) {
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            to[c * rows + r] = from[r * columns + c];
}

static float *shared_slot(const cu_program *program, const cs_share_part *part) {
    return slot_of(program, part->what == CS_SHARE_GRADIENTS ? CS_SLOT_GRADIENT : CS_SLOT_VALUE);
}

static size_t out_channels(const cs_param *param) {
    return (size_t)param->dims[param->rank - 1];
}

static cs_status load_param(cu_program *program, const cu_param *param, float *slot, const float *host) {
    size_t count = param->param->count;
    float *staging;
    CS_TRY(cu_staging_ready(program, &staging));
    if (param->matrix)
        cu_transpose(count / out_channels(param->param), out_channels(param->param), host, staging);
    else
        memcpy(staging, host, count * sizeof *host);
    return cu_staging_send(program, slot + param->offset, count);
}

static cs_status read_param(cu_program *program, const cu_param *param, const float *slot, float *host) {
    size_t count = param->param->count;
    CS_TRY(cu_fetch(program, slot + param->offset, count));
    if (param->matrix)
        cu_transpose(out_channels(param->param), count / out_channels(param->param), program->staging, host);
    else
        memcpy(host, program->staging, count * sizeof *host);
    return CS_OK;
}

/* What operations make of the parameters, and the copy in the engine's type. */
static cs_status refresh(cu_program *program, const cs_params *params) {
    for (int i = 0; i < program->lowered->n_ops; i++) {
        cu_node *node = &program->nodes[i];
        if (node->class->load)
            CS_TRY(node->class->load(node, params));
    }
    if (program->copy && program->param_count > 0)
        cu_k_from_float(cu_device_stream(program->engine->device), program->engine->type, program->param_count,
                        program->value, program->copy);
    return cu_check_launches(program->engine->device, "load");
}

static double penalty_of(const cu_program *program, const cs_params *params) {
    double sum = 0;
    for (int i = 0; i < program->n_params; i++) {
        const cs_param *param = program->params[i].param;
        double l2 = cs_param_l2(program->graph, param);
        for (size_t k = 0; l2 > 0 && k < param->count; k++) {
            double value = (double)params->data[param->offset + k];
            sum += l2 * value * value;
        }
    }
    return sum;
}

cs_status cu_params_load(cu_program *program, cs_slot slot, const cs_params *params) {
    CS_TRY(cu_params_settle(program));
    for (int i = 0; program->training && i < program->n_params; i++) {
        const cu_param *param = &program->params[i];
        if (slot == CS_SLOT_VALUE || param->trained)
            CS_TRY(load_param(program, param, slot_of(program, slot), params->data + param->param->offset));
    }
    if (slot == CS_SLOT_GRADIENT)
        program->gradient_scale = 1;
    if (slot != CS_SLOT_VALUE)
        return CS_OK;
    if (!program->training)
        program->penalty = penalty_of(program, params);
    return refresh(program, params);
}

cs_status cu_params_read(cu_program *program, cs_slot slot, cs_params *params) {
    float factor = slot == CS_SLOT_GRADIENT ? 1 / program->gradient_scale : 1;
    CS_TRY(cu_params_settle(program));
    for (int i = 0; i < program->n_params; i++) {
        const cu_param *param = &program->params[i];
        float *host = params->data + param->param->offset;
        if (slot == CS_SLOT_VALUE || param->trained)
            CS_TRY(read_param(program, param, slot_of(program, slot), host));
        else
            memset(host, 0, param->param->count * sizeof *host);
        for (size_t k = 0; factor != 1 && k < param->param->count; k++)
            host[k] *= factor;
    }
    return CS_OK;
}

/* Gradients go as they are, with the loss's scale, which is that of every rank: also of one that had no rows, and so no
 * loss of its own. */
static void take_scale(cu_program *program, const cs_share_part *part) {
    if (part->what == CS_SHARE_GRADIENTS)
        program->gradient_scale = cu_loss_scale(program);
}

static cs_status share(cu_program *program, const cs_share_part *part, float *out, const float *in, size_t *total) {
    float *slot = shared_slot(program, part);
    if (out || in)
        CS_TRY(cu_params_settle(program));
    if (in)
        take_scale(program, part);
    for (int i = 0; i < program->n_params; i++) {
        const cu_param *param = &program->params[i];
        size_t count = param->param->count;
        if (!cs_param_is_shared(program->graph, param->param, part))
            continue;
        if (out) {
            CS_TRY(cu_fetch(program, slot + param->offset, count));
            memcpy(out + *total, program->staging, count * sizeof *out);
        }
        if (in)
            CS_TRY(cu_send(program, slot + param->offset, in + *total, count));
        *total += count;
    }
    return CS_OK;
}

size_t cu_params_share(cu_program *program, const cs_share_part *part, float *out, const float *in) {
    size_t total = 0;
    cs_status status = share(program, part, out, in, &total);
    if (status != CS_OK)
        program->share_failed = status;
    return total;
}

/* In runs of parameters that lie one behind the other, as those of layers in a row do; what lies between two is 0. */
cs_status cu_params_sum(cu_program *program, const cs_share_part *part, float weight) {
    float *slot = shared_slot(program, part);
    size_t begin = 0, end = 0;
    take_scale(program, part);
    program->summing = true;
    for (int i = 0; i < program->n_params; i++) {
        const cu_param *param = &program->params[i];
        if (!cs_param_is_shared(program->graph, param->param, part))
            continue;
        if (param->offset != end) {
            if (end > begin)
                CS_TRY(cu_peers_sum(program->engine->peers, slot + begin, end - begin, weight));
            begin = param->offset;
        }
        end = end_of(param);
    }
    return end > begin ? cu_peers_sum(program->engine->peers, slot + begin, end - begin, weight) : CS_OK;
}

cs_status cu_params_settle(cu_program *program) {
    if (!program->summing)
        return CS_OK;
    program->summing = false;
    return cu_peers_settle(program->engine->peers);
}

static void tell_optimizer(const cs_optimizer *optimizer, int64_t step, cu_step *out) {
    double rates[CS_OPTIMIZER_RATES];
    cs_optimizer_rates(optimizer, step, rates);
    out->optimizer = *optimizer;
    for (int i = 0; i < CS_OPTIMIZER_RATES; i++)
        out->rates[i] = (float)rates[i];
    out->decay = (float)((double)optimizer->weight_decay * (double)optimizer->lr);
}

cs_status cu_params_update(cu_program *program, const cs_optimizer *optimizer, int64_t step) {
    cu_device *device = program->engine->device;
    cu_type type = program->engine->type;
    int *overflow = type == CU_F16 ? &program->loss->overflow : NULL;
    CS_TRY(program->share_failed);
    CS_TRY(cu_params_settle(program));
    if (program->trained_count == 0)
        return CS_OK;
    CS_TRY(cu_upload_begin(program, &program->update_upload, program->base.forward_rows));
    tell_optimizer(optimizer, step, program->update_upload.step);
    program->update_upload.step->loss_scale = program->gradient_scale;
    CS_TRY(cu_upload_send(program, &program->update_upload));
    if (overflow)
        cu_k_unscale(cu_device_stream(device), program->trained_count, program->step, program->gradient, overflow);
    program->gradient_scale = 1;
    cu_k_update(cu_device_stream(device), program->trained_count, program->step, overflow, program->gradient,
                program->value, program->state, type, program->copy);
    return cu_check_launches(device, "update");
}
