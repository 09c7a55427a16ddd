/* SPDX-License-Identifier: Apache-2.0 */
#include "queue.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "no_fork.h"
#include "ranks_impl.h"

#include <pthread.h>
#include <stdlib.h>

enum { TAG_MESSAGE = 1, TAG_EVALUATION, TAG_ANSWER, TAG_STOP, TAG_POSITION };
/* The most messages that share one sync of the journal. The first of them waits until all are handled. */
enum { MAX_MESSAGES = 64 };
/* A slow disk delays answers. If rank 0 does not answer for this long, it is assumed to be gone. */
static const double answer_seconds = 600;
/* The seconds between two checks for a stop. They are not made after every step, because MPI yields the core each time
 * it finds no message, which costs time where ranks share cores. */
static const double check_seconds = 0.05;

struct cs_queue {
    int rank, size;
    cs_coordinator *coordinator; /* on rank 0 */
    const volatile sig_atomic_t *stop;
    bool *left; /* [size] on rank 0: which ranks have sent LEAVING or never communicate */
    int n_left;
    pthread_t service;
    bool serving;
    double checked; /* on other ranks: when they last checked for a stop */
    /* On other ranks: the last position that was sent. */
    cs_epoch_position position;
    MPI_Request telling;
};

/* Announces the stop to ranks that are training. The message is empty, so sending it waits for no receiver. */
static void announce_stop(const cs_queue *queue) {
    for (int rank = 1; rank < queue->size; rank++)
        if (!queue->left[rank])
            MPI_Send(NULL, 0, MPI_BYTE, rank, TAG_STOP, MPI_COMM_WORLD);
}

