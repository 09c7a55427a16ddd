/* Inside the training room: how a trial's network is fed. */
#ifndef CNNSWEEP_NETWORK_H
#define CNNSWEEP_NETWORK_H

#include "cnnsweep/loader.h"
#include "cnnsweep/train.h"

/* How a split's images become the network's input: size, batch and preprocessing; in stored order, not augmented. */
cs_loader_config cs_trial_loader(const cs_trial_config *trial, const cs_graph *graph, cs_split split);

#endif
