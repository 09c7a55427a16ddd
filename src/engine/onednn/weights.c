/* SPDX-License-Identifier: Apache-2.0 */
#include "weights.h"
#include "call.h"
#include "kernel_layout.h"
#include "layout.h"
#include "params.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

cs_status od_weights_bind(od_node *node, const od_primitive *primitive, od_weights *weights) {
    od_program *program = node->program;
    size_t bytes = od_primitive_bytes(primitive, dnnl_query_weights_md);
    if (program->training) {
        weights->data = od_param_at(node, CS_ARRAY_VALUE, od_node_kernel(node));
        CS_TRY(od_kernel_memory(node, weights->data, &weights->from));
        CS_TRY(od_memory_for(program->engine->engine, primitive, dnnl_query_weights_md, NULL, &weights->to));
        if (od_same_layout(weights->from, weights->to))
            return CS_OK;
        dnnl_memory_destroy(weights->to);
        weights->to = NULL;
    }
    CS_TRY(cs_alloc_aligned(bytes, 1, "kernel copy", &weights->owned));
    program->other_bytes += bytes;
    weights->data = weights->owned;
    CS_TRY(od_memory_for(program->engine->engine, primitive, dnnl_query_weights_md, weights->owned, &weights->to));
    if (program->training)
        CS_TRY(od_reorder_create(program->engine->engine, weights->from, weights->to, &weights->reorder));
    return CS_OK;
}

cs_status od_weights_refresh(od_node *node, od_weights *weights) {
    if (!weights->reorder.code)
        return CS_OK;
    dnnl_exec_arg_t args[2] = {{DNNL_ARG_FROM, weights->from}, {DNNL_ARG_TO, weights->to}};
    return od_execute(weights->reorder.code, node->program->engine->stream, 2, args);
}

void od_weights_close(od_weights *weights) {
    od_primitive_clear(&weights->reorder);
    if (weights->from)
        dnnl_memory_destroy(weights->from);
    if (weights->to)
        dnnl_memory_destroy(weights->to);
    free(weights->owned);
    *weights = (od_weights){0};
}

float *od_gradient_target(const od_node *node, const cs_param_row *param, int index) {
    return index == 0 ? od_param_at(node, CS_ARRAY_GRADIENT, param) : node->program->gradient_scratch;
}

void od_gradient_add(const od_node *node, const cs_param_row *param, int index) {
    float *sum = od_param_at(node, CS_ARRAY_GRADIENT, param);
    if (index > 0)
        node->program->engine->kernels->add(param->count, sum, node->program->gradient_scratch, sum);
}

/* One primitive computes the gradients of the kernel and the bias, so the bias has its scratch after the kernel's. */
static cs_status bind_gradients(od_node *node) {
    od_program *program = node->program;
    const cs_param_row *kernel = od_node_kernel(node), *bias = od_node_param(node, CS_PARAM_BIAS);
    od_call *call = &node->backward_weights;
    CS_TRY(od_call_open(call, node));
    CS_TRY(od_call_tensor(call, node, DNNL_ARG_SRC, dnnl_query_src_md, &program->values[node->op->inputs[0]]));
    CS_TRY(od_call_tensor(call, node, DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md, &program->grads[node->op->output]));
    od_call_place place = {od_param_at(node, CS_ARRAY_GRADIENT, kernel), program->gradient_scratch, 0};
    CS_TRY(od_call_primitive_memory(call, node, DNNL_ARG_DIFF_WEIGHTS, dnnl_query_diff_weights_md, place));
    if (!bias)
        return CS_OK;
    CS_TRY(cs_alloc_aligned(bias->count, sizeof(float), "bias gradient", &node->bias_scratch));
    od_call_place bias_place = {od_param_at(node, CS_ARRAY_GRADIENT, bias), node->bias_scratch, 0};
    return od_call_bias(call, node, DNNL_ARG_DIFF_BIAS, bias_place);
}

