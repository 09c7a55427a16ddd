/* SPDX-License-Identifier: Apache-2.0 */
/* The forward primitive of convolutions, and of products that run as convolutions of one pixel. */
#ifndef CNNSWEEP_ONEDNN_FORWARD_PLAN_H
#define CNNSWEEP_ONEDNN_FORWARD_PLAN_H

#include "program.h"

/* Creates the forward primitive of a convolution. dims[`rows_at`] of its source and destination is the number of rows.
 * In inference the primitive is created for a single row if it would not sum all rows in the same order. */
CS_MUST_CHECK cs_status od_forward_plan(od_node *node, od_conv *conv, int rows_at);

#endif
