/* SPDX-License-Identifier: Apache-2.0 */
#include "ranks.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STARTED = 256 };

typedef struct rank_team {
    int size;
    pthread_barrier_t barrier;
    const void *values[RANKS_MAX];
} rank_team;

typedef struct member {
    rank_team *team;
    int rank;
    cs_comm comm;
    struct {
        float *values;
        size_t n;
    } started[MAX_STARTED];
    int n_started;
    ranks_body *body;
    void *context;
    pthread_t thread;
} member;

static double value_at(const void *values, bool is_float, size_t i) {
    return is_float ? (double)((const float *)values)[i] : ((const double *)values)[i];
}

/* Sums in the order of the ranks, so that all ranks get the same bits. */
static cs_status sum_over(member *self, void *values, size_t n, bool is_float) {
    rank_team *team = self->team;
    double *sums = calloc(n + 1, sizeof *sums);
    if (!sums)
        return cs_fail(CS_ERR_NO_MEMORY, "sum of %zu", n);
    team->values[self->rank] = values;
    pthread_barrier_wait(&team->barrier);
    for (int r = 0; r < team->size; r++)
        for (size_t i = 0; i < n; i++) {
            sums[i] += value_at(team->values[r], is_float, i);
            if (is_float)
                sums[i] = (double)(float)sums[i];
        }
    pthread_barrier_wait(&team->barrier);
    for (size_t i = 0; is_float && i < n; i++)
        ((float *)values)[i] = (float)sums[i];
    if (!is_float)
        memcpy(values, sums, n * sizeof *sums);
    free(sums);
    return CS_OK;
}

static cs_status sum(void *context, float *values, size_t n) {
    return sum_over(context, values, n, true);
}

static cs_status sum_double(void *context, double *values, size_t n) {
    return sum_over(context, values, n, false);
}

static cs_status sum_start(void *context, float *values, size_t n) {
    member *self = context;
    if (self->n_started == MAX_STARTED)
        return cs_fail(CS_ERR_COMM, "more than %d sums are under way", MAX_STARTED);
    self->started[self->n_started].values = values;
    self->started[self->n_started++].n = n;
    return CS_OK;
}

static cs_status sum_wait(void *context) {
    member *self = context;
    for (int i = 0; i < self->n_started; i++)
        CS_TRY(sum_over(self, self->started[i].values, self->started[i].n, true));
    self->n_started = 0;
    return CS_OK;
}

static _Thread_local const cs_comm *own_comm;

const cs_comm *ranks_comm(void) {
    return own_comm;
}

static void *run(void *argument) {
    member *self = argument;
    own_comm = &self->comm;
    self->body(&self->comm, self->context);
    return NULL;
}

void ranks_run(int size, ranks_body *body, void *context) {
    rank_team team = {.size = size};
    member *members = calloc((size_t)size, sizeof *members);
    if (!members || size > RANKS_MAX)
        abort();
    pthread_barrier_init(&team.barrier, NULL, (unsigned)size);
    for (int r = 0; r < size; r++) {
        member *self = &members[r];
        *self = (member){.team = &team, .rank = r, .body = body, .context = context};
        self->comm = (cs_comm){r, size, self, sum, sum_double, sum_start, sum_wait};
        if (pthread_create(&self->thread, NULL, run, self) != 0)
            abort();
    }
    for (int r = 0; r < size; r++)
        pthread_join(members[r].thread, NULL);
    pthread_barrier_destroy(&team.barrier);
    free(members);
}

void ranks_rows(int n, const cs_comm *comm, int *first, int *rows) {
    *first = n * comm->rank / comm->size;
    *rows = n * (comm->rank + 1) / comm->size - *first;
}
