/* SPDX-License-Identifier: Apache-2.0 */
#include "params.h"

#include "cnnsweep/memory.h"

#include <string.h>

cs_status cs_param_table_open(cs_param_table *table, const cs_program_spec *spec, size_t alignment) {
    *table = (cs_param_table){.spec = spec, .alignment = alignment};
    return cs_alloc((size_t)spec->segment->graph->n_params, sizeof *table->rows, "parameters", &table->rows);
}

int cs_param_table_add(cs_param_table *table, const cs_lowered *lowered, int op, bool kernel_only) {
    const cs_program_spec *spec = table->spec;
    const cs_graph *graph = spec->segment->graph;
    const cs_op *user = &lowered->ops[op];
    const cs_layer *layer = &graph->layers[user->layer];
    int before = table->n;
    for (int k = 0; k < layer->n_params; k++) {
        const cs_param *param = &graph->params[layer->first_param + k];
        if (!cs_op_uses(user, layer, param->role) || (kernel_only && param->role != user->kernel))
            continue;
        bool trained = spec->mode == CS_MODE_TRAIN && layer->trainable && !cs_param_is_statistic(param);
        table->rows[table->n++] = (cs_param_row){.param = param,
                                                 .op = op,
                                                 .trained = trained,
                                                 .decays = cs_update_decays(spec->optimizer, param),
                                                 .count = param->count};
    }
    return table->n - before;
}

size_t cs_param_row_end(const cs_param_table *table, const cs_param_row *row) {
    return row->offset + (row->count + table->alignment - 1) / table->alignment * table->alignment;
}

/* Has this array also the values that are not trained? */
static bool covers_all(cs_param_array array) {
    return array == CS_ARRAY_VALUE || array == CS_ARRAY_AVERAGE;
}

/* The parts of the arrays, in their order. */
static int part_of(const cs_param_row *row) {
    enum { DECAYS, DOES_NOT, NOT_TRAINED };
    if (!row->trained)
        return NOT_TRAINED;
    return row->decays ? DECAYS : DOES_NOT;
}

cs_status cs_param_table_place(cs_param_table *table, cs_update_plan *plan) {
    enum { PARTS = 3 };
    CS_TRY(cs_update_plan_open(plan, table->spec->optimizer, table->n));
    for (int part = 0; part < PARTS; part++)
        for (int i = 0; i < table->n; i++) {
            cs_param_row *row = &table->rows[i];
            if (part_of(row) != part)
                continue;
            row->offset = table->count;
            table->count = cs_param_row_end(table, row);
            if (!row->trained)
                continue;
            table->trained_count = table->count;
            const cs_layer *layer = &table->spec->segment->graph->layers[row->param->layer];
            cs_update_plan_add(
                plan, &(cs_update_span){row->offset, table->count - row->offset, row->decays, layer->lr_factor});
        }
    return CS_OK;
}

size_t cs_param_table_count(const cs_param_table *table, cs_param_array array) {
    if (!cs_program_has_array(table->spec, array))
        return 0;
    return covers_all(array) ? table->count : table->trained_count;
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
        if (covers_all(array) || row->trained)
            CS_TRY(load(program, row, cs_param_row_at(table, array, row), params->data + row->param->offset));
    }
    return CS_OK;
}

cs_status cs_param_table_read(const cs_param_table *table, cs_program *program, cs_param_array array, cs_params *params,
                              cs_param_read *read) {
    for (int i = 0; i < table->n; i++) {
        const cs_param_row *row = &table->rows[i];
        float *host = params->data + row->param->offset;
        if (covers_all(array) || row->trained)
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
