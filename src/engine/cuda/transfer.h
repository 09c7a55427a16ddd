/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of tensors and steps between the host and the device. */
#ifndef CNNSWEEP_CUDA_TRANSFER_H
#define CNNSWEEP_CUDA_TRANSFER_H

#include "program.h"

/* Tensors on the host are [n,H,W,C]. Floats are copied to and from device memory through the pinned staging buffer
 * `staging`. cu_staging_ready waits until the caller may fill the buffer, and cu_staging_send then copies it; cu_send
 * does both. cu_tensor_send_staging copies `count` values that are already in the buffer. */
CS_MUST_CHECK cs_status cu_staging_ready(cu_program *program, float **out);
CS_MUST_CHECK cs_status cu_staging_send(cu_program *program, float *to, size_t count);
CS_MUST_CHECK cs_status cu_send(cu_program *program, float *to, const float *from, size_t count);
CS_MUST_CHECK cs_status cu_fetch(cu_program *program, const float *from, size_t count); /* copies to program->staging */
CS_MUST_CHECK cs_status cu_tensor_send(cu_program *program, const cu_tensor *to, int n, const float *from);
CS_MUST_CHECK cs_status cu_tensor_send_staging(cu_program *program, const cu_tensor *to, size_t count);
CS_MUST_CHECK cs_status cu_tensor_fetch(cu_program *program, const cu_tensor *from, int n, float *to);
/* Waits until the step may be written and sets the members that do not depend on the caller. cu_upload_send then copies
 * it. */
CS_MUST_CHECK cs_status cu_upload_begin(cu_program *program, cu_upload *upload, int n);
CS_MUST_CHECK cs_status cu_upload_send(cu_program *program, cu_upload *upload);

#endif
