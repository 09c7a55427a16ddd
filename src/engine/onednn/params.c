/* SPDX-License-Identifier: Apache-2.0 */
#include "params.h"
#include "kernel_layout.h"
#include "layout.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

od_param *od_node_param(const od_node *node, cs_param_role role) {
    for (int i = 0; i < node->n_params; i++)
        if (node->params[i]->param->role == role)
            return node->params[i];
    return NULL;
}

od_param *od_node_kernel(const od_node *node) {
    return od_node_param(node, node->op->kernel);
}

cs_status od_params_collect(od_program *program) {
    CS_TRY(cs_alloc((size_t)program->graph->n_params, sizeof *program->params, "parameters", &program->params));
    for (int i = 0; i < program->lowered->n_ops; i++) {
        od_node *node = &program->nodes[i];
        const cs_layer *layer = &program->graph->layers[node->op->layer];
        for (int k = 0; k < layer->n_params; k++) {
            const cs_param *own = &program->graph->params[layer->first_param + k];
            if (!cs_op_uses(node->op, layer, own->role))
                continue;
            od_param *param = &program->params[program->n_params++];
            param->param = own;
            param->trained = layer->trainable && !cs_param_is_statistic(param->param);
            param->count = od_lanes(program, (int)param->param->count); /* kernels: set by their primitive */
            node->params[node->n_params++] = param;
        }
    }
    return CS_OK;
}

cs_status od_param_memory(const od_program *program, const od_param *param, float *data, dnnl_memory_t *out) {
    if (param->layout_of)
        return od_memory_for(program->engine->engine, param->layout_of, param->layout_what, data, out);
    return od_memory_create(program->engine->engine, &param->layout, data, out);
}

/* Trained parameters first: one loop updates them all. */
static void assign_offsets(od_program *program) {
    size_t line = CS_CACHE_LINE / sizeof(float), offset = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < program->n_params; i++)
            if (program->params[i].trained == (pass == 0)) {
                program->params[i].offset = offset;
                offset += (program->params[i].count + line - 1) / line * line;
            }
        if (pass == 0)
            program->trained_count = offset;
    }
    program->param_count = offset;
}

cs_status od_params_allocate(od_program *program) {
    size_t largest = 0, largest_plain = 0;
    for (int i = 0; i < program->n_params; i++) {
        largest = program->params[i].count > largest ? program->params[i].count : largest;
        const cs_param *of = program->params[i].param;
        int inputs = program->params[i].inputs;
        size_t plain = inputs ? of->count / (size_t)of->dims[2] * (size_t)inputs : of->count;
        largest_plain = plain > largest_plain ? plain : largest_plain;
    }
    CS_TRY(cs_alloc_aligned(largest_plain, sizeof(float), "staging", &program->staging));
    if (!program->training)
        return CS_OK;
    assign_offsets(program);
    CS_TRY(cs_alloc_aligned(largest, sizeof(float), "gradients", &program->gradient_scratch));
    CS_TRY(cs_alloc_aligned(program->param_count, sizeof(float), "parameters", &program->value));
    CS_TRY(cs_alloc_aligned(program->trained_count, sizeof(float), "gradients", &program->gradient));
    for (int i = 0; i < CS_OPTIMIZER_STATES; i++)
        CS_TRY(cs_alloc_aligned(program->trained_count, sizeof(float), "optimizer state", &program->state[i]));
    return CS_OK;
}

void od_params_free(od_program *program) {
    free(program->params);
    free(program->staging);
    free(program->gradient_scratch);
    free(program->value);
    free(program->gradient);
    for (int i = 0; i < CS_OPTIMIZER_STATES; i++)
        free(program->state[i]);
}

