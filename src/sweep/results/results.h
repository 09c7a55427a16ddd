/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: writes the results folder of a running sweep. Rank 0 only; one thread at a time. */
#ifndef CNNSWEEP_RESULTS_H
#define CNNSWEEP_RESULTS_H

#include "cnnsweep/dataset.h"
#include "cnnsweep/file.h"
#include "cnnsweep/sweep.h"

typedef enum cs_trial_state { CS_TRIAL_PENDING, CS_TRIAL_OK, CS_TRIAL_FAILED } cs_trial_state;

enum { CS_ENGINE_MAX = 16 };

/* The outcome of a trial. */
typedef struct cs_outcome {
    cs_trial_state state;
    int rank;
    char engine[CS_ENGINE_MAX]; /* the name of the engine that trained it */
    cs_trial_result result;     /* OK */
    char reason[256];           /* FAILED: why; OK: why it ended early, or "" */
    double time;                /* when it ended, in seconds since 1970; 0: not known */
} cs_outcome;

/* The evaluations of a trial's tested weights, with what cs_results_need says. */
typedef struct cs_tested {
    const cs_evaluation *const *evaluations; /* [CS_SPLIT_COUNT] NULL for splits that were not evaluated */
    const cs_bootstrap *bootstrap;           /* [CS_SPLIT_COUNT] */
} cs_tested;
/* CS_NEEDS_*: what the results need of the evaluation of a split. */
unsigned cs_results_need(cs_split split);

/* A file in the folder, locked while a program trains into it. */
#define CS_SWEEP_LOCK "sweep.lock"

typedef struct cs_journal cs_journal;

typedef struct cs_results_config {
    const cs_job *job;         /* borrowed */
    const cs_dataset *dataset; /* borrowed; it has the class names */
    const char *folder;
    const cs_journal *earlier; /* borrowed; the journal to go on with, matched to the job; NULL: a new sweep */
    bool force;
    int ranks, threads;
    const char *engine;
} cs_results_config;

typedef struct cs_results cs_results;
/* Creates the folder. If it already has a sweep that is an error, unless `force`, which removes the files of that
 * sweep. With `earlier` the sweep goes on: trials that are done have their outcomes, and trials.csv and history/ are
 * written again from the journal. Another dataset or precision is refused; another engine gives a warning. */
CS_MUST_CHECK cs_status cs_results_open(const cs_results_config *config, cs_results **out);
/* The values of a trial were chosen: writes its plan line into the journal, before the trial begins. */
CS_MUST_CHECK cs_status cs_results_planned(cs_results *results, int trial);
/* A rank begins to train the trials together. */
CS_MUST_CHECK cs_status cs_results_group(cs_results *results, int rank, const int *trials, int n);
/* The next three write to the folder. What they wrote survives the end of the process, but a crash of the machine only
 * after cs_results_sync. A resumed trial repeats some epochs; those that are already in the journal are not written
 * again. */
CS_MUST_CHECK cs_status cs_results_epoch(cs_results *results, int trial, int rank, const cs_epoch_row *row);
/* `reason` says why the trial ended early, or is "". */
CS_MUST_CHECK cs_status cs_results_finished(cs_results *results, int trial, int rank, const cs_trial_result *result,
                                            const cs_tested *tested, const char *reason);
CS_MUST_CHECK cs_status cs_results_failed(cs_results *results, int trial, int rank, cs_status code, const char *reason);
/* Syncs to disk what was written since the last sync, unless that is less than a second of training. */
CS_MUST_CHECK cs_status cs_results_sync(cs_results *results);
/* Writes trials.csv again in the order of the trials, writes table.md and prints it to `out`. `how` goes into the
 * journal. */
CS_MUST_CHECK cs_status cs_results_end(cs_results *results, const char *how, FILE *out);
void cs_results_close(cs_results *results);          /* NULL-safe */
bool cs_results_complete(const cs_results *results); /* every trial has finished or failed */

int cs_results_ranks(const cs_results *results);                  /* of this run */
const cs_outcome *cs_results_outcomes(const cs_results *results); /* [n_trials] */

#endif
