/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the training room: how a trial's network is built, and how its input is loaded. */
#ifndef CNNSWEEP_NETWORK_H
#define CNNSWEEP_NETWORK_H

#include "cnnsweep/loader.h"
#include "cnnsweep/train.h"

/* The loader's configuration for a split: filter, size, batch and preprocessing of the network's input, or its
 * `standardization` (borrowed) if that is on; in stored order, not augmented. */
cs_loader_config cs_trial_loader(const cs_trial_config *trial, const cs_graph *graph,
                                 const cs_standardization *standardization, cs_split split);

/* Like cs_trial_network. If `like` is not NULL, its values are copied; it must be the untrained network of a trial with
 * the same layers (those of the head too), weights and seed. */
CS_MUST_CHECK cs_status cs_trial_network_like(const cs_trial_config *trial, int classes, const cs_params *like,
                                              cs_graph **graph, cs_params **params);

#endif
