/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: which trials are best, and how to train one of them again. */
#ifndef CNNSWEEP_BEST_H
#define CNNSWEEP_BEST_H

#include "results.h"

/* The ten best combinations of values in Markdown, by the mean over their repeats. */
CS_MUST_CHECK cs_status cs_leaderboard_print(const cs_job *job, const cs_outcome *outcomes, FILE *out);
/* The best trial, and of a sweep the command line that trains it alone to the same numbers. */
CS_MUST_CHECK cs_status cs_best_print(const cs_job *job, const cs_outcome *outcomes, FILE *out);

#endif
