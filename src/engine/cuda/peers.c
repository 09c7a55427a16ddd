/* SPDX-License-Identifier: Apache-2.0 */
#include "peers.h"

#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"

#include <stdlib.h>
#include <unistd.h>

/* Each rank sends these values about its GPU to the others. GPU_INFO is their number. */
enum { HOST, BUS, INDEX, GPU_INFO };

/* Gathers the values of all ranks in all [size][GPU_INFO]. */
static cs_status gather_info(const cu_device *device, const cs_comm *comm, double *all) {
    char host[256] = "";
    double *own = all + (size_t)comm->rank * GPU_INFO;
    (void)gethostname(host, sizeof host - 1);
    own[HOST] = cs_hash_name(host);
    own[BUS] = cs_hash_name(cu_device_bus_id(device));
    own[INDEX] = cu_device_index(device);
    return comm->sum_double(comm->context, all, (size_t)comm->size * GPU_INFO);
}

static bool share_a_gpu(const double *all, int a, int b) {
    const double *first = all + (size_t)a * GPU_INFO, *second = all + (size_t)b * GPU_INFO;
    return first[HOST] == second[HOST] && first[BUS] == second[BUS];
}

/* Finds the first two ranks that share a GPU. */
static bool find_sharing(const double *all, int size, int *first, int *second) {
    for (*second = 1; *second < size; ++*second)
        for (*first = 0; *first < *second; ++*first)
            if (share_a_gpu(all, *first, *second))
                return true;
    return false;
}

cs_status cu_peers_find(cu_device *device, const cs_comm *comm, cu_peers **out) {
    cs_status status;
    double *all = NULL;
    int first, second;
    *out = NULL;
    CS_TRY_GOTO(cs_alloc((size_t)comm->size * GPU_INFO, sizeof *all, "GPUs of ranks", &all), done);
    CS_TRY_GOTO(gather_info(device, comm, all), done);
    bool sharing = find_sharing(all, comm->size, &first, &second);
    if (!sharing)
        CS_TRY_GOTO(cu_peers_open(device, comm, out), done);
    if (comm->rank == 0 && sharing)
        cs_log(CS_LOG_INFO, "gradients: summed on the host (ranks %d and %d share GPU %.0f)", first, second,
               all[first * GPU_INFO + INDEX]);
    else if (comm->rank == 0)
        cs_log(CS_LOG_INFO, "gradients: %s over %d GPUs", cu_peers_name(), comm->size);
done:
    free(all);
    return status == CS_OK ? CS_OK : cs_context(CS_ERR_COMM, "ranks that share a batch");
}
