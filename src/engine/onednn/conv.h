/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions. */
#ifndef CNNSWEEP_ONEDNN_CONV_H
#define CNNSWEEP_ONEDNN_CONV_H

#include "program.h"

/* May the convolution run as Winograd's F(4x4,3x3) (Lavin and Gray, arXiv:1509.09308)? It needs a quarter of the
 * multiplications, but its transforms cost more than they save with few channels or pixels. oneDNN 2.x has it for
 * AVX-512. */
bool od_takes_winograd(const od_program *program, const cs_op *op);

#endif
