/* SPDX-License-Identifier: Apache-2.0 */
/* For sched_getaffinity, the cores that a process may run on, which POSIX does not have. */
#define _GNU_SOURCE
#include "busy_cores.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "ranks_impl.h"

#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct cs_ranks {
    int rank, size;
    int node_ranks, node_rank; /* the number of ranks on this node, and the index of this one */
    int node_cores;            /* how many cores they may run on, all together */
    int own_cores;
    cpu_set_t cores; /* the node_cores */
    int busy_cores;  /* how many of them other programs use; 0 until measured */
    int threads;     /* chosen where neither the job nor OMP_NUM_THREADS sets it; 0: not yet */
    bool mpi;        /* MPI is initialised */
};

void cs_ranks_sleep(void) {
    const struct timespec interval = {.tv_nsec = 200000};
    nanosleep(&interval, NULL);
}

cs_status cs_ranks_wait(MPI_Request *request, double seconds, const char *what) {
    double deadline = cs_now() + seconds;
    for (;;) {
        int done = 0;
        MPI_Test(request, &done, MPI_STATUS_IGNORE);
        if (done)
            return CS_OK;
        if (seconds > 0 && cs_now() > deadline)
            return cs_hint(cs_fail(CS_ERR_COMM, "%s: no answer for %.0f s", what, seconds),
                           "another rank hangs or is gone");
        cs_ranks_sleep();
    }
}

/* True if an environment variable is set that each process gets from Open MPI's mpirun, from a PMIx launcher (srun
 * --mpi=pmix) or from a PMI one. */
static bool launched(void) {
    return getenv("OMPI_COMM_WORLD_SIZE") || getenv("PMIX_RANK") || getenv("PMI_RANK");
}

static int count_cores(const unsigned char *mask, size_t size) {
    int n = 0;
    for (size_t i = 0; i < size; i++)
        for (unsigned bits = mask[i]; bits; bits &= bits - 1)
            n++;
    return n;
}

/* Ranks may be bound to cores of their own, or all may run on the same cores. The union over the ranks of the node is
 * right for both. */
static void count_node(cs_ranks *ranks) {
    cpu_set_t own, all;
    if (sched_getaffinity(0, sizeof own, &own) != 0) {
        ranks->own_cores = ranks->node_cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
        CPU_ZERO(&own);
    }
    all = own;
    ranks->node_ranks = 1;
    if (ranks->mpi) {
        MPI_Comm node;
        MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
        MPI_Comm_size(node, &ranks->node_ranks);
        MPI_Comm_rank(node, &ranks->node_rank);
        MPI_Allreduce(&own, &all, (int)sizeof own, MPI_BYTE, MPI_BOR, node);
        MPI_Comm_free(&node);
    }
    ranks->cores = all;
    if (ranks->own_cores == 0) {
        ranks->own_cores = count_cores((const unsigned char *)&own, sizeof own);
        ranks->node_cores = count_cores((const unsigned char *)&all, sizeof all);
    }
}

static cs_status start_mpi(cs_ranks *ranks) {
    int provided;
    MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &provided);
    ranks->mpi = true;
    MPI_Comm_rank(MPI_COMM_WORLD, &ranks->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks->size);
    if (provided < MPI_THREAD_MULTIPLE)
        return cs_hint(cs_fail(CS_ERR_UNSUPPORTED, "this MPI gives thread level %d, not MPI_THREAD_MULTIPLE", provided),
                       "use Open MPI 4 or newer");
    return CS_OK;
}

cs_status cs_ranks_open(cs_ranks **out) {
    cs_ranks *ranks = NULL;
    CS_TRY(cs_alloc(1, sizeof *ranks, "ranks", &ranks));
    ranks->size = 1;
    cs_status status = launched() ? start_mpi(ranks) : CS_OK;
    if (status != CS_OK) {
        cs_ranks_close(ranks);
        return status;
    }
    count_node(ranks);
    *out = ranks;
    return CS_OK;
}

void cs_ranks_abort(const cs_ranks *ranks) {
    if (ranks && ranks->mpi)
        MPI_Abort(MPI_COMM_WORLD, 1);
}

void cs_ranks_close(cs_ranks *ranks) {
    if (!ranks)
        return;
    if (ranks->mpi)
        MPI_Finalize();
    free(ranks);
}

int cs_ranks_rank(const cs_ranks *ranks) {
    return ranks->rank;
}

int cs_ranks_size(const cs_ranks *ranks) {
    return ranks->size;
}

int cs_ranks_on_node(const cs_ranks *ranks) {
    return ranks->node_ranks;
}

int cs_ranks_rank_on_node(const cs_ranks *ranks) {
    return ranks->node_rank;
}

int cs_ranks_own_cores(const cs_ranks *ranks) {
    return ranks->own_cores;
}

