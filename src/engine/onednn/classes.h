/* SPDX-License-Identifier: Apache-2.0 */
/* The table of operations. */
#ifndef CNNSWEEP_ONEDNN_CLASSES_H
#define CNNSWEEP_ONEDNN_CLASSES_H

#include "program.h"

/* The functions that run the operation. */
const od_op_class *od_class_of(const cs_op *op);

extern const od_op_class od_conv_class, od_depthwise_class, od_batch_norm_class, od_activation_class, od_pool_class,
    od_global_average_class, od_zero_pad_class, od_add_class, od_multiply_class, od_concatenate_class, od_reshape_class,
    od_scale_class, od_dropout_class, od_dense_class, od_guide_class;

#endif
