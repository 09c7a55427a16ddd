/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: how a rank communicates with the coordinator. Rank 0 calls the coordinator directly. The other
 * ranks send messages, which a service thread of rank 0 answers while its main thread trains. */
#ifndef CNNSWEEP_QUEUE_H
#define CNNSWEEP_QUEUE_H

#include "coordinator.h"

typedef struct cs_queue cs_queue;
/* `coordinator` is borrowed, and NULL except on rank 0. Of each `ranks_per_trial` ranks only the first communicates. If
 * there are other ranks, rank 0 starts the service thread: it answers their messages, and announces a stop to them when
 * rank 0's `stop` is set. */
CS_MUST_CHECK cs_status cs_queue_open(const cs_ranks *ranks, int ranks_per_trial, cs_coordinator *coordinator,
                                      const volatile sig_atomic_t *stop, cs_queue **out);
/* True if rank 0 has announced a stop. Costs about a microsecond, so it can be called in every train step. */
bool cs_queue_stopped(cs_queue *queue);
/* Tells rank 0 how far the group is, without waiting for anything: if the last message has not left yet, this one is
 * dropped. */
void cs_queue_tell(cs_queue *queue, const cs_epoch_position *at);
/* On rank 0, waits until every other rank that communicates has sent LEAVING. NULL-safe. */
void cs_queue_close(cs_queue *queue);
/* Delivers a message and waits for the answer. `evaluations` [CS_SPLIT_COUNT] go with FINISHED, NULL for splits that
 * were not evaluated; for other messages NULL. */
CS_MUST_CHECK cs_status cs_queue_send(cs_queue *queue, cs_message *message, const cs_evaluation *const *evaluations,
                                      cs_answer *answer);

#endif
