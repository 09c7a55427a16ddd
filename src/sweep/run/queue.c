/* SPDX-License-Identifier: Apache-2.0 */
#include "queue.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/report.h"
#include "ranks_impl.h"

#include <pthread.h>
#include <stdlib.h>

enum { TAG_MESSAGE = 1, TAG_EVALUATION, TAG_ANSWER, TAG_STOP };
/* So many messages share a sync of the journal; the first waits for all to be handled. */
enum { MOST_TOGETHER = 64 };
/* A disk that stalls delays answers; a rank 0 that does not answer at all for this long is gone. */
static const double answer_seconds = 600;
/* Where ranks share cores MPI gives the core away whenever it finds nothing: not after every step. */
static const double look_seconds = 0.05;

struct cs_queue {
    int rank, size;
    cs_coordinator *coordinator; /* rank 0 */
    const volatile sig_atomic_t *stop;
    bool *left; /* [size] rank 0: who has sent LEAVING, or never talks */
    int n_left;
    pthread_t service;
    bool serving;
    double looked; /* other ranks: when they last looked for a stop */
};

/* To ranks that train until their next message. The message is empty, so it waits for nobody. */
static void announce_stop(const cs_queue *queue) {
    for (int rank = 1; rank < queue->size; rank++)
        if (!queue->left[rank])
            MPI_Send(NULL, 0, MPI_BYTE, rank, TAG_STOP, MPI_COMM_WORLD);
}

/* Receives the rest of a message, has the coordinator take it. */
static void receive(cs_queue *queue, int rank, cs_answer *answer) {
    cs_message message;
    cs_evaluation *test = NULL;
    MPI_Recv(&message, (int)sizeof message, MPI_BYTE, rank, TAG_MESSAGE, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (message.values > 0) {
        test = cs_coordinator_evaluation(queue->coordinator);
        MPI_Recv(test->values, message.values, MPI_DOUBLE, rank, TAG_EVALUATION, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
    cs_coordinator_handle(queue->coordinator, rank, &message, test, answer);
    queue->left[rank] = message.kind == CS_TELL_LEAVING;
    queue->n_left += queue->left[rank];
}

/* Answers all that are waiting; false: nobody is. */
static bool serve(cs_queue *queue) {
    int ranks[MOST_TOGETHER], n = 0, waiting = 1;
    cs_answer answers[MOST_TOGETHER];
    while (n < MOST_TOGETHER) {
        MPI_Status envelope;
        MPI_Iprobe(MPI_ANY_SOURCE, TAG_MESSAGE, MPI_COMM_WORLD, &waiting, &envelope);
        if (!waiting)
            break;
        ranks[n] = envelope.MPI_SOURCE;
        receive(queue, ranks[n], &answers[n]);
        n++;
    }
    cs_coordinator_commit(queue->coordinator, answers, n);
    for (int i = 0; i < n; i++)
        MPI_Send(&answers[i], (int)sizeof answers[i], MPI_BYTE, ranks[i], TAG_ANSWER, MPI_COMM_WORLD);
    return n > 0;
}

static void *service_thread(void *argument) {
    cs_queue *queue = argument;
    bool announced = false;
    while (queue->n_left < queue->size - 1) {
        if (*queue->stop && !announced) {
            announce_stop(queue);
            announced = true;
        }
        if (!serve(queue))
            cs_ranks_nap();
    }
    return NULL;
}

static cs_status start_service(cs_queue *queue, int ranks_per_trial) {
    CS_TRY(cs_alloc((size_t)queue->size, sizeof *queue->left, "queue", &queue->left));
    for (int rank = 1; rank < queue->size; rank++) {
        queue->left[rank] = rank % ranks_per_trial != 0;
        queue->n_left += queue->left[rank];
    }
    if (pthread_create(&queue->service, NULL, service_thread, queue) != 0)
        return cs_fail(CS_ERR_COMM, "cannot start the service thread of rank 0");
    queue->serving = true;
    return CS_OK;
}

cs_status cs_queue_open(const cs_ranks *ranks, int ranks_per_trial, cs_coordinator *coordinator,
                        const volatile sig_atomic_t *stop, cs_queue **out) {
    cs_queue *queue = NULL;
    CS_TRY(cs_alloc(1, sizeof *queue, "queue", &queue));
    queue->rank = cs_ranks_rank(ranks);
    queue->size = cs_ranks_size(ranks);
    queue->coordinator = coordinator;
    queue->stop = stop;
    cs_status status = queue->rank == 0 && queue->size > 1 ? start_service(queue, ranks_per_trial) : CS_OK;
    if (status != CS_OK) {
        cs_queue_close(queue);
        return status;
    }
    *out = queue;
    return CS_OK;
}

/* Takes the stop that rank 0 announced, if there is one. */
static bool take_stop(void) {
    int told = 0;
    MPI_Iprobe(0, TAG_STOP, MPI_COMM_WORLD, &told, MPI_STATUS_IGNORE);
    if (told)
        MPI_Recv(NULL, 0, MPI_BYTE, 0, TAG_STOP, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return told;
}

bool cs_queue_stopped(cs_queue *queue) {
    double now = cs_now();
    if (queue->rank == 0 || now - queue->looked < look_seconds)
        return false;
    queue->looked = now;
    return take_stop();
}

/* A stop that nobody waits for any more was sent before the answer to LEAVING: it is here, and is taken. */
void cs_queue_close(cs_queue *queue) {
    if (!queue)
        return;
    if (queue->serving)
        pthread_join(queue->service, NULL);
    else if (queue->rank != 0)
        (void)take_stop();
    free(queue->left);
    free(queue);
}

/* `test` is what the results need of the evaluation, or NULL. */
static cs_status send_and_wait(cs_message *message, const cs_evaluation *test, cs_answer *answer) {
    MPI_Request sends[2] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL}, reply;
    message->values = test ? (int)cs_evaluation_size(test) : 0;
    MPI_Irecv(answer, (int)sizeof *answer, MPI_BYTE, 0, TAG_ANSWER, MPI_COMM_WORLD, &reply);
    MPI_Isend(message, (int)sizeof *message, MPI_BYTE, 0, TAG_MESSAGE, MPI_COMM_WORLD, &sends[0]);
    if (test)
        MPI_Isend(test->values, message->values, MPI_DOUBLE, 0, TAG_EVALUATION, MPI_COMM_WORLD, &sends[1]);
    CS_TRY(cs_ranks_wait(&reply, answer_seconds, "rank 0"));
    MPI_Waitall(2, sends, MPI_STATUSES_IGNORE);
    return CS_OK;
}

static cs_status send_with_evaluation(cs_message *message, const cs_evaluation *test, cs_answer *answer) {
    cs_evaluation *sent = NULL;
    cs_evaluation_spec spec = test->spec;
    spec.needs = cs_artifact_needs();
    CS_TRY(cs_evaluation_create(&spec, &sent));
    cs_evaluation_copy(test, sent);
    cs_status status = send_and_wait(message, sent, answer);
    cs_evaluation_free(sent);
    return status;
}

cs_status cs_queue_tell(cs_queue *queue, cs_message *message, const cs_evaluation *test, cs_answer *answer) {
    if (queue->rank != 0)
        return test ? send_with_evaluation(message, test, answer) : send_and_wait(message, NULL, answer);
    cs_coordinator_handle(queue->coordinator, 0, message, test, answer);
    cs_coordinator_commit(queue->coordinator, answer, 1);
    return CS_OK;
}
