/* Inside the sweep room: which trials are trained together. Sharing a trunk lowers the work there is, splitting a group
 * gives more ranks some of it; pieces are chosen so that the last rank is done soonest, by the estimates in cost.h. */
#ifndef CNNSWEEP_GROUPS_H
#define CNNSWEEP_GROUPS_H

#include "cnnsweep/cost.h"

/* Trials costs[first, first + n) of a plan, trained together. */
typedef struct cs_piece {
    int first, n;
    double seconds;
    double memory; /* bytes, without what is kept of a trunk */
} cs_piece;

typedef struct cs_group_limits {
    int ranks;     /* that take pieces */
    int most;      /* trials in a piece */
    double memory; /* bytes of a piece of several trials */
} cs_group_limits;

/* Sorts the costs [n] by share and cut and cuts them into pieces [at most n], largest first. The same input gives the
 * same pieces. */
CS_MUST_CHECK cs_status cs_groups_make(cs_cost *costs, int n, const cs_group_limits *limits, cs_piece *pieces,
                                       int *n_pieces);

/* When the last of the ranks is done, pieces [n] going out in their order to whichever rank is free. */
CS_MUST_CHECK cs_status cs_groups_makespan(const cs_piece *pieces, int n, int ranks, double *out);

#endif
