/* SPDX-License-Identifier: Apache-2.0 */
/* Floats and steps between the host and the device. */
#ifndef CNNSWEEP_CUDA_TRANSFER_H
#define CNNSWEEP_CUDA_TRANSFER_H

#include "program.h"

/* Tensors are sent and fetched as [n,H,W,C]; cu_tensor_send_staging sends `count` values that are in the buffer.
 * Floats go to device memory through the pinned buffer `staging`, and come back through it. cu_staging_ready waits
 * until the buffer may be filled; cu_staging_send then copies it. cu_send does both. */
CS_MUST_CHECK cs_status cu_staging_ready(cu_program *program, float **out);
CS_MUST_CHECK cs_status cu_staging_send(cu_program *program, float *to, size_t count);
CS_MUST_CHECK cs_status cu_send(cu_program *program, float *to, const float *from, size_t count);
CS_MUST_CHECK cs_status cu_fetch(cu_program *program, const float *from, size_t count); /* to program->staging */
CS_MUST_CHECK cs_status cu_tensor_send(cu_program *program, const cu_tensor *to, int n, const float *from);
CS_MUST_CHECK cs_status cu_tensor_send_staging(cu_program *program, const cu_tensor *to, size_t count);
CS_MUST_CHECK cs_status cu_tensor_fetch(cu_program *program, const cu_tensor *from, int n, float *to);
/* Waits until the step may be written and fills in what does not depend on the caller; then sends it. */
CS_MUST_CHECK cs_status cu_upload_begin(cu_program *program, cu_upload *upload, int n);
CS_MUST_CHECK cs_status cu_upload_send(cu_program *program, cu_upload *upload);

#endif
