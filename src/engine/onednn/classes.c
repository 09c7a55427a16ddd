/* SPDX-License-Identifier: Apache-2.0 */
#include "classes.h"

const od_op_class *od_class_of(const cs_op *op) {
    static const od_op_class *const classes[CS_OP_KIND_COUNT] = {
        [CS_OP_CONV] = &od_conv_class,
        [CS_OP_DEPTHWISE] = &od_depthwise_class,
        [CS_OP_BATCH_NORM] = &od_batch_norm_class,
        [CS_OP_ACTIVATION] = &od_activation_class,
        [CS_OP_MAX_POOL] = &od_pool_class,
        [CS_OP_AVERAGE_POOL] = &od_pool_class,
        [CS_OP_GLOBAL_AVERAGE] = &od_global_average_class,
        [CS_OP_ZERO_PAD] = &od_zero_pad_class,
        [CS_OP_ADD] = &od_add_class,
        [CS_OP_MULTIPLY] = &od_multiply_class,
        [CS_OP_CONCATENATE] = &od_concatenate_class,
        [CS_OP_RESHAPE] = &od_reshape_class,
        [CS_OP_SCALE] = &od_scale_class,
        [CS_OP_DROPOUT] = &od_dropout_class,
        [CS_OP_DENSE] = &od_dense_class,
        [CS_OP_GUIDE] = &od_guide_class,
    };
    return classes[op->kind];
}
