/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the coordinator, rank 0's side of the queue. Ranks ask it for groups of trials and report the
 * results. It handles one message at a time, whichever thread brings it, and knows nothing of MPI. */
#ifndef CNNSWEEP_COORDINATOR_H
#define CNNSWEEP_COORDINATOR_H

#include "job/chosen.h"
#include "plan/plan.h"
#include "results/journal.h"
#include "results/progress_file.h"
#include "running.h"

#include <signal.h>

typedef enum cs_message_kind {
    CS_ASK_GROUP,       /* the answer has the trials of a group, or none if there is no work (left, or so far) */
    CS_REPORT_EPOCH,    /* answered when the row is written, and synced to disk if enough work depends on it */
    CS_REPORT_FINISHED, /* answered likewise */
    CS_REPORT_FAILED,   /* answered likewise */
    CS_REPORT_LEAVING   /* the last message of a rank; `code` says why it leaves */
} cs_message_kind;

/* Sent as bytes between processes of the same program on machines of the same kind. */
typedef struct cs_message {
    cs_message_kind kind;
    int trial;
    cs_status code;               /* FAILED, LEAVING */
    int64_t rows[CS_SPLIT_COUNT]; /* FINISHED: the rows of each split's evaluation that follows; 0: none does */
    cs_bootstrap bootstrap[CS_SPLIT_COUNT]; /* FINISHED: of those evaluations */
    cs_epoch_row epoch;                     /* EPOCH */
    cs_trial_result result;                 /* FINISHED */
    char reason[512];                       /* FAILED */
} cs_message;

typedef struct cs_answer {
    bool stop;    /* the sweep ends, and this rank must leave */
    bool refused; /* the message could not be written: the trial must not go on */
    bool enough;  /* EPOCH: the trial ends with this epoch */
    bool wait;    /* ASK_GROUP: no group so far, as the phases before those that are left are in training: ask again */
    int n;
    int trials[CS_GROUP_MAX]; /* ASK_GROUP */
    cs_chosen chosen;         /* ASK_GROUP, if values are chosen: those of the group's one trial (chosen.h) */
} cs_answer;

typedef struct cs_coordinator cs_coordinator;
/* `earlier` is the journal of the run that is resumed, or NULL; the scheduler sees its epochs again, in their order.
 * The coordinator sets `stop` when the sweep must stop, and rank 0's own trainer reads it. */
CS_MUST_CHECK cs_status cs_coordinator_open(const cs_plan *plan, cs_results *results, const cs_journal *earlier,
                                            volatile sig_atomic_t *stop, cs_coordinator **out);
void cs_coordinator_close(cs_coordinator *coordinator); /* NULL-safe */
/* Handles a message; any thread may call it. `evaluations` [CS_SPLIT_COUNT] are those that follow a FINISHED message,
 * NULL for splits that were not evaluated. The answer must not be sent before cs_coordinator_commit. */
void cs_coordinator_handle(cs_coordinator *coordinator, int rank, const cs_message *message,
                           const cs_evaluation *const *evaluations, cs_answer *answer);
/* A rank tells how far its group is. Any thread may call it, and does not wait. */
void cs_coordinator_place(cs_coordinator *coordinator, int rank, const cs_epoch_position *at);
/* Shows what the ranks train, and fills `out` with it, which the caller clears. For one thread, once a second. */
CS_MUST_CHECK cs_status cs_coordinator_look(cs_coordinator *coordinator, cs_progress_file *out);
/* Syncs to disk what the handled messages wrote, all together. Then their answers [n] may be sent. If that fails, these
 * and all later messages are refused. */
void cs_coordinator_commit(cs_coordinator *coordinator, cs_answer *answers, int n);
/* Room for the evaluation of a split that follows one message, with so many rows, for the thread that receives it. */
cs_evaluation *cs_coordinator_evaluation(cs_coordinator *coordinator, cs_split split, int64_t rows);
/* Why the sweep was stopped, by a failed write or by a signal, as this thread's last error; CS_OK: it was not. */
CS_MUST_CHECK cs_status cs_coordinator_error(const cs_coordinator *coordinator);

#endif
