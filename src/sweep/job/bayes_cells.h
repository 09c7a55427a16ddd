/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: method bayes, which suggests the cell that is expected to improve the most on the best one
 * (bayes.h). */
#ifndef CNNSWEEP_BAYES_CELLS_H
#define CNNSWEEP_BAYES_CELLS_H

#include "method.h"

/* Of 2048 random cells the best few are improved by changing one axis at a time. Random numbers are those of
 * (job->seed, the cell). */
CS_MUST_CHECK cs_status cs_bayes_suggest_cell(const cs_history *history, int cell, cs_accept *accept, void *context,
                                              double *row, bool *found);

#endif
