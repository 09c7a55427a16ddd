/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the disk space that a sweep will need in its results folder. */
#ifndef CNNSWEEP_SPACE_H
#define CNNSWEEP_SPACE_H

#include "plan.h"

typedef struct cs_space {
    double checkpoints; /* bytes, of all trials that are trained at the same time */
    double states;      /* bytes of final states, before those that are not kept are removed */
    double weights;     /* bytes, of all trials that are still to be trained */
    double rows;        /* bytes of journal, histories and reports */
} cs_space;
cs_space cs_space_of(const cs_plan *plan);
/* Prints the estimate and the free space in one line. If it does not fit, a warning goes to the log. */
void cs_space_print(const cs_plan *plan, const char *folder, FILE *out);

#endif
