/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the training room: a team is the ranks that share the batches of a group. When one rank decides something by
 * itself (a failure, a stop, what a callback returned), all ranks take over the decision before any of them acts on it.
 */
#ifndef CNNSWEEP_TEAM_H
#define CNNSWEEP_TEAM_H

#include "cnnsweep/comm.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* A team of NULL means one rank alone; all functions accept it. */
typedef struct cs_team {
    const cs_comm *comm;
    const volatile sig_atomic_t *stop; /* this rank's flag; may be NULL */
    cs_status prepared;                /* this rank's status of loading its part of the current batch */
    /* What the last train step found, the same on every rank. */
    bool broken;    /* some rank could not load its part of the batch: the group cannot continue */
    bool stopping;  /* some rank was asked to stop */
    double *buffer; /* to exchange the bytes of an error, or one number for each rank */
} cs_team;

/* *out is NULL if `comm` is NULL or has one rank. */
CS_MUST_CHECK cs_status cs_team_open(const cs_comm *comm, const volatile sig_atomic_t *stop, cs_team **out);
void cs_team_close(cs_team *team);

bool cs_team_leads(const cs_team *team); /* is this rank 0, which calls the callbacks? */
int cs_team_rank(const cs_team *team);
int cs_team_size(const cs_team *team);

/* If one rank failed, all fail: each rank gets the error of the first one that failed, preferring any error to an
 * interruption, and returns its code. Collective, except with CS_ERR_COMM, after which this rank is out of step. */
CS_MUST_CHECK cs_status cs_team_agree(cs_team *team, cs_status mine);
/* Replaces values [n] by their sums over the ranks. Collective. */
CS_MUST_CHECK cs_status cs_team_sum(cs_team *team, double *values, size_t n);

#endif
