/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: trials.csv, and the table that is printed at the end of a sweep. */
#ifndef CNNSWEEP_TABLE_H
#define CNNSWEEP_TABLE_H

#include "hits.h"

/* Prints in Markdown the pivot of the value, or the leaderboard for a sweep that draws and has no rows and columns, and
 * then the best trial and how it compares with the second. */
CS_MUST_CHECK cs_status cs_table_print(const cs_job *job, const cs_outcome *outcomes, const cs_best_hits *hits,
                                       FILE *out);
/* True for a sweep that draws and has no rows and columns: its table is the leaderboard. */
bool cs_table_is_leaderboard(const cs_job *job);
/* Print trials.csv with all trials that ended, and one row of it. */
void cs_csv_print(const cs_job *job, const cs_outcome *outcomes, FILE *out);
void cs_csv_row(const cs_job *job, int trial, const cs_outcome *outcome, FILE *out);

#endif
