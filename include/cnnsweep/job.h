/* A job file (YAML) becomes trials. */
#ifndef CNNSWEEP_JOB_H
#define CNNSWEEP_JOB_H

#include "cnnsweep/train.h"

/* One option: the row drives the YAML reader, --set, --help, docs and the columns of the result table. */
typedef enum cs_option_type {
    CS_OPTION_BOOL,
    CS_OPTION_INT,
    CS_OPTION_FLOAT,
    CS_OPTION_STRING,
    CS_OPTION_ENUM,
    CS_OPTION_SIZE,
    CS_OPTION_LIST,
    CS_OPTION_CACHE /* auto, off or bytes such as 512M; the field is all of cs_run_config */
} cs_option_type;
typedef struct cs_option {
    const char *key; /* dotted, "train.lr" */
    cs_option_type type;
    size_t offset;        /* into cs_trial_config, of cs_job_options into cs_job */
    size_t size;          /* of the field: bounds strings */
    double min, max;      /* numbers, inclusive */
    const char *choices;  /* ENUM: "sgd|adam", in the order of the C enum */
    const char *fallback; /* the default, as text; of a number also a word, which is stored as 0 */
    bool sweepable;
    const char *doc;
} cs_option;
const cs_option *cs_options(size_t *count);
/* The settings of the whole job: how it is run, its scheduler, its budget. Never swept. */
const cs_option *cs_job_options(size_t *count);
/* Finds by dotted key, or by last part where that is unique ("lr", as under sweep.parameters). */
CS_MUST_CHECK cs_status cs_option_find(const char *key, const cs_option **out);
/* Parses `text` into the option's field of a cs_trial_config or cs_job; errors say key, value, range or choices. */
CS_MUST_CHECK cs_status cs_option_set(const cs_option *option, const char *text, void *config);
/* The field's value of a cs_trial_config or cs_job as text, as trials.csv writes it. */
void cs_option_get(const cs_option *option, const void *config, char *out, size_t size);
void cs_options_print(FILE *out, bool markdown);

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
    cs_cache_mode cache;
    size_t cache_bytes;        /* CS_CACHE_SIZE: of memory, a rank */
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
