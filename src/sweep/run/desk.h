/* Inside the sweep room: rank 0's side of the queue. Ranks ask for pieces of work and tell what came of them; whatever
 * thread carries the message, the desk answers one at a time. Knows no MPI. */
#ifndef CNNSWEEP_DESK_H
#define CNNSWEEP_DESK_H

#include "plan/plan.h"
#include "results/journal.h"

#include <signal.h>

typedef enum cs_message_kind {
    CS_ASK_PIECE,     /* answered with trials; none: there is nothing left */
    CS_TELL_EPOCH,    /* answered when the row is written, and on the disk where that is worth it */
    CS_TELL_FINISHED, /* likewise */
    CS_TELL_FAILED,   /* likewise */
    CS_TELL_LEAVING   /* the last message of a rank; `code` says why */
} cs_message_kind;

/* Sent as bytes between processes of one program on machines of one kind. */
typedef struct cs_message {
    cs_message_kind kind;
    int trial;
    cs_status code;         /* FAILED, LEAVING */
    int values;             /* FINISHED with a test split: so many of its evaluation go along; else 0 */
    cs_epoch_row epoch;     /* EPOCH */
    cs_trial_result result; /* FINISHED */
    char reason[512];       /* FAILED */
} cs_message;

typedef struct cs_answer {
    bool stop;    /* the sweep ends: leave */
    bool refused; /* what was told could not be written: go no further with it */
    bool enough;  /* EPOCH: the trial ends here */
    int n;
    int trials[CS_GROUP_MAX]; /* ASK_PIECE */
} cs_answer;

typedef struct cs_desk cs_desk;
/* `earlier` is what is gone on with, NULL: nothing; what it tells of epochs is judged again, in its order. `stop` is
 * set when the sweep must stop: rank 0's own trainer looks at it. */
CS_MUST_CHECK cs_status cs_desk_open(const cs_plan *plan, cs_results *results, const cs_journal *earlier,
                                     volatile sig_atomic_t *stop, cs_desk **out);
void cs_desk_close(cs_desk *desk); /* NULL-safe */
/* Answers any thread. `test` for a FINISHED message with a test split, else NULL. The answer must not go before
 * cs_desk_commit. */
void cs_desk_handle(cs_desk *desk, int rank, const cs_message *message, const cs_evaluation *test, cs_answer *answer);
/* Puts on the disk what messages told that were handled, together: their answers [n] may go. When that fails, once and
 * for all, they are refused. */
void cs_desk_commit(cs_desk *desk, cs_answer *answers, int n);
/* Room for the evaluation of one message, what the results need of it, for the thread that receives it. */
cs_evaluation *cs_desk_evaluation(cs_desk *desk);
/* Why the sweep was stopped (a write that failed, an interruption), as this thread's last error; CS_OK if it was not.
 */
CS_MUST_CHECK cs_status cs_desk_error(const cs_desk *desk);

#endif
