/* SPDX-License-Identifier: Apache-2.0 */
/* The frozen trunk of a group: a chain of inference programs. Each of them runs from one layer where a tail begins to
 * the next. */
#ifndef CNNSWEEP_TRUNK_H
#define CNNSWEEP_TRUNK_H

#include "cache.h"
#include "feed.h"

typedef struct cs_trunk cs_trunk;

/* `cuts` [n] are layer indexes > 0, ascending and distinct; with n = 0 the trunk does nothing. `graph` is borrowed.
 * Only one value crosses each cut (cs_trial_cut), so that the output of a link is the input of the next. `cache` is
 * borrowed: for batches with cache rows, it takes the output of the first link. */
CS_MUST_CHECK cs_status cs_trunk_build(cs_engine *engine, const cs_graph *graph, const cs_params *params,
                                       const int *cuts, int n, int batch, const cs_trunk_cache *cache, cs_trunk **out);
void cs_trunk_free(cs_trunk *trunk); /* NULL-safe; call it after the programs that read from it are freed */

/* Runs the chain up to `cut`. The first link runs only on the batch's missing rows, and adds them to the cache. */
CS_MUST_CHECK cs_status cs_trunk_forward(cs_trunk *trunk, int cut, const cs_feed *feed, const cs_batch *batch);

/* The program that ends at `cut`; NULL for 0. */
cs_program *cs_trunk_at(const cs_trunk *trunk, int cut);
/* The memory in bytes of the links up to `cut`. */
size_t cs_trunk_memory(const cs_trunk *trunk, int cut);

#endif
