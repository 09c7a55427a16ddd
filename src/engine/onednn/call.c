#include "program.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>

cs_status od_call_open(od_call *call, const od_node *node) {
    call->chunks = (node->program->rows + node->chunk - 1) / node->chunk;
    return cs_alloc((size_t)call->chunks, sizeof *call->args, "arguments", &call->args);
}

cs_status od_call_tensor(od_call *call, const od_node *node, int arg, dnnl_query_t what, const od_tensor *tensor) {
    int slot = call->n_args++;
    for (int c = 0; c < call->chunks; c++) {
        od_rows rows = {.first = c * node->chunk};
        call->args[c][slot].arg = arg;
        CS_TRY(od_memory_for(node->program->engine->engine, &call->primitive, what, od_at(tensor, &rows),
                             &call->args[c][slot].memory));
    }
    return CS_OK;
}

cs_status od_call_primitive_memory(od_call *call, const od_node *node, int arg, dnnl_query_t what,
                                   od_call_place place) {
    int slot = call->n_args++;
    for (int c = 0; c < call->chunks; c++) {
        call->args[c][slot].arg = arg;
        void *data = c == 0 ? place.first : (char *)place.later + (size_t)c * place.stride;
        CS_TRY(od_memory_for(node->program->engine->engine, &call->primitive, what, data, &call->args[c][slot].memory));
    }
    return CS_OK;
}

cs_status od_call_bias(od_call *call, const od_node *node, int arg, od_call_place place) {
    od_desc desc = {.rank = 1, .dims = {node->program->values[node->op->output].shape.c}, .tag = dnnl_x};
    int slot = call->n_args++;
    for (int c = 0; c < call->chunks; c++) {
        call->args[c][slot].arg = arg;
        CS_TRY(od_memory_create(node->program->engine->engine, &desc, c == 0 ? place.first : place.later,
                                &call->args[c][slot].memory));
    }
    return CS_OK;
}

cs_status od_call_run(const od_call *call, const od_node *node, const od_rows *rows) {
    return od_execute(call->primitive.code, node->program->engine->stream, call->n_args, call->args[rows->index]);
}

void od_call_close(od_call *call) {
    for (int c = 0; call->args && c < call->chunks; c++)
        for (int a = 0; a < call->n_args; a++)
            if (call->args[c][a].memory)
                dnnl_memory_destroy(call->args[c][a].memory);
    free(call->args);
    od_primitive_clear(&call->primitive);
    *call = (od_call){0};
}
