/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the loop in which a rank asks for work and trains it. */
#ifndef CNNSWEEP_WORKER_H
#define CNNSWEEP_WORKER_H

#include "cnnsweep/engine.h"
#include "queue.h"
#include "rank_group.h"

/* `folder` is that of the results, for weights and checkpoints; `node_ranks` share the machine. Trains groups of trials
 * until nothing is left or `stop` is set, by a signal or because rank 0 said so, and says goodbye to the coordinator,
 * which knows of every failure. In a rank group the leader alone talks to the coordinator, and the others train what it
 * was given. The only error is CS_ERR_COMM: the coordinator does not answer, or the group is out of step. */
CS_MUST_CHECK cs_status cs_worker_run(const cs_job *job, const char *folder, cs_engine *engine, int node_ranks,
                                      cs_queue *queue, cs_rank_group *group, volatile sig_atomic_t *stop);

#endif