static cs_status bind_forward(od_node *node) {
    od_program *program = node->program;
    od_call *call = &node->forward;
    CS_TRY(od_weights_bind(node, &call->primitive, &node->forward_kernel));
    CS_TRY(od_call_open(call, node));
    CS_TRY(od_call_tensor(call, node, DNNL_ARG_SRC, dnnl_query_src_md, &program->values[node->op->inputs[0]]));
    CS_TRY(od_call_tensor(call, node, DNNL_ARG_DST, dnnl_query_dst_md, &program->values[node->op->output]));
    od_call_place kernel = {node->forward_kernel.data, node->forward_kernel.data, 0};
    CS_TRY(od_call_primitive_memory(call, node, DNNL_ARG_WEIGHTS, dnnl_query_weights_md, kernel));
    if (!od_has_bias(node))
        return CS_OK;
    float *at;
    if (program->training) {
        at = od_param_at(node, CS_ARRAY_VALUE, od_node_param(node, CS_PARAM_BIAS));
    } else {
        size_t lanes = od_lanes(program, program->values[node->op->output].shape.c);
        CS_TRY(cs_alloc_aligned(lanes, sizeof(float), "bias", &node->folded_bias));
        at = node->folded_bias;
    }
    return od_call_bias(call, node, DNNL_ARG_BIAS, (od_call_place){at, at, 0});
}

bool od_has_bias(const od_node *node) {
    return node->op->batch_norm != CS_NO_LAYER || od_node_param(node, CS_PARAM_BIAS) != NULL;
}

cs_status od_weighted_bind(od_node *node) {
    od_program *program = node->program;
    CS_TRY(bind_forward(node));
    if (node->backward_weights.primitive.code)
        CS_TRY(bind_gradients(node));
    if (!node->backward_data.primitive.code)
        return CS_OK;
    od_call *call = &node->backward_data;
    CS_TRY(od_weights_bind(node, &call->primitive, &node->backward_kernel));
    CS_TRY(od_call_open(call, node));
    CS_TRY(od_call_tensor(call, node, DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md, &program->grads[node->op->output]));
    CS_TRY(od_call_tensor(call, node, DNNL_ARG_DIFF_SRC, dnnl_query_diff_src_md, &node->input_grads[0]));
    od_call_place kernel = {node->backward_kernel.data, node->backward_kernel.data, 0};
    return od_call_primitive_memory(call, node, DNNL_ARG_WEIGHTS, dnnl_query_weights_md, kernel);
}

cs_status od_weighted_refresh(od_node *node) {
    CS_TRY(od_weights_refresh(node, &node->forward_kernel));
    return od_weights_refresh(node, &node->backward_kernel);
}

cs_status od_weighted_load(od_node *node, const cs_params *params) {
    od_program *program = node->program;
    const cs_param *kernel = od_node_kernel(node)->param;
    size_t channels = (size_t)program->values[node->op->output].shape.c;
    float *scale = NULL, *bias = NULL, *scaled = NULL;
    dnnl_memory_t plain = NULL;
    cs_status status;
    CS_TRY_GOTO(cs_alloc(channels, sizeof *scale, "folding", &scale), done);
    CS_TRY_GOTO(cs_alloc(channels, sizeof *bias, "folding", &bias), done);
    CS_TRY_GOTO(cs_alloc(kernel->count, sizeof *scaled, "folding", &scaled), done);
    const cs_param_row *own = od_node_param(node, CS_PARAM_BIAS);
    cs_fold(program->graph, params, own ? own->param : NULL, node->op->batch_norm, channels, scale, bias);
    for (size_t i = 0; i < kernel->count; i++) /* the output channel is the last dimension of every Keras kernel */
        scaled[i] = params->data[kernel->offset + i] * scale[i % channels];
    od_pad_kernel(kernel, node->kernel_layout.inputs, scaled, program->staging);
    if (node->folded_bias)
        memcpy(node->folded_bias, bias, channels * sizeof *bias);
    od_desc desc = od_plain_kernel_desc(node);
    CS_TRY_GOTO(od_memory_create(program->engine->engine, &desc, program->staging, &plain), done);
    status = od_copy_layout(program, plain, node->forward_kernel.to);
done:
    if (plain)
        dnnl_memory_destroy(plain);
    free(scale);
    free(bias);
    free(scaled);
    return status;
}

cs_status od_weighted_forward(od_node *node, const od_rows *rows) {
    return od_call_run(&node->forward, node, rows);
}

cs_status od_weighted_backward(od_node *node, const od_rows *rows) {
    if (node->backward_weights.primitive.code) {
        CS_TRY(od_call_run(&node->backward_weights, node, rows));
        od_gradient_add(node, od_node_kernel(node), rows->index);
        const cs_param_row *bias = od_node_param(node, CS_PARAM_BIAS);
        if (bias && rows->index > 0) {
            float *sum = od_param_at(node, CS_ARRAY_GRADIENT, bias);
            node->program->engine->kernels->add(bias->count, sum, node->bias_scratch, sum);
        }
    }
    return node->backward_data.primitive.code ? od_call_run(&node->backward_data, node, rows) : CS_OK;
}
