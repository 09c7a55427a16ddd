/* SPDX-License-Identifier: Apache-2.0 */
/* Sums over ranks that share a batch, if each rank has a GPU of its own.
 *
 * nccl.c implements this with NCCL, and tests/engine/cuda_host/nccl.c on the host with cs_comm. */
#ifndef CNNSWEEP_ENGINE_CUDA_PEERS_H
#define CNNSWEEP_ENGINE_CUDA_PEERS_H

#include "device.h"

typedef struct cu_peers cu_peers;

/* peers.c. A collective call. *out stays NULL if ranks share a GPU, which NCCL does not support. Rank 0 logs at info
 * level how gradients are summed. `comm` is borrowed. */
CS_MUST_CHECK cs_status cu_peers_find(cu_device *device, const cs_comm *comm, cu_peers **out);

/* A collective call. Failures of the functions below are CS_ERR_COMM. */
CS_MUST_CHECK cs_status cu_peers_open(cu_device *device, const cs_comm *comm, cu_peers **out);
void cu_peers_close(cu_peers *peers); /* NULL-safe */
/* Replaces values [n] in device memory by the sum over ranks of weight*values. With a weight of 0 this rank adds
 * nothing, whatever its values are. The sum waits for the work enqueued so far, and runs concurrently with later work.
 * It must not be captured: all ranks would have to capture it or none, and a rank without rows replays no CUDA
 * graph. */
CS_MUST_CHECK cs_status cu_peers_sum(cu_peers *peers, float *values, size_t n, float weight);
/* Work that is enqueued after this call waits for the sums. */
CS_MUST_CHECK cs_status cu_peers_wait_sums(cu_peers *peers);
/* Aborts running sums. All later sums fail. */
void cu_peers_abort(cu_peers *peers);
const char *cu_peers_name(void); /* "NCCL" */

#endif
