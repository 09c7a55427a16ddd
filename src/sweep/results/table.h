/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: what people read at the end of a sweep, and trials.csv. */
#ifndef CNNSWEEP_TABLE_H
#define CNNSWEEP_TABLE_H

#include "results.h"

/* The pivot in Markdown: rows x columns of the value; mean and standard deviation over what else is swept; "failed" and
 * "-" (not run). Or of a random sweep without rows and columns the leaderboard. Then the best trial. */
CS_MUST_CHECK cs_status cs_table_print(const cs_job *job, const cs_outcome *outcomes, FILE *out);
/* A random sweep that asks for no pivot. */
bool cs_table_is_leaderboard(const cs_job *job);
/* trials.csv with the trials that ended; and one line of it. */
void cs_csv_print(const cs_job *job, const cs_outcome *outcomes, FILE *out);
void cs_csv_row(const cs_job *job, int trial, const cs_outcome *outcome, FILE *out);

#endif
