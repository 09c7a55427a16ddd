/* SPDX-License-Identifier: Apache-2.0 */
/* The frozen trunk of a group: a chain of inference programs, one from each place where a tail begins to the next. */
#ifndef CNNSWEEP_TRUNK_H
#define CNNSWEEP_TRUNK_H

#include "cache.h"
#include "feed.h"

typedef struct cs_trunk cs_trunk;

/* `cuts` [n] ascending and distinct, layer indexes > 0; n = 0 is a trunk that does nothing. `graph` is borrowed.
 * One value alone goes over each cut (cs_trial_cut), so the chain's links fit together. `cache` is borrowed:
 * what the first link gives is kept there, where batches come with slots. */
CS_MUST_CHECK cs_status cs_trunk_build(cs_engine *engine, const cs_graph *graph, const cs_params *params,
                                       const int *cuts, int n, int batch, const cs_trunk_cache *cache, cs_trunk **out);
void cs_trunk_free(cs_trunk *trunk); /* NULL-safe; after the programs that hang off it */

/* Runs the chain as far as `cut`; the first link on the batch's missing rows only, which it then keeps. */
CS_MUST_CHECK cs_status cs_trunk_forward(cs_trunk *trunk, int cut, const cs_feed *feed, const cs_batch *batch);

/* The program that ends at `cut`; NULL for 0. */
cs_program *cs_trunk_at(const cs_trunk *trunk, int cut);
/* Bytes of the links up to `cut`. */
size_t cs_trunk_memory(const cs_trunk *trunk, int cut);

#endif
