/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a batch norm that uses the statistics of the batch. */
#ifndef CNNSWEEP_ONEDNN_NORM_H
#define CNNSWEEP_ONEDNN_NORM_H

#include "program.h"

cs_status od_norm_moments(od_node *node, const od_rows *rows);
cs_status od_norm_apply(od_node *node, const od_rows *rows);
cs_status od_norm_reduce(od_node *node, const od_rows *rows);
cs_status od_norm_backward(od_node *node, const od_rows *rows);
cs_status od_norm_finish_moments(od_node *node, int n);
cs_status od_norm_finish_reduce(od_node *node, int n);

#endif
