/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: rows x columns of a metric. */
#ifndef CNNSWEEP_PIVOT_H
#define CNNSWEEP_PIVOT_H

#include "cell.h"

typedef struct cs_pivot {
    const cs_job *job; /* borrowed */
    const cs_column *metric;
    bool maximize;
    int rows, columns; /* axes, or -1 */
    int n_rows, n_columns;
    cs_cell *cells; /* [n_rows,n_columns] */
} cs_pivot;

/* What job->table_* ask for: a cell is the mean over what else is swept, with table_best the best of that, over repeats
 * alone. */
CS_MUST_CHECK cs_status cs_pivot_open(const cs_job *job, const cs_outcome *outcomes, cs_pivot *out);
void cs_pivot_close(cs_pivot *pivot);

/* A title, then the table; "failed", and "-": not run. */
CS_MUST_CHECK cs_status cs_pivot_markdown(const cs_pivot *pivot, FILE *out);
/* The same cells in a tabular that needs no package. */
CS_MUST_CHECK cs_status cs_pivot_latex(const cs_pivot *pivot, FILE *out);
/* All digits; where a cell of a column has several trials their standard deviation in a column "<value> sd" behind it.
 * Empty: not run, or failed. */
CS_MUST_CHECK cs_status cs_pivot_csv(const cs_pivot *pivot, FILE *out);

#endif
