/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: `ranks_per_trial` ranks that train every batch of a trial together. The first of them, the
 * leader, talks to the coordinator for all. */
#ifndef CNNSWEEP_RANK_GROUP_H
#define CNNSWEEP_RANK_GROUP_H

#include "cnnsweep/sweep.h"

typedef struct cs_rank_group cs_rank_group;

/* Cuts the ranks into groups of `size` that follow one another; this rank is in one of them. Every rank calls it.
 * CS_ERR_ARG when the number of ranks is no multiple of `size`. */
CS_MUST_CHECK cs_status cs_rank_group_open(const cs_ranks *ranks, int size, cs_rank_group **out);
/* NULL-safe; nothing may be under way, unless the process is about to end. */
void cs_rank_group_close(cs_rank_group *group);
bool cs_rank_group_leads(const cs_rank_group *group);
/* NULL for a group of one. What is started on it goes on in a thread of its own, while this one computes. */
const cs_comm *cs_rank_group_comm(const cs_rank_group *group);
/* Every rank of the group gets the leader's bytes, napping until they come. */
CS_MUST_CHECK cs_status cs_rank_group_share(cs_rank_group *group, void *bytes, size_t size);

#endif
