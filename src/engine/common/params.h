/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of a program, as the engines that run lowered operations (onednn, cuda) keep them: a table with a row
 * for each parameter tensor, and arrays in the engine's own layout, in all of which a tensor has the same offset. */
#ifndef CNNSWEEP_ENGINE_COMMON_PARAMS_H
#define CNNSWEEP_ENGINE_COMMON_PARAMS_H

#include "engine_impl.h"
#include "lower.h"

typedef struct cs_param_row {
    const cs_param *param;
    int op; /* the operation that uses it */
    bool trained;
    size_t count;  /* floats in the engine's layout, padding included; cs_param_table_add sets the tensor's own count */
    size_t offset; /* floats, in each of the arrays */
} cs_param_row;

/* Trained parameters come first in the arrays, so that one loop or one kernel updates all of them. */
typedef struct cs_param_table {
    cs_param_row *rows;
    int n;
    size_t alignment;            /* of offsets, floats */
    size_t count, trained_count; /* floats of the values, and of each of the other arrays */
    float *arrays[CS_ARRAY_COUNT];
} cs_param_table;

/* An empty table with room for rows of all parameters of the graph; free `rows`. */
CS_MUST_CHECK cs_status cs_param_table_open(cs_param_table *table, const cs_graph *graph, size_t alignment);
/* Adds a row for each parameter that operation `op` uses, in the layer's order; if `kernel_only`, for its kernel alone.
 * Returns how many they are. */
int cs_param_table_add(cs_param_table *table, const cs_program_spec *spec, const cs_lowered *lowered, int op,
                       bool kernel_only);
/* Gives each row its offset and the table its counts. */
void cs_param_table_place(cs_param_table *table);
/* The offset of the tensor that follows in the arrays. */
size_t cs_param_row_end(const cs_param_table *table, const cs_param_row *row);
/* Floats of that array. */
size_t cs_param_table_count(const cs_param_table *table, cs_param_array array);

/* The row with that role among the n rows of an operation; NULL if there is none. */
cs_param_row *cs_param_rows_find(cs_param_row *rows, int n, cs_param_role role);
static inline float *cs_param_row_at(const cs_param_table *table, cs_param_array array, const cs_param_row *row) {
    return table->arrays[array] + row->offset;
}

/* How an engine moves a tensor between its own layout at `values` and that of cs_params at `host`. */
typedef cs_status cs_param_load(cs_program *program, const cs_param_row *row, float *values, const float *host);
typedef cs_status cs_param_read(cs_program *program, const cs_param_row *row, float *values, float *host);
/* Every tensor of an array from `params`, or to it. The gradients and states of what is not trained are 0. */
CS_MUST_CHECK cs_status cs_param_table_load(const cs_param_table *table, cs_program *program, cs_param_array array,
                                            const cs_params *params, cs_param_load *load);
CS_MUST_CHECK cs_status cs_param_table_read(const cs_param_table *table, cs_program *program, cs_param_array array,
                                            cs_params *params, cs_param_read *read);

/* The first row at or after row *i that is in the bucket, and *i behind it; NULL if there is none. */
const cs_param_row *cs_param_table_next(const cs_param_table *table, const cs_graph *graph, const cs_bucket *bucket,
                                        int *i);

#endif
