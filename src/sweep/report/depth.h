/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: how deep each value of fine_tune goes, for the chart of a metric against depth. */
#ifndef CNNSWEEP_DEPTH_H
#define CNNSWEEP_DEPTH_H

#include "cnnsweep/job.h"
#include "cnnsweep/page.h"
#include "page_memory.h"

/* If fine_tune is the option and all trials have one architecture, sets the option's depth and blocks. */
CS_MUST_CHECK cs_status cs_page_depth(cs_page_memory *memory, const cs_job *job, int swept, int classes,
                                      cs_page_option *option);

#endif
