/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: method tpe, which suggests a value of each option by itself (tpe.h). */
#ifndef CNNSWEEP_TPE_CELLS_H
#define CNNSWEEP_TPE_CELLS_H

#include "method.h"

/* Listed values, and the rows of a map of zip:, are choices; ranges and ranges with a step are numbers. An option with
 * a condition learns from the cells that have it. Random numbers are those of (job->seed, the option, the cell). */
CS_MUST_CHECK cs_status cs_tpe_suggest_cell(const cs_history *history, int cell, cs_accept *accept, void *context,
                                            double *row, bool *found);

#endif
