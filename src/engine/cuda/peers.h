/* SPDX-License-Identifier: Apache-2.0 */
/* The GPUs of ranks that share a batch, where each rank has one of its own, and sums over them.
 *
 * nccl.c is NCCL's; tests/engine/cuda_host/nccl.c does the same through cs_comm, on the host. */
#ifndef CNNSWEEP_ENGINE_CUDA_PEERS_H
#define CNNSWEEP_ENGINE_CUDA_PEERS_H

#include "device.h"

typedef struct cu_peers cu_peers;

/* peers.c. Collective. *out stays NULL where ranks share a GPU, which NCCL refuses. Rank 0 logs at info level what
 * becomes of gradients. `comm` is borrowed. */
CS_MUST_CHECK cs_status cu_peers_find(cu_device *device, const cs_comm *comm, cu_peers **out);

/* Collective. Failures of what follows are CS_ERR_COMM. */
CS_MUST_CHECK cs_status cu_peers_open(cu_device *device, const cs_comm *comm, cu_peers **out);
void cu_peers_close(cu_peers *peers); /* NULL-safe */
/* values [n] of device memory become the sum over ranks of weight*values; with a weight of 0 this rank's may be
 * anything. Behind the work enqueued so far, beside what comes next. Not to be recorded: whether a sum is must be the
 * same on all ranks, and a rank without rows plays nothing. */
CS_MUST_CHECK cs_status cu_peers_sum(cu_peers *peers, float *values, size_t n, float weight);
/* Work enqueued from now on comes behind the sums. */
CS_MUST_CHECK cs_status cu_peers_settle(cu_peers *peers);
/* What is under way is given up, and all that comes fails. */
void cu_peers_abandon(cu_peers *peers);
const char *cu_peers_name(void); /* "NCCL" */

#endif
