/* SPDX-License-Identifier: Apache-2.0 */
#include "params.h"

#include "cnnsweep/memory.h"

#include <string.h>

cs_status cs_param_table_open(cs_param_table *table, const cs_graph *graph, size_t alignment) {
    *table = (cs_param_table){.alignment = alignment};
    return cs_alloc((size_t)graph->n_params, sizeof *table->rows, "parameters", &table->rows);
}

int cs_param_table_add(cs_param_table *table, const cs_program_spec *spec, const cs_lowered *lowered, int op,
                       bool kernel_only) {
    const cs_graph *graph = spec->segment->graph;
    const cs_op *user = &lowered->ops[op];
    const cs_layer *layer = &graph->layers[user->layer];
    int before = table->n;
    for (int k = 0; k < layer->n_params; k++) {
        const cs_param *param = &graph->params[layer->first_param + k];
        if (!cs_op_uses(user, layer, param->role) || (kernel_only && param->role != user->kernel))
            continue;
        bool trained = spec->mode == CS_MODE_TRAIN && layer->trainable && !cs_param_is_statistic(param);
        table->rows[table->n++] = (cs_param_row){.param = param, .op = op, .trained = trained, .count = param->count};
    }
    return table->n - before;
}

size_t cs_param_row_end(const cs_param_table *table, const cs_param_row *row) {
    return row->offset + (row->count + table->alignment - 1) / table->alignment * table->alignment;
}

void cs_param_table_place(cs_param_table *table) {
    size_t offset = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < table->n; i++)
            if (table->rows[i].trained == (pass == 0)) {
                table->rows[i].offset = offset;
                offset = cs_param_row_end(table, &table->rows[i]);
            }
        if (pass == 0)
            table->trained_count = offset;
    }
    table->count = offset;
}

size_t cs_param_table_count(const cs_param_table *table, cs_param_array array) {
    return array == CS_ARRAY_VALUE ? table->count : table->trained_count;
}

cs_param_row *cs_param_rows_find(cs_param_row *rows, int n, cs_param_role role) {
    for (int i = 0; i < n; i++)
        if (rows[i].param->role == role)
            return &rows[i];
    return NULL;
}

cs_status cs_param_table_load(const cs_param_table *table, cs_program *program, cs_param_array array,
                              const cs_params *params, cs_param_load *load) {
    for (int i = 0; i < table->n; i++) {
        const cs_param_row *row = &table->rows[i];
        if (array == CS_ARRAY_VALUE || row->trained)
            CS_TRY(load(program, row, cs_param_row_at(table, array, row), params->data + row->param->offset));
    }
    return CS_OK;
}

cs_status cs_param_table_read(const cs_param_table *table, cs_program *program, cs_param_array array, cs_params *params,
                              cs_param_read *read) {
    for (int i = 0; i < table->n; i++) {
        const cs_param_row *row = &table->rows[i];
        float *host = params->data + row->param->offset;
        if (array == CS_ARRAY_VALUE || row->trained)
            CS_TRY(read(program, row, cs_param_row_at(table, array, row), host));
        else
            memset(host, 0, row->param->count * sizeof *host);
    }
    return CS_OK;
}

const cs_param_row *cs_param_table_next(const cs_param_table *table, const cs_graph *graph, const cs_bucket *bucket,
                                        int *i) {
    while (*i < table->n) {
        const cs_param_row *row = &table->rows[(*i)++];
        if (cs_param_is_in_bucket(graph, row->param, bucket))
            return row;
    }
    return NULL;
}
