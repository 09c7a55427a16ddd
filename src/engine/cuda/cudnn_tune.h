/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the fastest of several plans of a convolution by timing them on the GPU. */
#ifndef CNNSWEEP_ENGINE_CUDA_CUDNN_TUNE_H
#define CNNSWEEP_ENGINE_CUDA_CUDNN_TUNE_H

#include "cudnn_graph.h"

/* Runs each of the `n` plans on buffers of the real size, first once and then several times, and takes the median time.
 * Skips plans that cannot run, for example because their workspace does not fit. Fails if no plan can run. *best: the
 * index of the fastest plan. */
CS_MUST_CHECK cs_status cu_tune(cu_device *device, const cu_target *target, const cu_conv_spec *spec, bool fused,
                                cu_plan *const *plans, int n, int *best);

#endif
