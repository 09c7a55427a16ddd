/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the training room: where a trial's network comes from, and how it is fed. */
#ifndef CNNSWEEP_NETWORK_H
#define CNNSWEEP_NETWORK_H

#include "cnnsweep/loader.h"
#include "cnnsweep/train.h"

/* How a split's images become the network's input: size, batch and preprocessing; in stored order, not augmented. */
cs_loader_config cs_trial_loader(const cs_trial_config *trial, const cs_graph *graph, cs_split split);

/* cs_trial_network; where `like` is not NULL the values are copied from there: an untrained network's of a trial with
 * the same layers (the head's too), weights and seed. */
CS_MUST_CHECK cs_status cs_trial_network_like(const cs_trial_config *trial, int classes, const cs_params *like,
                                              cs_graph **graph, cs_params **params);

#endif
