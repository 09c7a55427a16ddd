/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: how a rank talks to the coordinator. Rank 0 calls it; the others send messages, which a
 * service thread of rank 0 answers while its main thread trains. */
#ifndef CNNSWEEP_QUEUE_H
#define CNNSWEEP_QUEUE_H

#include "coordinator.h"

typedef struct cs_queue cs_queue;
/* `coordinator` is rank 0's, NULL elsewhere; borrowed. Of every `ranks_per_trial` ranks the first talks. Starts the
 * service thread where there are others: it answers them, and tells them all when rank 0's `stop` is set. */
CS_MUST_CHECK cs_status cs_queue_open(const cs_ranks *ranks, int ranks_per_trial, cs_coordinator *coordinator,
                                      const volatile sig_atomic_t *stop, cs_queue **out);
/* Has rank 0 told this rank to stop? Costs about a microsecond: for every training step. */
bool cs_queue_stopped(cs_queue *queue);
/* Rank 0: waits until every other one that talks has sent LEAVING. NULL-safe. */
void cs_queue_close(cs_queue *queue);
/* Delivers a message and waits for the answer. `test`: the evaluation that goes with FINISHED, or NULL. */
CS_MUST_CHECK cs_status cs_queue_tell(cs_queue *queue, cs_message *message, const cs_evaluation *test,
                                      cs_answer *answer);

#endif
