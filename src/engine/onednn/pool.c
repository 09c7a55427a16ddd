/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"
#include "classes.h"
#include "layout.h"

#include "cnnsweep/memory.h"

static cs_status plan_pool(od_node *node) {
    od_program *program = node->program;
    od_pool pool = {.source = od_desc_of(program, &program->values[node->op->inputs[0]], node->chunk),
                    .destination = od_desc_of(program, &program->values[node->op->output], node->chunk),
                    .max = node->op->kind == CS_OP_MAX_POOL,
                    .inference = !program->training,
                    .window = &node->op->window};
    CS_TRY(od_pool_create(program->engine->engine, &pool, OD_FORWARD, NULL, &node->forward.primitive));
    if (!node->input_grads[0].wanted)
        return CS_OK;
    return od_pool_create(program->engine->engine, &pool, OD_BACKWARD_DATA, &node->forward.primitive,
                          &node->backward_data.primitive);
}

static cs_status bind_pool(od_node *node) {
    od_program *program = node->program;
    od_call *forward = &node->forward, *backward = &node->backward_data;
    CS_TRY(od_call_open(forward, node));
    CS_TRY(od_call_tensor(forward, node, DNNL_ARG_SRC, dnnl_query_src_md, &program->values[node->op->inputs[0]]));
    CS_TRY(od_call_tensor(forward, node, DNNL_ARG_DST, dnnl_query_dst_md, &program->values[node->op->output]));
    size_t bytes = od_primitive_bytes(&forward->primitive, dnnl_query_workspace_md);
    od_call_place place = {0};
    if (bytes > 0) {
        size_t stride = (bytes + CS_CACHE_LINE - 1) / CS_CACHE_LINE * CS_CACHE_LINE;
        CS_TRY(cs_alloc_aligned((size_t)forward->executions, stride, "pool workspace", &node->workspace));
        program->other_bytes += (size_t)forward->executions * stride;
        place = (od_call_place){node->workspace, node->workspace, stride};
        CS_TRY(od_call_primitive_memory(forward, node, DNNL_ARG_WORKSPACE, dnnl_query_workspace_md, place));
    }
    if (!backward->primitive.code)
        return CS_OK;
    CS_TRY(od_call_open(backward, node));
    CS_TRY(
        od_call_tensor(backward, node, DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md, &program->grads[node->op->output]));
    CS_TRY(od_call_tensor(backward, node, DNNL_ARG_DIFF_SRC, dnnl_query_diff_src_md, &node->input_grads[0]));
    if (bytes > 0)
        CS_TRY(od_call_primitive_memory(backward, node, DNNL_ARG_WORKSPACE, dnnl_query_workspace_md, place));
    return CS_OK;
}

static cs_status forward_pool(od_node *node, const od_rows *rows) {
    return od_call_run(&node->forward, node, rows);
}

static cs_status backward_pool(od_node *node, const od_rows *rows) {
    return od_call_run(&node->backward_data, node, rows);
}

const od_op_class od_pool_class = {
    .plan = plan_pool, .bind = bind_pool, .forward = forward_pool, .backward = backward_pool};
