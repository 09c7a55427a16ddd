/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the training room: how the ranks of a team combine their gradients in a train step of one tail.
 *
 * Rank r has n_r of the batch's N rows and the gradients g_r of their mean loss; the gradients of the batch are
 * sum(n_r/N g_r). The ranks sum them in buckets of about 1 MiB, in the order in which backward completes them, while
 * backward continues with the layers below. After them come the moving statistics of batch norms, weighted in the same
 * way, so that all ranks hold the same values. The last values are the sums of the step, and flags that every rank must
 * know of the others: a failure, a stop.
 *
 * An engine that has an allreduce of its own to all ranks (cs_engine_join) sums the buckets with it. Otherwise they go
 * through the host; then the last bucket, the statistics and the step's values are one message. */
#ifndef CNNSWEEP_EXCHANGE_H
#define CNNSWEEP_EXCHANGE_H

#include "cnnsweep/engine.h"
#include "cnnsweep/loader.h"
#include "cnnsweep/metrics.h"
#include "team.h"

typedef struct cs_exchange cs_exchange;
/* Opens the exchange of a TRAIN program of `engine` that has loaded its initial parameters, `params`; all arguments are
 * borrowed. With `sync_bn` the program's batch norms take the statistics of all ranks. Collective; CS_ERR_UNSUPPORTED
 * if the ranks have different parameters or layouts. */
CS_MUST_CHECK cs_status cs_exchange_open(cs_team *team, cs_engine *engine, cs_program *program,
                                         const cs_segment *segment, const cs_params *params, bool sync_bn,
                                         cs_exchange **out);
void cs_exchange_close(cs_exchange *exchange); /* NULL-safe */

/* Must a rank run its program even if it has no rows? */
bool cs_exchange_needs_all(const cs_exchange *exchange);
/* Call it before the program runs on its part of the batch. */
void cs_exchange_begin(cs_exchange *exchange, const cs_batch *batch);
/* Call it after backward, or in its place if this rank has no rows or failed; `mine` is this rank's status. Afterwards
 * the program has the gradients of the whole batch, and *sums, which had this rank's sums, those of all ranks. Fails on
 * all ranks if one of them failed or could not load its part of the batch (team->broken). Allocates nothing. */
CS_MUST_CHECK cs_status cs_exchange_end(cs_exchange *exchange, cs_status mine, cs_tally *sums);

#endif
