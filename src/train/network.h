/* Inside the training room: where a trial's network is cut, and how it is fed. */
#ifndef CNNSWEEP_NETWORK_H
#define CNNSWEEP_NETWORK_H

#include "cnnsweep/loader.h"
#include "cnnsweep/train.h"

/* First layer of the trial's own tail; the layers before it are the frozen trunk, which trials may share. Never between
 * two layers that an engine may fuse (a convolution and its batch norm), so that a trunk gives the same numbers however
 * many trials hang off it; and only where a single value passes, not inside a residual block. 0 when nothing before it
 * has parameters: such a trunk would save nothing. */
int cs_trial_cut(const cs_graph *graph);

/* How a split's images become the network's input: size, batch and preprocessing; in stored order, not augmented. */
cs_loader_config cs_trial_loader(const cs_trial_config *trial, const cs_graph *graph, cs_split split);

#endif
