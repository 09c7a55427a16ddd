/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the training room: how the ranks of a team bring a training step of one tail together.
 *
 * Rank r has n_r of the batch's N rows and the gradients g_r of their mean loss; the batch's are sum(n_r/N g_r). They
 * go out in buckets of about 1 MiB in the order in which backward completes them, while it goes on with what lies
 * below; behind them the moving statistics of batch norms (weighted in the same way, so that all ranks hold the same).
 * At last come the step's sums, and what every rank must know of the others: a failure, a stop.
 *
 * The buckets go the engine's way where it has one to all ranks (cs_engine_join), else through the host; then the last
 * of them, the statistics and the rest are one message. */
#ifndef CNNSWEEP_EXCHANGE_H
#define CNNSWEEP_EXCHANGE_H

#include "cnnsweep/engine.h"
#include "cnnsweep/loader.h"
#include "cnnsweep/metrics.h"
#include "team.h"

typedef struct cs_exchange cs_exchange;
/* Of a TRAIN program of `engine` that has its first parameters, `params`; all borrowed. With `sync_bn` its batch norms
 * are told to take the statistics of all ranks. Collective: CS_ERR_UNSUPPORTED where ranks have other parameters or
 * layouts. */
CS_MUST_CHECK cs_status cs_exchange_open(cs_team *team, cs_engine *engine, cs_program *program,
                                         const cs_segment *segment, const cs_params *params, bool sync_bn,
                                         cs_exchange **out);
void cs_exchange_close(cs_exchange *exchange); /* NULL-safe */

/* Must a rank run its program even on no rows? */
bool cs_exchange_needs_all(const cs_exchange *exchange);
/* Before the program runs on its part of the batch. */
void cs_exchange_begin(cs_exchange *exchange, const cs_batch *batch);
/* After backward, or after what came in its place where this rank has no rows or failed: `mine` says how it went. Then
 * the program has the whole batch's gradients, and *sums, this rank's, are those of all. Fails on all ranks when one
 * failed, or has no part of the batch (team->broken). Allocates nothing. */
CS_MUST_CHECK cs_status cs_exchange_end(cs_exchange *exchange, cs_status mine, cs_tally *sums);

#endif
