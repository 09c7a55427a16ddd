/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of a program in the engines that run lowered operations (onednn, cuda): a table with a row for each
 * parameter tensor, and arrays in the engine's own layout. A tensor has the same offset in all arrays. */
#ifndef CNNSWEEP_ENGINE_COMMON_PARAMS_H
#define CNNSWEEP_ENGINE_COMMON_PARAMS_H

#include "engine_impl.h"
#include "lower.h"
#include "update.h"

typedef struct cs_param_row {
    const cs_param *param;
    int op; /* the operation that uses it */
    bool trained, decays;
    /* floats in the engine's layout, padding included; cs_param_table_add sets it to the tensor's own count */
    size_t count;
    size_t offset; /* floats from the start of each array */
} cs_param_row;

/* Trained parameters come first in the arrays, those that decay before the others, so that one loop or one kernel
 * updates all that are updated alike. */
typedef struct cs_param_table {
    const cs_program_spec *spec;
    cs_param_row *rows;
    int n;
    size_t alignment; /* of the offsets, in floats */
    /* floats in the arrays of values and of their averages, and in each of the other arrays */
    size_t count, trained_count;
    float *arrays[CS_ARRAY_COUNT];
} cs_param_table;

/* Makes an empty table with memory for a row for each parameter of the graph. The caller frees `rows`. */
CS_MUST_CHECK cs_status cs_param_table_open(cs_param_table *table, const cs_program_spec *spec, size_t alignment);
/* Adds a row for each parameter that operation `op` uses, in the layer's order; with `kernel_only` just for its kernel.
 * Returns the number of rows added. */
int cs_param_table_add(cs_param_table *table, const cs_lowered *lowered, int op, bool kernel_only);
/* Sets the offset of each row and the counts of the table, and plans the updates. The caller frees `plan->spans`. */
CS_MUST_CHECK cs_status cs_param_table_place(cs_param_table *table, cs_update_plan *plan);
/* The offset of the next tensor in the arrays. */
size_t cs_param_row_end(const cs_param_table *table, const cs_param_row *row);
/* The number of floats in that array; 0 if the program does not have it. */
size_t cs_param_table_count(const cs_param_table *table, cs_param_array array);

/* The row with that role among the n rows of an operation; NULL if there is none. */
cs_param_row *cs_param_rows_find(cs_param_row *rows, int n, cs_param_role role);
static inline float *cs_param_row_at(const cs_param_table *table, cs_param_array array, const cs_param_row *row) {
    return table->arrays[array] + row->offset;
}

/* An engine's functions that copy a tensor between its own layout at `values` and the layout of cs_params at `host`. */
typedef cs_status cs_param_load(cs_program *program, const cs_param_row *row, float *values, const float *host);
typedef cs_status cs_param_read(cs_program *program, const cs_param_row *row, float *values, float *host);
/* These two copy every tensor of an array from `params` or to it. Gradients and states of frozen parameters are read as
 * 0. */
CS_MUST_CHECK cs_status cs_param_table_load(const cs_param_table *table, cs_program *program, cs_param_array array,
                                            const cs_params *params, cs_param_load *load);
CS_MUST_CHECK cs_status cs_param_table_read(const cs_param_table *table, cs_program *program, cs_param_array array,
                                            cs_params *params, cs_param_read *read);

/* Returns the first row at or after row *i that is in the bucket, and moves *i past it. Returns NULL if there is
 * none. */
const cs_param_row *cs_param_table_next(const cs_param_table *table, const cs_graph *graph, const cs_bucket *bucket,
                                        int *i);

#endif
