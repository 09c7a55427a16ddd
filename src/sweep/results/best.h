/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the best trials, and the command that trains the best one again. */
#ifndef CNNSWEEP_BEST_H
#define CNNSWEEP_BEST_H

#include "results.h"

/* Prints the ten best combinations of values in Markdown, by the mean over their repeats. */
CS_MUST_CHECK cs_status cs_leaderboard_print(const cs_job *job, const cs_outcome *outcomes, FILE *out);
/* Prints the best trial and, for a sweep, the command that trains it alone to the same numbers. */
CS_MUST_CHECK cs_status cs_best_print(const cs_job *job, const cs_outcome *outcomes, FILE *out);

#endif
