/* SPDX-License-Identifier: Apache-2.0 */
/* Which of several plans of a convolution is the fastest, by the clock of the GPU. */
#ifndef CNNSWEEP_ENGINE_CUDA_CUDNN_TUNE_H
#define CNNSWEEP_ENGINE_CUDA_CUDNN_TUNE_H

#include "cudnn_graph.h"

/* Runs each of `n` on buffers of the real size: once, then timed, and takes the median. One that cannot run (its
 * workspace does not fit) is out; all of them out is a failure. *best: index of the fastest. */
CS_MUST_CHECK cs_status cu_tune(cu_device *device, const cu_target *target, const cu_conv_spec *spec, bool fused,
                                cu_plan *const *plans, int n, int *best);

#endif
