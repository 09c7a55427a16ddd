/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"
#include "peers.h"
#include "runtime.h"

#include "cnnsweep/memory.h"

#include <nccl.h>
#include <stdlib.h>
#include <string.h>

struct cu_peers {
    cu_device *device;
    ncclComm_t comm;     /* NULL after the sums were aborted */
    cudaStream_t stream; /* stream of the sums */
    cudaEvent_t made, summed;
};

static cs_status check(ncclResult_t result, ncclComm_t comm, const char *call, const char *file, int line) {
    if (result == ncclSuccess)
        return CS_OK;
    const char *more = ncclGetLastError(comm);
    return cs_fail_at(file, line, CS_ERR_COMM, "%.*s: %s%s%s", (int)strcspn(call, "("), call,
                      ncclGetErrorString(result), more && *more ? ": " : "", more ? more : "");
}
#define NC(comm, call) check((call), comm, #call, __FILE__, __LINE__)

const char *cu_peers_name(void) {
    return "NCCL";
}

void cu_peers_abort(cu_peers *peers) {
    if (!peers->comm)
        return;
    cu_device_watch(peers->device, NULL, NULL);
    ncclCommAbort(peers->comm);
    peers->comm = NULL;
}

/* Aborts the sums after an NCCL error. Otherwise the caller would wait for ever for a sum if another rank has ended. */
static cs_status check_async_error(void *context) {
    cu_peers *peers = context;
    ncclResult_t state = ncclSuccess;
    CS_TRY(NC(peers->comm, ncclCommGetAsyncError(peers->comm, &state)));
    if (state == ncclSuccess || state == ncclInProgress)
        return CS_OK;
    cs_status status = check(state, peers->comm, "a sum over ranks", __FILE__, __LINE__);
    cu_peers_abort(peers);
    return status;
}

/* Sends rank 0's id to all ranks by a sum. The last element says whether rank 0 could make an id. */
static cs_status agree_on_id(const cs_comm *comm, ncclUniqueId *id) {
    enum { BYTES = sizeof *id };
    unsigned char bytes[BYTES] = {0};
    double all[BYTES + 1] = {0};
    cs_status status = CS_OK;
    if (comm->rank == 0) {
        status = NC(NULL, ncclGetUniqueId(id));
        memcpy(bytes, id, BYTES);
        for (int i = 0; i < BYTES; i++)
            all[i] = bytes[i];
        all[BYTES] = status == CS_OK;
    }
    CS_TRY(comm->sum_double(comm->context, all, BYTES + 1));
    CS_TRY(status);
    if (all[BYTES] == 0)
        return cs_fail(CS_ERR_COMM, "rank 0 could not open NCCL");
    for (int i = 0; i < BYTES; i++)
        bytes[i] = (unsigned char)all[i];
    memcpy(id, bytes, BYTES);
    return CS_OK;
}

/* The stream of the sums gets the highest priority, because other work waits for the sums. */
static cs_status open_stream(cu_peers *peers) {
    int least, greatest;
    CS_TRY(CU(cudaDeviceGetStreamPriorityRange(&least, &greatest)));
    CS_TRY(CU(cudaStreamCreateWithPriority(&peers->stream, cudaStreamNonBlocking, greatest)));
    CS_TRY(CU(cudaEventCreateWithFlags(&peers->made, cudaEventDisableTiming)));
    return CU(cudaEventCreateWithFlags(&peers->summed, cudaEventDisableTiming));
}

cs_status cu_peers_open(cu_device *device, const cs_comm *comm, cu_peers **out) {
    cu_peers *peers = NULL;
    ncclUniqueId id = {{0}};
    cs_status status;
    *out = NULL;
    CS_TRY_GOTO(agree_on_id(comm, &id), failed);
    CS_TRY_GOTO(cs_alloc(1, sizeof *peers, "the other ranks' GPUs", &peers), failed);
    peers->device = device;
    CS_TRY_GOTO(open_stream(peers), failed);
    CS_TRY_GOTO(NC(NULL, ncclCommInitRank(&peers->comm, comm->size, id, comm->rank)), failed);
    cu_device_watch(device, check_async_error, peers);
    *out = peers;
    return CS_OK;
failed:
    if (peers)
        peers->comm = NULL;
    cu_peers_close(peers);
    return cs_context(CS_ERR_COMM, "NCCL over %d GPUs", comm->size);
}

void cu_peers_close(cu_peers *peers) {
    if (!peers)
        return;
    if (peers->comm) {
        cu_device_watch(peers->device, NULL, NULL);
        cudaStreamSynchronize(peers->stream);
        ncclCommDestroy(peers->comm);
    }
    if (peers->summed)
        cudaEventDestroy(peers->summed);
    if (peers->made)
        cudaEventDestroy(peers->made);
    if (peers->stream)
        cudaStreamDestroy(peers->stream);
    free(peers);
}

static cs_status enqueue(cu_peers *peers, float *values, size_t n, float weight) {
    CS_TRY(CU(cudaEventRecord(peers->made, cu_device_stream(peers->device))));
    CS_TRY(CU(cudaStreamWaitEvent(peers->stream, peers->made, 0)));
    if (weight > 0)
        cu_k_weigh(peers->stream, n, weight, values);
    else
        CS_TRY(CU(cudaMemsetAsync(values, 0, n * sizeof *values, peers->stream)));
    CS_TRY(cu_check_launches(peers->device, "weights of ranks"));
    return NC(peers->comm, ncclAllReduce(values, values, n, ncclFloat, ncclSum, peers->comm, peers->stream));
}

cs_status cu_peers_sum(cu_peers *peers, float *values, size_t n, float weight) {
    if (!peers->comm)
        return cs_fail(CS_ERR_COMM, "sums over the ranks' GPUs were given up");
    cs_status status = enqueue(peers, values, n, weight);
    return status == CS_OK ? CS_OK : cs_context(CS_ERR_COMM, "the sum of %zu values over the ranks' GPUs", n);
}

cs_status cu_peers_wait_sums(cu_peers *peers) {
    CS_TRY(CU(cudaEventRecord(peers->summed, peers->stream)));
    return CU(cudaStreamWaitEvent(cu_device_stream(peers->device), peers->summed, 0));
}
