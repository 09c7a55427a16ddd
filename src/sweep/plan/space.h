/* Inside the sweep room: the disk space that a sweep will want in its results folder. */
#ifndef CNNSWEEP_SPACE_H
#define CNNSWEEP_SPACE_H

#include "plan.h"

typedef struct cs_space {
    double checkpoints; /* of the trials that are under way at once */
    double weights;     /* of all trials to come */
    double rows;        /* journal, histories, reports */
} cs_space;
cs_space cs_space_of(const cs_plan *plan);
/* A line with the estimate and what is free; a warning goes to the log where it does not fit. */
void cs_space_print(const cs_plan *plan, const char *folder, FILE *out);

#endif
