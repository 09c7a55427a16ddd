/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the methods that find the trials of a sweep.
 *
 * To add a method: a row of the table in method.c. One that learns from the results of earlier trials also has a
 * function that suggests the values of the next one. */
#ifndef CNNSWEEP_METHOD_H
#define CNNSWEEP_METHOD_H

#include "observation.h"
#include "space.h"

/* What a method that learns knows. A row [n_options] has for each option the index of its value or, for one with a
 * range, the number; NaN where the option does not apply. Cells are those of job.h. */
typedef struct cs_history {
    const cs_job *job;
    const cs_space *space;
    int n_cells;
    const double *rows;          /* [n_cells,n_options] */
    const cs_observation *cells; /* [n_cells] */
} cs_history;

/* Whether the row may be trained: it is not excluded, and no cell has it. `context` comes from the caller. */
typedef bool cs_accept(void *context, const double *row);
/* Suggests the row of the cell, as a function of its arguments alone. Writes rows until one is accepted; `found`: one
 * was. It gives up where the space seems to be used up. */
typedef cs_status cs_suggest(const cs_history *history, int cell, cs_accept *accept, void *context, double *row,
                             bool *found);

struct cs_method {
    const char *name;
    bool draws;  /* options may have ranges, and the budget must have a number of trials; the table is a leaderboard */
    int startup; /* with `suggest`: so many cells must have a result before it is called; until then cells are drawn */
    cs_suggest *suggest; /* NULL: all trials are known before training */
};

/* The rows of the table. */
const cs_method *cs_methods(size_t *n);
/* The method with that name; NULL: there is none. */
const cs_method *cs_method_find(const char *name);

#endif
