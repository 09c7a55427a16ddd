/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the network of a trial, without its weights. */
#ifndef CNNSWEEP_REPORT_NETWORK_H
#define CNNSWEEP_REPORT_NETWORK_H

#include "cnnsweep/graph.h"
#include "results/collection.h"

/* Builds the network of a trial, frozen as it was trained. NULL: it cannot be built here, or the number of classes is
 * not known (0). */
cs_graph *cs_report_network(const cs_collection *collection, int trial, int classes);

#endif
