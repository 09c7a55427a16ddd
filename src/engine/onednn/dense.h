/* SPDX-License-Identifier: Apache-2.0 */
/* Products of a matrix of rows and a kernel. */
#ifndef CNNSWEEP_ONEDNN_DENSE_H
#define CNNSWEEP_ONEDNN_DENSE_H

#include "program.h"

/* Creates the primitives of a dense layer or of a convolution of one pixel: both multiply [rows, C] by a kernel. */
CS_MUST_CHECK cs_status od_product_plan(od_node *node);

#endif
