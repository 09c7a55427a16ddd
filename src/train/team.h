/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the training room: ranks that share the batches of a group, and how they stay in step. What one rank decides
 * by itself (a failure, a stop, an event's verdict) becomes the decision of all before any of them acts on it. */
#ifndef CNNSWEEP_TEAM_H
#define CNNSWEEP_TEAM_H

#include "cnnsweep/comm.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* NULL: one rank alone. All functions take that. */
typedef struct cs_team {
    const cs_comm *comm;
    const volatile sig_atomic_t *stop; /* this rank's; may be NULL */
    cs_status made;                    /* how this rank came by its part of the batch under way */
    /* What the last training step told, the same on every rank. */
    bool broken;   /* some rank has no part of the batch: the group cannot go on */
    bool stopping; /* some rank wants to stop */
    double *room;  /* for an error's text, or a number a rank, on its way */
} cs_team;

/* *out is NULL where `comm` is, or has one rank. */
CS_MUST_CHECK cs_status cs_team_open(const cs_comm *comm, const volatile sig_atomic_t *stop, cs_team **out);
void cs_team_close(cs_team *team);

bool cs_team_leads(const cs_team *team); /* rank 0, which tells of events */
int cs_team_rank(const cs_team *team);
int cs_team_size(const cs_team *team);

/* When one rank failed, all fail: each gets the error of the first that did (an interruption yields to any other) and
 * returns its code. Collective, except after CS_ERR_COMM, when this rank is out of step. */
CS_MUST_CHECK cs_status cs_team_agree(cs_team *team, cs_status mine);
/* Of rows that each rank has some of, `mine` of them here: those of the ranks before this one, and of all. Collective.
 */
CS_MUST_CHECK cs_status cs_team_place(cs_team *team, int64_t mine, int64_t *before, int64_t *all);
/* values [n] become their sums over the ranks. */
CS_MUST_CHECK cs_status cs_team_sum(cs_team *team, double *values, size_t n);

#endif
