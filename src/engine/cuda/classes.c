/* SPDX-License-Identifier: Apache-2.0 */
#include "classes.h"

const cu_op_class *cu_class_of(const cs_op *op) {
    static const cu_op_class *const classes[CS_OP_KIND_COUNT] = {
        [CS_OP_CONV] = &cu_conv_class,
        [CS_OP_DEPTHWISE] = &cu_depthwise_class,
        [CS_OP_BATCH_NORM] = &cu_batch_norm_class,
        [CS_OP_ACTIVATION] = &cu_activation_class,
        [CS_OP_MAX_POOL] = &cu_max_pool_class,
        [CS_OP_AVERAGE_POOL] = &cu_average_pool_class,
        [CS_OP_GLOBAL_AVERAGE] = &cu_global_average_class,
        [CS_OP_ZERO_PAD] = &cu_zero_pad_class,
        [CS_OP_ADD] = &cu_add_class,
        [CS_OP_MULTIPLY] = &cu_multiply_class,
        [CS_OP_CONCATENATE] = &cu_concatenate_class,
        [CS_OP_RESHAPE] = &cu_reshape_class,
        [CS_OP_SCALE] = &cu_scale_class,
        [CS_OP_DROPOUT] = &cu_dropout_class,
        [CS_OP_DENSE] = &cu_conv_class,
        [CS_OP_GUIDE] = &cu_guide_class,
    };
    return classes[op->kind];
}
