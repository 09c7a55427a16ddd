/* SPDX-License-Identifier: Apache-2.0 */
/* Inside cuDNN's part: what its run-time compiler needs. */
#ifndef CNNSWEEP_ENGINE_CUDA_CUDNN_NVRTC_H
#define CNNSWEEP_ENGINE_CUDA_CUDNN_NVRTC_H

/* libnvrtc opens libnvrtc-builtins by its bare name, which nothing finds where CUDA lies in a folder of its own, as the
 * pip packages do. One that is loaded already it takes. */
void cu_load_nvrtc_builtins(void);

#endif
