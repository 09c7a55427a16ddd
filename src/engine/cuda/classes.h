/* SPDX-License-Identifier: Apache-2.0 */
/* The table of operations. */
#ifndef CNNSWEEP_CUDA_CLASSES_H
#define CNNSWEEP_CUDA_CLASSES_H

#include "program.h"

/* The functions that run the operation. */
const cu_op_class *cu_class_of(const cs_op *op);

extern const cu_op_class cu_conv_class, cu_depthwise_class, cu_batch_norm_class, cu_activation_class, cu_max_pool_class,
    cu_average_pool_class, cu_global_average_class, cu_zero_pad_class, cu_add_class, cu_multiply_class,
    cu_concatenate_class, cu_reshape_class, cu_scale_class, cu_dropout_class, cu_guide_class;

#endif
