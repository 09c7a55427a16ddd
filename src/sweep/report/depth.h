/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: how deep each value of fine_tune goes, for the chart of a metric against depth. */
#ifndef CNNSWEEP_DEPTH_H
#define CNNSWEEP_DEPTH_H

#include "cnnsweep/page.h"
#include "page_memory.h"
#include "results/collection.h"

/* If the swept option is fine_tune, and all trials have one network, sets its depth and blocks. */
CS_MUST_CHECK cs_status cs_page_depth(cs_page_memory *memory, const cs_collection *collection, int swept, int classes,
                                      cs_page_option *option);

#endif
