/* Inside the sweep room: a job checked against its dataset, costed, and cut into pieces of work. */
#ifndef CNNSWEEP_PLAN_H
#define CNNSWEEP_PLAN_H

#include "cnnsweep/dataset.h"
#include "cnnsweep/sweep.h"
#include "groups.h"

typedef struct cs_plan {
    const cs_job *job; /* borrowed */
    cs_dataset *dataset;
    double *macs;      /* [n_trials] multiply-adds, one by one; of trials that were done before too */
    double total_macs; /* of those of this part */
    double *seconds;   /* [n_trials] expected, with its part of what its group shares; 0 if it was done before */
    double total_seconds;
    cs_cost *costs; /* [n_costs] trials that were not done before, those of a piece side by side */
    int n_costs;
    cs_piece *pieces; /* largest first */
    int n_pieces;
    int takers;              /* ranks, or sets of ranks_per_trial, that take pieces */
    bool measured;           /* the seconds come from this machine, not from an ordinary one */
    cs_cache_limits kept_in; /* room of a rank for what trunks give */
    bool on_device;          /* programs, and what trunks give, lie in a device's memory */
    double makespan;         /* expected seconds until all is done */
} cs_plan;

/* Opens the dataset, builds each distinct network with its weights, checks that the table's metric will exist, measures
 * the engine where the sweep is long enough, and groups the trials. With job->parts those of the part alone:
 * job->part_of is set, from the job and the dataset's size alone, so that every part sees the same division. */
CS_MUST_CHECK cs_status cs_plan_create(cs_job *job, const cs_ranks *ranks, cs_engine *engine, cs_plan **out);
void cs_plan_free(cs_plan *plan); /* NULL-safe */

/* Pieces, expected time and memory, and what sharing saves: a few lines. */
void cs_plan_print(const cs_plan *plan, FILE *out);
/* "12 MB" */
void cs_print_bytes(double bytes, FILE *out);

#endif
