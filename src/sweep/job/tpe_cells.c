/* SPDX-License-Identifier: Apache-2.0 */
#include "tpe_cells.h"
#include "cnnsweep/memory.h"

#include <math.h>
#include <stdlib.h>

/* How often a cell is suggested again because it was trained before, or is excluded. */
enum { MAX_SUGGESTIONS = 100 };

/* What is suggested independently of the rest: one for each axis of the space. */
typedef struct parameter {
    cs_domain domain;
    cs_tpe tpe;
    cs_rng rng;
} parameter;

static cs_domain domain_of(const cs_space *space, const cs_axis *axis) {
    const cs_range *range = &space->ranges[axis->first];
    if (range->step > 0)
        return (cs_domain){.low = range->low, .high = range->low + (axis->n - 1) * range->step, .step = range->step};
    if (axis->n > 0)
        return (cs_domain){.choices = axis->n};
    return (cs_domain){.low = range->low,
                       .high = range->high,
                       .step = cs_range_is_whole(range) ? 1 : 0,
                       .log = range->kind == CS_RANGE_LOG_UNIFORM || range->kind == CS_RANGE_LOG_INT};
}

static bool is_at(const cs_axis *axis, int position, const double *row) {
    for (int i = 0; i < axis->n_options; i++)
        if (row[axis->first + i] != axis->values[position * axis->n_options + i])
            return false;
    return true;
}

/* The value that a row has of the parameter; NaN: it has none. */
static double value_in(const cs_space *space, const cs_axis *axis, const double *row) {
    const cs_range *range = &space->ranges[axis->first];
    if (axis->n == 0)
        return row[axis->first];
    for (int p = 0; p < axis->n; p++)
        if (is_at(axis, p, row))
            return range->step > 0 ? range->low + p * range->step : p;
    return (double)NAN;
}

/* Writes a value of the parameter into the row, and into the cell that conditions look at. */
static void put(const cs_space *space, const cs_axis *axis, double value, double *row, int *cell) {
    const cs_range *range = &space->ranges[axis->first];
    if (axis->n == 0) {
        row[axis->first] = cs_range_is_whole(range) ? value : (float)value; /* as the option holds it */
        cell[axis->first] = 0;
        return;
    }
    int position = (int)lround(range->step > 0 ? (value - range->low) / range->step : value);
    for (int i = 0; i < axis->n_options; i++)
        row[axis->first + i] = cell[axis->first + i] = axis->values[position * axis->n_options + i];
}

static cs_status open_parameter(const cs_history *history, const bool *good, int axis, int cell, parameter *out) {
    const cs_space *space = history->space;
    const cs_axis *of = &space->axes[axis];
    double *values = NULL;
    int n = history->n_cells;
    CS_TRY(cs_alloc((size_t)n, sizeof *values, "trials", &values));
    for (int c = 0; c < n; c++)
        values[c] = value_in(space, of, history->rows + (size_t)c * (size_t)space->n_options);
    out->domain = domain_of(space, of);
    out->rng = cs_rng_at((uint64_t)history->job->seed, CS_PURPOSE_TPE,
                         cs_hash_name(history->job->swept[of->first].option->key), (uint32_t)cell);
    cs_status status = cs_tpe_open(&out->domain, history->cells, good, values, n, &out->tpe);
    free(values);
    return status;
}

/* `cell` [n_options] is working memory. */
static void suggest(const cs_space *space, parameter *parameters, double *row, int *cell) {
    for (int i = 0; i < space->n_options; i++) {
        row[i] = NAN;
        cell[i] = CS_NO_VALUE;
    }
    for (int k = 0; k < space->n_axes; k++) {
        int a = space->order[k];
        const cs_axis *axis = &space->axes[a];
        if (cs_match_holds(&axis->when, cell))
            put(space, axis, cs_tpe_suggest(&parameters[a].tpe, &parameters[a].rng), row, cell);
    }
}

cs_status cs_tpe_suggest_cell(const cs_history *history, int cell, cs_accept *accept, void *context, double *row,
                              bool *found) {
    const cs_space *space = history->space;
    parameter *parameters = NULL;
    bool *good = NULL;
    int *values = NULL;
    cs_status status;
    *found = false;
    CS_TRY_GOTO(cs_alloc((size_t)space->n_axes, sizeof *parameters, "densities", &parameters), done);
    CS_TRY_GOTO(cs_alloc((size_t)history->n_cells, sizeof *good, "trials", &good), done);
    CS_TRY_GOTO(cs_alloc((size_t)space->n_options, sizeof *values, "trials", &values), done);
    CS_TRY_GOTO(cs_tpe_split(history->cells, history->n_cells, good), done);
    for (int a = 0; a < space->n_axes; a++)
        CS_TRY_GOTO(open_parameter(history, good, a, cell, &parameters[a]), done);
    for (int i = 0; i < MAX_SUGGESTIONS && !*found; i++) {
        suggest(space, parameters, row, values);
        *found = accept(context, row);
    }
done:
    for (int a = 0; parameters && a < space->n_axes; a++)
        cs_tpe_close(&parameters[a].tpe);
    free(parameters);
    free(good);
    free(values);
    return status;
}
