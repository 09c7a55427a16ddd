/* SPDX-License-Identifier: Apache-2.0 */
#include "tpe_cells.h"
#include "axis_values.h"
#include "cnnsweep/memory.h"
#include "tpe.h"

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

static cs_status open_parameter(const cs_history *history, const bool *good, int axis, int cell, parameter *out) {
    const cs_space *space = history->space;
    const cs_axis *of = &space->axes[axis];
    double *values = NULL;
    int n = history->n_cells;
    CS_TRY(cs_alloc((size_t)n, sizeof *values, "trials", &values));
    for (int c = 0; c < n; c++)
        values[c] = cs_axis_value(space, of, history->rows + (size_t)c * (size_t)space->n_options);
    out->domain = cs_axis_domain(space, of);
    out->rng = cs_rng_at((uint64_t)history->job->seed, CS_PURPOSE_TPE,
                         cs_hash_name(history->job->swept[of->first].option->key), (uint32_t)cell);
    cs_status status = cs_tpe_open(&out->domain, history->cells, good, values, n, &out->tpe);
    free(values);
    return status;
}

static double suggest(void *context, int axis) {
    parameter *of = (parameter *)context + axis;
    return cs_tpe_suggest(&of->tpe, &of->rng);
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
        cs_axis_compose(space, suggest, parameters, row, values);
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
