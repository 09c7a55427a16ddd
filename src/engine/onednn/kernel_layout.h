/* SPDX-License-Identifier: Apache-2.0 */
/* How kernels lie on the host, and in memory for oneDNN. */
#ifndef CNNSWEEP_ONEDNN_KERNEL_LAYOUT_H
#define CNNSWEEP_ONEDNN_KERNEL_LAYOUT_H

#include "program.h"

/* Keras' layout of the operation's kernel in oneDNN's terms, with its added input channels. */
od_desc od_plain_kernel_desc(const od_node *node);
/* Between Keras' kernel [..,I,O] and the same with zeros for the added input channels [..,inputs,O]. */
void od_pad_kernel(const cs_param *kernel, int inputs, const float *plain, float *padded);
void od_unpad_kernel(const cs_param *kernel, int inputs, const float *padded, float *plain);

#endif
