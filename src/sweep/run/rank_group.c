/* SPDX-License-Identifier: Apache-2.0 */
/* Implements cs_comm over MPI. Open MPI makes progress with a non-blocking collective only while it is called.
 * Therefore a thread processes the sums that are started: it starts the allreduce of one after the other and tests each
 * until it is done. Sums for which the caller waits at once use a communicator of their own, so that they do not queue
 * behind the others.
 *
 * A wait first yields the core for a moment, because the other ranks are often only microseconds behind, and then
 * sleeps between tests. Ranks may share cores, and MPI's own waiting would keep a whole core from the thread that
 * computes. */
#include "rank_group.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "ranks_impl.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The most sums that are started at a time. A program starts one for each MiB of gradients; a caller that starts one
 * more waits for the first. */
enum { MAX_STARTED = 64 };

typedef struct started_sum {
    float *values;
    size_t n;
} started_sum;

struct cs_rank_group {
    cs_comm comm; /* size 1: the rank is alone, and nothing below is used */
    MPI_Comm direct, background;
    pthread_t thread;
    bool has_thread;
    atomic_bool leaving;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    started_sum sums[MAX_STARTED]; /* a ring; the first is in progress */
    int first, count;
};

/* Long enough for a sum of a few KiB between ranks of a node that start it at the same time. */
static const double yield_seconds = 100e-6;

static cs_status wait_for(cs_rank_group *group, MPI_Request *request) {
    const struct timespec pause = {.tv_nsec = 50000};
    double begun = cs_now();
    for (;;) {
        int done = 0;
        MPI_Test(request, &done, MPI_STATUS_IGNORE);
        if (done)
            return CS_OK;
        if (atomic_load(&group->leaving))
            return cs_fail(CS_ERR_COMM, "this rank left its rank group during a sum");
        if (cs_now() - begun < yield_seconds)
            sched_yield();
        else
            nanosleep(&pause, NULL);
    }
}

static cs_status sum_over(cs_rank_group *group, MPI_Comm comm, void *values, size_t n, MPI_Datatype type) {
    MPI_Request request;
    if (n > INT32_MAX)
        return cs_fail(CS_ERR_UNSUPPORTED, "a sum of %zu values", n);
    MPI_Iallreduce(MPI_IN_PLACE, values, (int)n, type, MPI_SUM, comm, &request);
    return wait_for(group, &request);
}

static cs_status sum(void *context, float *values, size_t n) {
    cs_rank_group *group = context;
    return sum_over(group, group->direct, values, n, MPI_FLOAT);
}

static cs_status sum_double(void *context, double *values, size_t n) {
    cs_rank_group *group = context;
    return sum_over(group, group->direct, values, n, MPI_DOUBLE);
}

static void *process_sums(void *argument) {
    cs_rank_group *group = argument;
    cs_status status = CS_OK;
    pthread_mutex_lock(&group->lock);
    while (status == CS_OK && !atomic_load(&group->leaving)) {
        if (group->count == 0) {
            pthread_cond_wait(&group->changed, &group->lock);
            continue;
        }
        const started_sum next = group->sums[group->first];
        pthread_mutex_unlock(&group->lock);
        status = sum_over(group, group->background, next.values, next.n, MPI_FLOAT);
        pthread_mutex_lock(&group->lock);
        group->first = (group->first + 1) % MAX_STARTED;
        group->count--;
        pthread_cond_broadcast(&group->changed);
    }
    pthread_mutex_unlock(&group->lock);
    return NULL;
}

static cs_status sum_start(void *context, float *values, size_t n) {
    cs_rank_group *group = context;
    if (n > INT32_MAX)
        return cs_fail(CS_ERR_UNSUPPORTED, "a sum of %zu values", n);
    pthread_mutex_lock(&group->lock);
    while (group->count == MAX_STARTED)
        pthread_cond_wait(&group->changed, &group->lock);
    started_sum *last = &group->sums[(group->first + group->count++) % MAX_STARTED];
    last->values = values;
    last->n = n;
    pthread_cond_broadcast(&group->changed);
    pthread_mutex_unlock(&group->lock);
    return CS_OK;
}

static cs_status sum_wait(void *context) {
    cs_rank_group *group = context;
    pthread_mutex_lock(&group->lock);
    while (group->count > 0)
        pthread_cond_wait(&group->changed, &group->lock);
    pthread_mutex_unlock(&group->lock);
    return CS_OK;
}

/* Blocks signals in the new thread: the thread that trains handles them. */
static cs_status start_thread(cs_rank_group *group) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&group->thread, NULL, process_sums, group);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0)
        return cs_fail(CS_ERR_COMM, "cannot start the thread that sums gradients: %s", strerror(code));
    group->has_thread = true;
    return CS_OK;
}

static cs_status join(cs_rank_group *group, const cs_ranks *ranks, int size) {
    int rank = cs_ranks_rank(ranks);
    MPI_Comm_split(MPI_COMM_WORLD, rank / size, rank, &group->direct);
    MPI_Comm_dup(group->direct, &group->background);
    group->comm = (cs_comm){rank % size, size, group, sum, sum_double, sum_start, sum_wait};
    return start_thread(group);
}

static cs_status check_size(int ranks, int size) {
    if (ranks % size == 0)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_ARG, "ranks_per_trial is %d, but there %s %d rank%s", size, ranks == 1 ? "is" : "are",
                           ranks, ranks == 1 ? "" : "s"),
                   "start a multiple of it, such as mpirun -n %d", size * (ranks / size + 1));
}

cs_status cs_rank_group_open(const cs_ranks *ranks, int size, cs_rank_group **out) {
    cs_rank_group *group = NULL;
    CS_TRY(check_size(cs_ranks_size(ranks), size));
    CS_TRY(cs_alloc(1, sizeof *group, "rank group", &group));
    group->comm.size = 1;
    pthread_mutex_init(&group->lock, NULL);
    pthread_cond_init(&group->changed, NULL);
    cs_status status = size > 1 ? join(group, ranks, size) : CS_OK;
    if (status != CS_OK) {
        cs_rank_group_close(group);
        return status;
    }
    *out = group;
    return CS_OK;
}

void cs_rank_group_close(cs_rank_group *group) {
    if (!group)
        return;
    if (group->has_thread) {
        pthread_mutex_lock(&group->lock);
        bool idle = group->count == 0;
        atomic_store(&group->leaving, true);
        pthread_cond_broadcast(&group->changed);
        pthread_mutex_unlock(&group->lock);
        pthread_join(group->thread, NULL);
        if (idle) { /* else this rank is out of step, and freeing would wait for the others */
            MPI_Comm_free(&group->background);
            MPI_Comm_free(&group->direct);
        }
    }
    pthread_cond_destroy(&group->changed);
    pthread_mutex_destroy(&group->lock);
    free(group);
}

bool cs_rank_group_leads(const cs_rank_group *group) {
    return group->comm.rank == 0;
}

const cs_comm *cs_rank_group_comm(const cs_rank_group *group) {
    return group->comm.size > 1 ? &group->comm : NULL;
}

cs_status cs_rank_group_share(cs_rank_group *group, void *bytes, size_t size) {
    MPI_Request request;
    if (group->comm.size == 1)
        return CS_OK;
    MPI_Ibcast(bytes, (int)size, MPI_BYTE, 0, group->direct, &request);
    return cs_ranks_wait(&request, 0, "the leader of the rank group");
}
