/* SPDX-License-Identifier: Apache-2.0 */
/* A job file (YAML) becomes trials. */
#ifndef CNNSWEEP_JOB_H
#define CNNSWEEP_JOB_H

#include "cnnsweep/train.h"

/* The options of the job as a whole: how it is run, its scheduler, its budget; the offsets of the rows are into cs_job.
 * They are never swept. */
const cs_option *cs_job_options(size_t *count);

/* A grid with more is an error. */
enum { CS_MAX_TRIALS = 100000 };

/* Swept values of one option: those listed, or of a random sweep's ranges those drawn. */
typedef struct cs_axis {
    const cs_option *option;
    int n;
    char **values; /* as text */
} cs_axis;

typedef enum cs_scheduler_kind {
    CS_SCHEDULER_NONE,
    CS_SCHEDULER_ASHA,      /* asynchronous successive halving, Li et al. 2018, arXiv:1810.05934 */
    CS_SCHEDULER_HYPERBAND, /* the same in several brackets */
    CS_SCHEDULER_MEDIAN     /* Golovin et al. 2017, Google Vizier: the median stopping rule */
} cs_scheduler_kind;
const char *cs_scheduler_name(int kind); /* "asha"; NULL past the last */

/* Which trials end early. Names and defaults are Ray Tune's (AsyncHyperBandScheduler, MedianStoppingRule). */
typedef struct cs_scheduler_config {
    cs_scheduler_kind kind;
    int max_t;        /* epochs; the default is the longest trial's */
    int grace_period; /* epochs that every trial gets */
    double reduction_factor;
    int brackets;
    int min_samples_required; /* MEDIAN: trials to compare with */
} cs_scheduler_config;

/* What a sweep may use, and what it keeps. */
typedef struct cs_budget {
    int trials;     /* 0: all there are */
    double minutes; /* 0: no end. When they are over trials end with their epoch and are tested; others do not begin */
} cs_budget;

typedef enum cs_cache_mode { CS_CACHE_AUTO, CS_CACHE_OFF, CS_CACHE_SIZE } cs_cache_mode;
typedef struct cs_cache_setting {
    char text[32]; /* as the job has it */
    cs_cache_mode mode;
    size_t bytes; /* SIZE: of memory, a rank */
} cs_cache_setting;

/* How the job is run: nothing here changes its numbers, but for the precision, and for the threads, the device and
 * ranks_per_trial in the last bits. */
typedef struct cs_run_config {
    int threads;     /* 0: free cores / ranks on the node */
    char device[16]; /* auto | cuda | cpu | onednn | ref */
    cs_precision precision;
    bool autotune, deterministic;
    char plan_cache[CS_VALUE_MAX]; /* a folder; auto: the user's cache; off */
    int ranks_per_trial;           /* ranks that share every batch of a trial */
    bool group;                    /* trials that can share a trunk are trained together */
    cs_cache_setting cache;
    double checkpoint_seconds; /* least time between checkpoints; 0: after every epoch */
    int keep_weights;          /* of train.save_weights: those of the best so many trials; 0: all */
} cs_run_config;

typedef struct cs_job {
    char name[CS_NAME_MAX];
    cs_trial_config base;
    char path[CS_VALUE_MAX * 2]; /* of the job file */
    cs_run_config run;
    cs_scheduler_config scheduler;
    cs_budget budget;
    bool random;  /* method: random; else the grid */
    int64_t seed; /* of a random sweep's draws */
    int repeats;  /* of every trial, with seeds that follow one another: the last axis, train.seed */
    cs_axis *axes;
    int n_axes;
    char metric[32]; /* test_accuracy, ... */
    bool maximize;
    bool table_best; /* a cell is the best of the other options, not their mean */
    char table_rows[CS_NAME_MAX], table_columns[CS_NAME_MAX], table_value[32]; /* random without rows: a leaderboard */
    char **sets;                                                               /* those of cs_job_read */
    int n_sets;
    cs_trial_config *trials; /* of a grid with the last axis fastest */
    int n_trials;
    int *places;     /* [n_trials,n_axes] index of the trial's value on each axis */
    int *numbers;    /* [n_trials] in file names; those of earlier runs stay theirs when a grid is extended */
    bool *done;      /* [n_trials] ended in an earlier run and kept (--resume): not trained again */
    int part, parts; /* this program trains part `part`, from 0, of `parts` (--part); parts 0: all of it */
    int *part_of;    /* [n_trials] each trial's part; the plan divides them */
} cs_job;

/* Reads `path`, applies `sets` ("key=value", dotted) and makes the trials. Relative paths in the file are relative to
 * the working directory. Errors give path:line:column. */
CS_MUST_CHECK cs_status cs_job_read(const char *path, const char *const *sets, int n_sets, cs_job **out);
void cs_job_free(cs_job *job); /* NULL-safe */
/* The job becomes the one trial of that name ("t007"), trained to its end; `epochs` > 0: only so far. */
CS_MUST_CHECK cs_status cs_job_only(cs_job *job, const char *trial, int epochs);
/* "fine_tune=4 augment=flip_hv": the swept values of a trial. */
void cs_job_describe_trial(const cs_job *job, int trial, char *out, size_t size);
/* Another part's to train, and not done here by an earlier run. */
bool cs_job_is_elsewhere(const cs_job *job, int trial);
/* Trials that are not elsewhere. */
int cs_job_count_here(const cs_job *job);
/* "t007": file names of a trial, from its number. */
void cs_job_trial_name(const cs_job *job, int trial, char *out, size_t size);

#endif