static float *slot_of(const od_program *program, cs_slot slot) {
    if (slot >= CS_SLOT_STATE)
        return program->state[slot - CS_SLOT_STATE];
    return slot == CS_SLOT_GRADIENT ? program->gradient : program->value;
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

typedef enum direction { TO_ENGINE, TO_HOST } direction;

/* One parameter between its place in an arena and its place in host memory. */
static cs_status move_param(od_program *program, const od_param *param, float *in_engine, float *in_host,
                            direction where) {
    if (!param->layout_of && param->layout.rank == 0) {
        size_t bytes = param->param->count * sizeof(float);
        memcpy(where == TO_ENGINE ? in_engine : in_host, where == TO_ENGINE ? in_host : in_engine, bytes);
        return CS_OK;
    }
    od_desc plain = od_plain_kernel_desc(program->graph, param);
    dnnl_memory_t engine = NULL, host = NULL;
    cs_status status = od_param_memory(program, param, in_engine, &engine);
    if (status == CS_OK)
        status = od_memory_create(program->engine->engine, &plain, program->staging, &host);
    if (status == CS_OK && where == TO_ENGINE) {
        od_pad_kernel(param->param, param->inputs, in_host, program->staging);
        status = od_copy_layout(program, host, engine);
    } else if (status == CS_OK) {
        status = od_copy_layout(program, engine, host);
        od_unpad_kernel(param->param, param->inputs, program->staging, in_host);
    }
    dnnl_memory_destroy(engine);
    dnnl_memory_destroy(host);
    return status;
}

static cs_status refresh(od_program *program) {
    for (int i = 0; i < program->lowered->n_ops; i++) {
        od_node *node = &program->nodes[i];
        if (node->class->refresh)
            CS_TRY(node->class->refresh(node));
    }
    return CS_OK;
}

/* Only the head has l2, and the loss is behind it: every such kernel has a gradient from the stages. */
void od_params_add_penalty_gradient(od_program *program, int begin, int end) {
    for (int i = 0; i < program->n_params; i++) {
        const od_param *param = &program->params[i];
        double l2 = cs_param_l2(program->graph, param->param);
        if (l2 > 0 && param->param->layer >= begin && param->param->layer < end)
            program->engine->kernels->add_scaled(param->count, (float)(2 * l2), program->value + param->offset,
                                                 program->gradient + param->offset);
    }
}

double od_params_penalty(const od_program *program) {
    double sum = 0;
    for (int i = 0; i < program->n_params; i++) {
        const od_param *param = &program->params[i];
        double l2 = cs_param_l2(program->graph, param->param);
        if (l2 > 0)
            sum += l2 * program->engine->kernels->square_sum(param->count, program->value + param->offset);
    }
    return sum;
}

static cs_status load_inference(od_program *program, const cs_params *params) {
    program->penalty = 0;
    for (int i = 0; i < program->n_params; i++) {
        const cs_param *param = program->params[i].param;
        double l2 = cs_param_l2(program->graph, param);
        if (l2 > 0)
            program->penalty += l2 * program->engine->kernels->square_sum(param->count, params->data + param->offset);
    }
    for (int i = 0; i < program->lowered->n_ops; i++) {
        od_node *node = &program->nodes[i];
        if (node->class->load)
            CS_TRY(node->class->load(node, params));
    }
    return CS_OK;
}

cs_status od_params_load(od_program *program, cs_slot slot, const cs_params *params) {
    if (!program->training)
        return load_inference(program, params);
    for (int i = 0; i < program->n_params; i++) {
        const od_param *param = &program->params[i];
        if (slot != CS_SLOT_VALUE && !param->trained)
            continue;
        CS_TRY(move_param(program, param, slot_of(program, slot) + param->offset, params->data + param->param->offset,
                          TO_ENGINE));
    }
    return slot == CS_SLOT_VALUE ? refresh(program) : CS_OK;
}

cs_status od_params_read(od_program *program, cs_slot slot, cs_params *params) {
    for (int i = 0; i < program->n_params; i++) {
        const od_param *param = &program->params[i];
        float *host = params->data + param->param->offset;
        if (slot == CS_SLOT_VALUE || param->trained)
            CS_TRY(move_param(program, param, slot_of(program, slot) + param->offset, host, TO_HOST));
        else
            memset(host, 0, param->param->count * sizeof *host);
    }
    return CS_OK;
}

size_t od_params_share(od_program *program, const cs_share_part *part, float *out, const float *in) {
    float *slot = slot_of(program, part->what == CS_SHARE_GRADIENTS ? CS_SLOT_GRADIENT : CS_SLOT_VALUE);
    size_t count = 0;
    for (int i = 0; i < program->n_params; i++) {
        const od_param *param = &program->params[i];
        if (!cs_param_is_shared(program->graph, param->param, part))
            continue;
        if (out)
            memcpy(out + count, slot + param->offset, param->count * sizeof *out);
        if (in)
            memcpy(slot + param->offset, in + count, param->count * sizeof *in);
        count += param->count;
    }
    return count;
}

cs_status od_params_update(od_program *program, const cs_optimizer *optimizer, int64_t step) {
    od_update update = {.optimizer = *optimizer,
                        .count = program->trained_count,
                        .value = program->value,
                        .gradient = program->gradient};
    double rates[CS_OPTIMIZER_RATES];
    cs_optimizer_rates(optimizer, step, rates);
    for (int i = 0; i < CS_OPTIMIZER_RATES; i++)
        update.rates[i] = (float)rates[i];
    memcpy(update.state, program->state, sizeof update.state);
    program->engine->kernels->update(&update);
    return refresh(program);
}