/* Receives a message, and the evaluations that follow it, and has the coordinator handle it. */
static void receive(cs_queue *queue, int rank, cs_answer *answer) {
    cs_message message;
    const cs_evaluation *evaluations[CS_SPLIT_COUNT] = {NULL};
    MPI_Recv(&message, (int)sizeof message, MPI_BYTE, rank, TAG_MESSAGE, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++) {
        if (message.rows[split] == 0)
            continue;
        cs_evaluation *received = cs_coordinator_evaluation(queue->coordinator, split, message.rows[split]);
        MPI_Recv(received->values, (int)cs_evaluation_size(received), MPI_DOUBLE, rank, TAG_EVALUATION, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
        evaluations[split] = received;
    }
    cs_coordinator_handle(queue->coordinator, rank, &message, evaluations, answer);
    queue->left[rank] = message.kind == CS_REPORT_LEAVING;
    queue->n_left += queue->left[rank];
}

/* Receives the positions that have come; they have no answer. */
static void receive_positions(const cs_queue *queue) {
    MPI_Status envelope;
    cs_epoch_position at;
    int waiting = 1;
    for (;;) {
        MPI_Iprobe(MPI_ANY_SOURCE, TAG_POSITION, MPI_COMM_WORLD, &waiting, &envelope);
        if (!waiting)
            return;
        MPI_Recv(&at, (int)sizeof at, MPI_BYTE, envelope.MPI_SOURCE, TAG_POSITION, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        cs_coordinator_place(queue->coordinator, envelope.MPI_SOURCE, &at);
    }
}

/* Answers all waiting messages; false: there were none. */
static bool serve(cs_queue *queue) {
    int ranks[MAX_MESSAGES], n = 0, waiting = 1;
    cs_answer answers[MAX_MESSAGES];
    while (n < MAX_MESSAGES) {
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
        cs_no_fork_begin();
        if (*queue->stop && !announced) {
            announce_stop(queue);
            announced = true;
        }
        receive_positions(queue);
        const bool served = serve(queue);
        cs_no_fork_end();
        if (!served)
            cs_ranks_sleep();
    }
    cs_no_fork_begin();
    receive_positions(queue); /* they were sent before the last message of their rank, so they are here */
    cs_no_fork_end();
    return NULL;
}

static cs_status start_service(cs_queue *queue, int ranks_per_trial) {
    CS_TRY(cs_alloc((size_t)queue->size, sizeof *queue->left, "queue", &queue->left));
    for (int rank = 1; rank < queue->size; rank++) {
        queue->left[rank] = rank % ranks_per_trial != 0;
        queue->n_left += queue->left[rank];
    }
    cs_no_fork_init();
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
    queue->telling = MPI_REQUEST_NULL;
    cs_status status = queue->rank == 0 && queue->size > 1 ? start_service(queue, ranks_per_trial) : CS_OK;
    if (status != CS_OK) {
        cs_queue_close(queue);
        return status;
    }
    *out = queue;
    return CS_OK;
}

/* Receives the stop that rank 0 announced, if it did. */
static bool receive_stop(void) {
    int arrived = 0;
    MPI_Iprobe(0, TAG_STOP, MPI_COMM_WORLD, &arrived, MPI_STATUS_IGNORE);
    if (arrived)
        MPI_Recv(NULL, 0, MPI_BYTE, 0, TAG_STOP, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return arrived;
}

bool cs_queue_stopped(cs_queue *queue) {
    double now = cs_now();
    if (queue->rank == 0 || now - queue->checked < check_seconds)
        return false;
    queue->checked = now;
    return receive_stop();
}

/* A stop that came while this rank was leaving was sent before the answer to LEAVING, so it has arrived and can be
 * received. */
void cs_queue_close(cs_queue *queue) {
    if (!queue)
        return;
    if (queue->serving)
        pthread_join(queue->service, NULL);
    else if (queue->rank != 0)
        (void)receive_stop();
    if (queue->telling != MPI_REQUEST_NULL && cs_ranks_wait(&queue->telling, answer_seconds, "rank 0") != CS_OK)
        cs_log(CS_LOG_WARN, "%s", cs_error_last()->text);
    free(queue->left);
    free(queue);
}

/* `evaluations` [CS_SPLIT_COUNT] are the parts that the results need, or NULL. */
static cs_status send_and_wait(cs_message *message, cs_evaluation *const *evaluations, cs_answer *answer) {
    MPI_Request sends[1 + CS_SPLIT_COUNT], reply;
    int n = 0;
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++)
        message->rows[split] = evaluations[split] ? evaluations[split]->spec.rows : 0;
    MPI_Irecv(answer, (int)sizeof *answer, MPI_BYTE, 0, TAG_ANSWER, MPI_COMM_WORLD, &reply);
    MPI_Isend(message, (int)sizeof *message, MPI_BYTE, 0, TAG_MESSAGE, MPI_COMM_WORLD, &sends[n++]);
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++)
        if (evaluations[split])
            MPI_Isend(evaluations[split]->values, (int)cs_evaluation_size(evaluations[split]), MPI_DOUBLE, 0,
                      TAG_EVALUATION, MPI_COMM_WORLD, &sends[n++]);
    CS_TRY(cs_ranks_wait(&reply, answer_seconds, "rank 0"));
    MPI_Waitall(n, sends, MPI_STATUSES_IGNORE);
    return CS_OK;
}

/* Copies what the results need of an evaluation. */
static cs_status reduce(const cs_evaluation *evaluation, cs_split split, cs_evaluation **out) {
    cs_evaluation_spec spec = evaluation->spec;
    spec.needs = cs_results_need(split);
    CS_TRY(cs_evaluation_create(&spec, out));
    cs_evaluation_copy(evaluation, *out);
    return CS_OK;
}

static cs_status send(cs_message *message, const cs_evaluation *const *evaluations, cs_answer *answer) {
    cs_evaluation *sent[CS_SPLIT_COUNT] = {NULL};
    cs_status status = CS_OK;
    for (cs_split split = 0; split < CS_SPLIT_COUNT && status == CS_OK; split++)
        if (evaluations && evaluations[split])
            status = reduce(evaluations[split], split, &sent[split]);
    if (status == CS_OK)
        status = send_and_wait(message, sent, answer);
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++)
        cs_evaluation_free(sent[split]);
    return status;
}

void cs_queue_tell(cs_queue *queue, const cs_epoch_position *at) {
    int left = 1;
    if (queue->rank == 0) {
        cs_coordinator_place(queue->coordinator, 0, at);
        return;
    }
    if (queue->telling != MPI_REQUEST_NULL)
        MPI_Test(&queue->telling, &left, MPI_STATUS_IGNORE);
    if (!left)
        return;
    queue->position = *at;
    MPI_Isend(&queue->position, (int)sizeof queue->position, MPI_BYTE, 0, TAG_POSITION, MPI_COMM_WORLD,
              &queue->telling);
}

cs_status cs_queue_send(cs_queue *queue, cs_message *message, const cs_evaluation *const *evaluations,
                        cs_answer *answer) {
    if (queue->rank != 0)
        return send(message, evaluations, answer);
    cs_coordinator_handle(queue->coordinator, 0, message, evaluations, answer);
    cs_coordinator_commit(queue->coordinator, answer, 1);
    return CS_OK;
}
