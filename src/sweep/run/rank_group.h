/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: a rank group, `ranks_per_trial` ranks that train every batch of a trial together. The first of
 * them, the leader, communicates with the coordinator for all. */
#ifndef CNNSWEEP_RANK_GROUP_H
#define CNNSWEEP_RANK_GROUP_H

#include "cnnsweep/sweep.h"

typedef struct cs_rank_group cs_rank_group;

/* Divides the ranks into groups of `size` consecutive ranks, and makes the one that this rank is in. Every rank calls
 * it. CS_ERR_ARG: the number of ranks is not a multiple of `size`. */
CS_MUST_CHECK cs_status cs_rank_group_open(const cs_ranks *ranks, int size, cs_rank_group **out);
/* NULL-safe. No sum may be in progress, unless the process is about to end. */
void cs_rank_group_close(cs_rank_group *group);
bool cs_rank_group_leads(const cs_rank_group *group);
/* The communication of the group; NULL for a group of one. A sum that is started on it goes on in a thread of its own
 * while the caller computes. */
const cs_comm *cs_rank_group_comm(const cs_rank_group *group);
/* Copies the leader's bytes to every rank of the group. The ranks sleep until they arrive. */
CS_MUST_CHECK cs_status cs_rank_group_share(cs_rank_group *group, void *bytes, size_t size);

#endif
