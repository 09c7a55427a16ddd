/* SPDX-License-Identifier: Apache-2.0 */
/* peers.h on the host: sums over the ranks' GPUs with cs_comm. The sums are computed in cu_peers_wait_sums, so a caller
 * that does not wait sees this rank's own values. */
#include "kernels.h"
#include "peers.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

typedef struct sum {
    float *to, *values;
    size_t n, capacity;
} sum;

struct cu_peers {
    const cs_comm *comm; /* NULL after the sums were aborted */
    sum *sums;           /* entries keep their memory, so that a step allocates nothing */
    size_t n, capacity;
};

const char *cu_peers_name(void) {
    return "the host's NCCL";
}

cs_status cu_peers_open(cu_device *device, const cs_comm *comm, cu_peers **out) {
    (void)device;
    CS_TRY(cs_alloc(1, sizeof **out, "the other ranks' GPUs", out));
    (*out)->comm = comm;
    return CS_OK;
}

void cu_peers_close(cu_peers *peers) {
    if (!peers)
        return;
    for (size_t i = 0; i < peers->capacity; i++)
        free(peers->sums[i].values);
    free(peers->sums);
    free(peers);
}

void cu_peers_abort(cu_peers *peers) {
    peers->comm = NULL;
    peers->n = 0;
}

cs_status cu_peers_sum(cu_peers *peers, float *values, size_t n, float weight) {
    const cs_comm *comm = peers->comm;
    if (!comm)
        return cs_fail(CS_ERR_COMM, "sums over the ranks' GPUs were given up");
    CS_TRY(cs_grow(&peers->sums, &peers->capacity, peers->n + 1, sizeof *peers->sums, "sums"));
    sum *next = &peers->sums[peers->n++];
    CS_TRY(cs_grow(&next->values, &next->capacity, n, sizeof *next->values, "a sum"));
    memcpy(next->values, values, n * sizeof *values);
    if (weight > 0)
        cu_k_weigh(NULL, n, weight, next->values);
    else
        memset(next->values, 0, n * sizeof *values);
    next->to = values;
    next->n = n;
    return comm->sum(comm->context, next->values, n);
}

cs_status cu_peers_wait_sums(cu_peers *peers) {
    for (size_t i = 0; i < peers->n; i++)
        memcpy(peers->sums[i].to, peers->sums[i].values, peers->sums[i].n * sizeof(float));
    peers->n = 0;
    return CS_OK;
}
