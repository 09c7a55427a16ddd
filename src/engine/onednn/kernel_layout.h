/* SPDX-License-Identifier: Apache-2.0 */
/* The layout of kernels on the host and in oneDNN's memory. */
#ifndef CNNSWEEP_ONEDNN_KERNEL_LAYOUT_H
#define CNNSWEEP_ONEDNN_KERNEL_LAYOUT_H

#include "program.h"

/* Describes Keras' layout of the operation's kernel in oneDNN's terms, with the added input channels. */
od_desc od_plain_kernel_desc(const od_node *node);
/* These copy between Keras' kernel [..,I,O] and the same kernel with zeros for the added input channels
 * [..,inputs,O]. */
void od_pad_kernel(const cs_param *kernel, int inputs, const float *plain, float *padded);
void od_unpad_kernel(const cs_param *kernel, int inputs, const float *padded, float *plain);

#endif
