/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the results folder of a running sweep. Rank 0 only; one thread at a time. */
#ifndef CNNSWEEP_RESULTS_H
#define CNNSWEEP_RESULTS_H

#include "cnnsweep/dataset.h"
#include "cnnsweep/file.h"
#include "cnnsweep/sweep.h"

typedef enum cs_trial_state { CS_TRIAL_PENDING, CS_TRIAL_OK, CS_TRIAL_FAILED } cs_trial_state;

enum { CS_ENGINE_MAX = 16 };

/* What became of a trial. */
typedef struct cs_outcome {
    cs_trial_state state;
    int rank;
    char engine[CS_ENGINE_MAX]; /* the name of what it was trained with */
    cs_trial_result result;     /* OK */
    char reason[256];           /* FAILED; OK: why it ended early, or "" */
} cs_outcome;

/* In the folder while a program trains into it. */
#define CS_SWEEP_LOCK "sweep.lock"

typedef struct cs_journal cs_journal;

typedef struct cs_results_config {
    const cs_job *job;         /* borrowed */
    const cs_dataset *dataset; /* borrowed; class names */
    const char *folder;
    const cs_journal *earlier; /* borrowed; of the sweep to go on with, matched to the job; NULL: a new one */
    bool force;
    int ranks, threads;
    const char *engine;
} cs_results_config;

typedef struct cs_results cs_results;
/* Creates the folder; one that already holds a sweep is refused unless `force`, which removes that sweep's files. With
 * `earlier` it goes on: trials that are done have their outcomes, trials.csv and history/ are written anew from the
 * journal. Another dataset or precision is refused; another engine is warned of. */
CS_MUST_CHECK cs_status cs_results_open(const cs_results_config *config, cs_results **out);
/* What these three are told is written, and outlives every process; the machine's own end it outlives only with
 * cs_results_sync. An epoch that is in the journal already, as a resumed trial repeats some, is passed over. */
CS_MUST_CHECK cs_status cs_results_epoch(cs_results *results, int trial, int rank, const cs_epoch_row *row);
/* `test` is NULL when there is no test split; `reason`: why the trial ended early, or "". */
CS_MUST_CHECK cs_status cs_results_finished(cs_results *results, int trial, int rank, const cs_trial_result *result,
                                            const cs_evaluation *test, const char *reason);
CS_MUST_CHECK cs_status cs_results_failed(cs_results *results, int trial, int rank, cs_status code, const char *reason);
/* Puts on the disk what was told since the last time, but not for less than a second of training. */
CS_MUST_CHECK cs_status cs_results_sync(cs_results *results);
/* Puts trials.csv in the order of the trials, writes table.md and prints it to `out`; `how` goes into the journal. */
CS_MUST_CHECK cs_status cs_results_end(cs_results *results, const char *how, FILE *out);
void cs_results_close(cs_results *results);          /* NULL-safe */
bool cs_results_complete(const cs_results *results); /* every trial ended, well or not */

const cs_outcome *cs_results_outcomes(const cs_results *results); /* [n_trials] */

#endif
