/* SPDX-License-Identifier: Apache-2.0 */
/* Loads a library that cuDNN's run-time compiler needs. */
#ifndef CNNSWEEP_ENGINE_CUDA_CUDNN_NVRTC_H
#define CNNSWEEP_ENGINE_CUDA_CUDNN_NVRTC_H

/* libnvrtc opens libnvrtc-builtins by its file name alone. The dynamic linker does not find it if CUDA is in a folder
 * of its own, as in the pip packages, but uses a library that is loaded already. This function loads it. */
void cu_load_nvrtc_builtins(void);

#endif