int cs_ranks_node_cores(const cs_ranks *ranks) {
    return ranks->node_cores;
}

cs_status cs_ranks_check_launch(const cs_ranks *ranks) {
    static const char *const counts[] = {"SLURM_NTASKS", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
    /* On other hosts SLURM_NTASKS may count mpirun's daemons. A process that was not launched as one of several is rank
     * 0 on any host. */
    if (ranks->rank > 0)
        return CS_OK;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        const char *text = getenv(counts[i]);
        if (text && strtol(text, NULL, 10) != ranks->size)
            return cs_hint(
                cs_fail(CS_ERR_COMM, "%s is %s, but there %s %d rank%s", counts[i], text,
                        ranks->size == 1 ? "is" : "are", ranks->size, ranks->size == 1 ? "" : "s"),
                "start it with `srun --mpi=pmix` or `mpirun` (of the MPI it was built with) in a job of that "
                "many tasks");
    }
    return CS_OK;
}

int cs_asked_threads(int wanted) {
    const char *text = getenv("OMP_NUM_THREADS");
    int asked = wanted > 0 ? wanted : text ? (int)strtol(text, NULL, 10) : 0;
    return asked > 0 ? asked : 0;
}

/* The most threads that fit on the cores of this rank. */
static int own_share(const cs_ranks *ranks) {
    int share = ranks->node_cores / ranks->node_ranks;
    if (share > ranks->own_cores)
        share = ranks->own_cores;
    return share > 0 ? share : 1;
}

int cs_ranks_threads(const cs_ranks *ranks, int wanted) {
    int asked = cs_asked_threads(wanted);
    return asked > 0 ? asked : ranks->threads > 0 ? ranks->threads : own_share(ranks);
}

int cs_ranks_busy_cores(const cs_ranks *ranks) {
    return ranks->busy_cores;
}

/* All ranks of a node measure at the same time, so that none of them counts the work of another. */
static int threads_that_fit(cs_ranks *ranks, int earlier) {
    int share = own_share(ranks);
    if (earlier > 0)
        return earlier < share ? earlier : share;
    if (share > 1)
        ranks->busy_cores = cs_busy_cores(&ranks->cores);
    return cs_threads_on_free_cores(share, ranks->node_cores, ranks->busy_cores, ranks->node_ranks);
}

/* The number may be set on some ranks only. Such a rank takes part too, because the others wait for it. */
cs_status cs_ranks_choose_threads(cs_ranks *ranks, int wanted, int earlier) {
    MPI_Request request;
    bool asked = cs_asked_threads(wanted) > 0;
    CS_TRY(cs_ranks_share(ranks, &earlier, sizeof earlier));
    int own = asked ? INT_MAX : threads_that_fit(ranks, earlier), fewest = own;
    if (ranks->mpi) {
        MPI_Iallreduce(&own, &fewest, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD, &request);
        CS_TRY(cs_ranks_wait(&request, 0, "agreeing on threads"));
    }
    if (!asked)
        ranks->threads = fewest;
    return CS_OK;
}

cs_status cs_ranks_agree(cs_ranks *ranks, cs_status mine) {
    if (ranks->size == 1 || mine == CS_ERR_COMM)
        return mine;
    struct {
        int weight, rank;
    } own = {mine == CS_OK ? 0 : mine == CS_ERR_INTERRUPTED ? 1 : 2, ranks->rank}, worst;
    MPI_Request request;
    MPI_Iallreduce(&own, &worst, 1, MPI_2INT, MPI_MAXLOC, MPI_COMM_WORLD, &request);
    CS_TRY(cs_ranks_wait(&request, 0, "agreeing"));
    if (worst.weight == 0)
        return CS_OK;
    cs_error error = *cs_error_last();
    MPI_Ibcast(&error, (int)sizeof error, MPI_BYTE, worst.rank, MPI_COMM_WORLD, &request);
    CS_TRY(cs_ranks_wait(&request, 0, "agreeing"));
    return cs_error_restore(&error);
}

cs_status cs_ranks_gather(cs_ranks *ranks, const void *mine, size_t size, void *all) {
    MPI_Request request;
    if (!ranks->mpi) {
        memcpy(all, mine, size);
        return CS_OK;
    }
    MPI_Igather(mine, (int)size, MPI_BYTE, all, (int)size, MPI_BYTE, 0, MPI_COMM_WORLD, &request);
    return cs_ranks_wait(&request, 0, "gathering");
}

cs_status cs_ranks_share(cs_ranks *ranks, void *bytes, size_t size) {
    MPI_Request request;
    if (ranks->size == 1)
        return CS_OK;
    MPI_Ibcast(bytes, (int)size, MPI_BYTE, 0, MPI_COMM_WORLD, &request);
    return cs_ranks_wait(&request, 0, "sharing");
}
