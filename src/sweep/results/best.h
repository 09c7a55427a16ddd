/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the best trials, and the command that trains the best one again. */
#ifndef CNNSWEEP_BEST_H
#define CNNSWEEP_BEST_H

#include "results.h"

/* Is trial a better than trial b, by the metric of the sweep? Of equal trials the earlier is better, so that it does
 * not matter which ended first. */
CS_MUST_CHECK cs_status cs_trial_beats(const cs_job *job, const cs_outcome *outcomes, int a, int b, bool *out);
/* Prints the ten best combinations of values in Markdown, by the mean over their trials. */
CS_MUST_CHECK cs_status cs_leaderboard_print(const cs_job *job, const cs_outcome *outcomes, FILE *out);
/* Prints the best trial and, for a sweep, the command that trains it alone to the same numbers. */
CS_MUST_CHECK cs_status cs_best_print(const cs_job *job, const cs_outcome *outcomes, FILE *out);

#endif
