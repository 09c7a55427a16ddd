/* SPDX-License-Identifier: Apache-2.0 */
/* The forward primitive of convolutions, and of products that are convolutions of one pixel. */
#ifndef CNNSWEEP_ONEDNN_FORWARD_PLAN_H
#define CNNSWEEP_ONEDNN_FORWARD_PLAN_H

#include "program.h"

/* The forward primitive of a convolution whose source and destination have their rows at dims[`rows_at`]. In
 * inference one that would not sum all rows alike is made for a single row. */
CS_MUST_CHECK cs_status od_forward_plan(od_node *node, od_conv *conv, int rows_at);

#endif
