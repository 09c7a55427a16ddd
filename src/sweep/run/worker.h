/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the loop in which a rank asks for work and trains it. */
#ifndef CNNSWEEP_WORKER_H
#define CNNSWEEP_WORKER_H

#include "cnnsweep/engine.h"
#include "queue.h"
#include "rank_group.h"

/* `folder` is the results folder, for weights and checkpoints; `node_ranks` ranks share the machine. Trains groups of
 * trials until none is left, or until `stop` is set by a signal or by rank 0. Reports every failure to the coordinator,
 * and leaves with a last message. In a rank group only the leader communicates with the coordinator; the others train
 * what the leader was given. The only error is CS_ERR_COMM: the coordinator does not answer, or the rank group is out
 * of step. */
CS_MUST_CHECK cs_status cs_worker_run(const cs_job *job, const char *folder, cs_engine *engine, int node_ranks,
                                      cs_queue *queue, cs_rank_group *group, volatile sig_atomic_t *stop);

#endif
