/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: a table of a metric by two swept options, rows x columns. */
#ifndef CNNSWEEP_PIVOT_H
#define CNNSWEEP_PIVOT_H

#include "cell.h"

typedef struct cs_pivot {
    const cs_job *job; /* borrowed */
    const cs_column *metric;
    bool maximize;
    int rows, columns; /* indices in job->swept; -1: none */
    int n_rows, n_columns;
    cs_cell *cells; /* [n_rows,n_columns] */
} cs_pivot;

/* Makes the table of job->table_*. A cell has the mean over the other swept options. With table_best it has the best
 * over them; only the inner options are then averaged. */
CS_MUST_CHECK cs_status cs_pivot_open(const cs_job *job, const cs_outcome *outcomes, cs_pivot *out);
void cs_pivot_close(cs_pivot *pivot);

/* The name of a row or column, the index-th value of an option of job->swept; of option -1 it is the metric. */
const char *cs_pivot_heading(const cs_pivot *pivot, int option, int index);

/* Writes a title and the table. A cell is "failed" if its trials failed and "-" if none was run. */
CS_MUST_CHECK cs_status cs_pivot_markdown(const cs_pivot *pivot, FILE *out);
/* Writes the same cells as a LaTeX tabular that needs no package. */
CS_MUST_CHECK cs_status cs_pivot_latex(const cs_pivot *pivot, FILE *out);
/* Writes all digits. If any cell has several trials, each column is followed by a column "<value> sd" with the standard
 * deviations. A cell is empty if no trial of it finished. */
CS_MUST_CHECK cs_status cs_pivot_csv(const cs_pivot *pivot, FILE *out);

#endif
