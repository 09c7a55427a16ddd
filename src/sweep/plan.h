/* Inside the sweep room: a job checked against its dataset, costed, and cut into pieces of work. */
#ifndef CNNSWEEP_PLAN_H
#define CNNSWEEP_PLAN_H

#include "cnnsweep/dataset.h"
#include "cnnsweep/sweep.h"

/* Trials that one rank trains together. */
typedef struct cs_piece {
    int n;
    int trials[CS_GROUP_MAX];
    double macs;
} cs_piece;

typedef struct cs_plan {
    const cs_job *job; /* borrowed */
    cs_dataset *dataset;
    double *macs;       /* [n_trials] multiply-adds */
    bool *shares_trunk; /* [n_trials] */
    double total_macs;  /* of the trials to train, without those of job->done */
    cs_piece *pieces;   /* largest first */
    int n_pieces;
} cs_plan;

/* Opens the dataset, builds each distinct network with its weights, and checks that the table's metric will exist. */
CS_MUST_CHECK cs_status cs_plan_create(const cs_job *job, int ranks, cs_plan **out);
void cs_plan_free(cs_plan *plan); /* NULL-safe */

#endif
