/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"
#include "layout.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>

cs_status od_call_open(od_call *call, const od_node *node) {
    if (call->rows == 0)
        call->rows = node->chunk;
    /* The number of rows of a program is a multiple of the chunk. */
    call->executions = node->program->rows / call->rows;
    return cs_alloc((size_t)call->executions, sizeof *call->args, "arguments", &call->args);
}

cs_status od_call_tensor(od_call *call, const od_node *node, int arg, dnnl_query_t what, const od_tensor *tensor) {
    int next = call->n_args++;
    for (int e = 0; e < call->executions; e++) {
        int first = e * call->rows, in_chunk = first % node->chunk;
        od_rows chunk = {.first = first - in_chunk};
        call->args[e][next].arg = arg;
        CS_TRY(od_memory_for(node->program->engine->engine, &call->primitive, what,
                             od_at(tensor, &chunk) + (size_t)in_chunk * tensor->row, &call->args[e][next].memory));
    }
    return CS_OK;
}

cs_status od_call_primitive_memory(od_call *call, const od_node *node, int arg, dnnl_query_t what,
                                   od_call_place place) {
    int next = call->n_args++;
    for (int e = 0; e < call->executions; e++) {
        call->args[e][next].arg = arg;
        void *data = e == 0 ? place.first : (char *)place.later + (size_t)e * place.stride;
        CS_TRY(od_memory_for(node->program->engine->engine, &call->primitive, what, data, &call->args[e][next].memory));
    }
    return CS_OK;
}

cs_status od_call_bias(od_call *call, const od_node *node, int arg, od_call_place place) {
    od_desc desc = {.rank = 1, .dims = {node->program->values[node->op->output].shape.c}, .tag = dnnl_x};
    int next = call->n_args++;
    for (int e = 0; e < call->executions; e++) {
        call->args[e][next].arg = arg;
        CS_TRY(od_memory_create(node->program->engine->engine, &desc, e == 0 ? place.first : place.later,
                                &call->args[e][next].memory));
    }
    return CS_OK;
}

cs_status od_call_run(const od_call *call, const od_node *node, const od_rows *rows) {
    int first = rows->first / call->rows, end = (rows->first + rows->size) / call->rows;
    for (int e = first; e < end; e++)
        CS_TRY(od_execute(call->primitive.code, node->program->engine->stream, call->n_args, call->args[e]));
    return CS_OK;
}

void od_call_close(od_call *call) {
    for (int e = 0; call->args && e < call->executions; e++)
        for (int a = 0; a < call->n_args; a++)
            if (call->args[e][a].memory)
                dnnl_memory_destroy(call->args[e][a].memory);
    free(call->args);
    od_primitive_clear(&call->primitive);
    *call = (od_call){0};
}
