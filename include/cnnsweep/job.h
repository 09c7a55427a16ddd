/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a job file (YAML) and makes its trials. */
#ifndef CNNSWEEP_JOB_H
#define CNNSWEEP_JOB_H

#include "cnnsweep/train.h"

/* The options of the job as a whole: how it is run, its scheduler, its budget. The offsets of the rows are into cs_job.
 * These options are never swept. */
const cs_option *cs_job_options(size_t *count);

/* A sweep with more trials is an error. */
enum { CS_MAX_TRIALS = 100000 };

/* The index of its value where a trial has none of the values of a swept option: it has the job's value, because the
 * option's condition does not hold (when:), or because the trial was added without it (include:). */
enum { CS_NO_VALUE = -1 };

/* A swept option and its values: those listed, or those drawn from its range. With a sampler the values of a range are
 * those that were chosen so far, in the order of their choice. */
typedef struct cs_swept_option {
    const cs_option *option;
    int n;
    char **values; /* as text */
} cs_swept_option;

/* How the trials are found: a row of the table in sweep/job/method.c, such as grid, random or bayes. */
typedef struct cs_method cs_method;
/* Chooses the values of trials while the sweep is trained (sweep/job/sampler.h). */
typedef struct cs_sampler cs_sampler;
typedef struct cs_population cs_population;

typedef enum cs_scheduler_kind {
    CS_SCHEDULER_NONE,
    CS_SCHEDULER_ASHA,      /* asynchronous successive halving, Li et al. 2018, arXiv:1810.05934 */
    CS_SCHEDULER_HYPERBAND, /* the same in several brackets */
    CS_SCHEDULER_MEDIAN,    /* Golovin et al. 2017, Google Vizier: the median stopping rule */
    CS_SCHEDULER_PBT        /* population-based training, Jaderberg et al. 2017, arXiv:1711.09846 */
} cs_scheduler_kind;
const char *cs_scheduler_name(int kind); /* "asha"; NULL past the last */

/* Decides which trials end early. The names and defaults are those of Ray Tune (AsyncHyperBandScheduler,
 * MedianStoppingRule). */
typedef struct cs_scheduler_config {
    cs_scheduler_kind kind;
    int max_t;        /* epochs; by default those of the longest trial */
    int grace_period; /* epochs that every trial gets */
    double reduction_factor;
    int brackets;
    int min_samples_required;    /* MEDIAN: trials to compare with */
    int perturbation_interval;   /* PBT: epochs of a generation */
    double quantile_fraction;    /* PBT: the part of the population that goes on from an equally large part, the best */
    double resample_probability; /* PBT: that a value is drawn anew */
} cs_scheduler_config;

/* How much a sweep may use. When the minutes are over no further trial begins; a trial that is being trained ends with
 * its epoch and is tested. */
typedef struct cs_budget {
    int trials;     /* 0: all of the sweep */
    double minutes; /* NaN: no limit */
} cs_budget;

typedef enum cs_cache_mode { CS_CACHE_AUTO, CS_CACHE_OFF, CS_CACHE_SIZE } cs_cache_mode;
typedef struct cs_cache_setting {
    char text[32]; /* as the job file has it */
    cs_cache_mode mode;
    size_t bytes; /* SIZE: bytes of memory for each rank */
} cs_cache_setting;

/* How many files are kept, those of the best trials. */
enum { CS_KEEP_ALL = -1 };
typedef struct cs_keep_setting {
    char text[32]; /* as the job file has it */
    int most;      /* 0: none; or CS_KEEP_ALL */
} cs_keep_setting;

/* What a running sweep says of itself, beside warnings, failures and the bar on a terminal. */
typedef enum cs_log_lines {
    CS_LINES_AUTO, /* by the number of lines that there would be */
    CS_LINES_EPOCHS,
    CS_LINES_TRIALS,
    CS_LINES_SUMMARY
} cs_log_lines;

/* How the job is run. Only the precision changes the numbers of the job; the threads, the device and ranks_per_trial
 * change their last bits. */
typedef struct cs_run_config {
    int threads;     /* 0: free cores / ranks on the node */
    char device[16]; /* auto | cuda | cpu | onednn | ref */
    cs_precision precision;
    bool autotune, deterministic;
    char plan_cache[CS_VALUE_MAX]; /* a folder; auto: the user's cache folder; off: none */
    int ranks_per_trial;           /* ranks that share each batch of a trial */
    bool group;                    /* trials that can share a trunk are trained together */
    cs_cache_setting cache;
    double checkpoint_seconds;  /* the least seconds between checkpoints; 0: after every epoch */
    int keep_weights;           /* how many of the best trials keep their train.save_weights file; 0: all */
    bool report;                /* report.html is written when the sweep ends */
    cs_keep_setting keep_state; /* final states, from which trials can go on later */
    cs_log_lines log;
    bool tensorboard; /* event files for TensorBoard are written */
} cs_run_config;

/* The augmentations that a job file gives names to. */
typedef struct cs_augmentations {
    int n;
    struct cs_named_augment {
        char name[CS_NAME_MAX];
        cs_augment augment;
    } * items; /* the first is "none" */
} cs_augmentations;

typedef struct cs_job {
    char name[CS_NAME_MAX];
    cs_trial_config base;
    char path[CS_VALUE_MAX * 2]; /* the job file */
    cs_run_config run;
    cs_scheduler_config scheduler;
    cs_budget budget;
    const cs_method *method;
    int64_t seed; /* of the values that are drawn */
    int repeats;  /* of every trial, with consecutive seeds; more than 1: train.seed is one of the inner options */
    int folds;    /* that each of them is trained on; more than 1: data.fold is the last of the inner options */
    cs_swept_option *swept; /* those of include: alone come behind the others */
    int n_swept;
    char metric[CS_METRIC_NAME_MAX]; /* test_accuracy, ... */
    bool maximize;
    bool metric_is_given, value_is_given; /* metric and table_value; else they depend on the splits of the dataset */
    cs_metric_set metrics;                /* the columns of metrics that are written */
    bool table_best;                      /* a cell has the best over the other swept options, not their mean */
    char table_rows[CS_NAME_MAX], table_columns[CS_NAME_MAX]; /* drawn, without rows: a leaderboard */
    char table_value[CS_METRIC_NAME_MAX];
    cs_augmentations augmentations;
    int n_phases;                  /* of every trial; 1: its training is not divided */
    char phases[CS_VALUE_MAX * 8]; /* what each of them changes, as text */
    /* [n_phase_options] options that are swept in one phase alone, such as phases.2.lr (cs_job_find_option) */
    struct cs_phase_option **phase_options;
    int n_phase_options;
    char **sets; /* a copy of those given to cs_job_read */
    int n_sets;
    cs_population *population; /* with scheduler pbt, else NULL */
    cs_sampler *sampler;       /* NULL: the values of all trials are known */
    /* First those of the last phase, or of a training that is not divided: in a grid the last swept option changes
     * fastest. Then those of the phase before, and so on; a phase that several trials have in common is one trial. */
    cs_trial_config *trials;
    int n_trials;
    int n_last;         /* how many of them are of the last phase: they are what the table shows */
    int *before;        /* [n_trials] the trial that is the phase before, whose index is larger; -1: there is none */
    int *value_indices; /* [n_trials,n_swept] the index of each trial's value of each swept option, or CS_NO_VALUE */
    int *numbers;       /* [n_trials] of file names; trials of an earlier run keep theirs when a grid is extended */
    bool *done;         /* [n_trials] the trial ended in an earlier run and is not trained again (--resume) */
    bool *extended;     /* [n_trials] it ended after fewer epochs, and goes on from its final state (--extend) */
    int part, parts;    /* this program trains part `part`, from 0, of `parts` (--part); parts 0: the whole sweep */
    int *part_of;       /* [n_trials] the part of each trial; set by the plan */
} cs_job;

/* Reads `path`, applies `sets` ("key=value", the key dotted) and makes the trials. Relative paths in the file are
 * relative to the working directory. Errors name path:line:column. */
CS_MUST_CHECK cs_status cs_job_read(const char *path, const char *const *sets, int n_sets, cs_job **out);
void cs_job_free(cs_job *job); /* NULL-safe */
/* Has only part `part`, from 0, of `parts` trained; parts 0: the whole sweep. CS_ERR_ARG if trials learn from others.
 */
CS_MUST_CHECK cs_status cs_job_divide(cs_job *job, int part, int parts);
/* Reduces the job to the one trial of that name ("t007") and the phases before it. It is then trained to its end, or
 * for `epochs` epochs if that is above 0. CS_ERR_ARG if its values are still to be chosen. */
CS_MUST_CHECK cs_status cs_job_only(cs_job *job, const char *trial, int epochs);
/* Has the trial one of the values of the swept option? */
bool cs_job_has_value(const cs_job *job, int trial, int option);
/* How many different values the trials have of the swept option; having none of them counts as one. */
int cs_job_count_values(const cs_job *job, int option);
/* Trials that differ only in the inner options, the last of the swept ones, which are the seed of repeats and the fold,
 * make up a cell; they follow one another. The number of inner options, and that of the trials of a cell. */
int cs_job_inner_options(const cs_job *job);
int cs_job_cell_trials(const cs_job *job);
/* The number of cells that n trials make up. */
int cs_job_count_cells(const cs_job *job, int n);
/* Are there trials whose splits are those of a fold? */
bool cs_job_has_folds(const cs_job *job);
/* The text of the trial's value of a swept option. */
const char *cs_job_value(const cs_job *job, int trial, int option);
/* Finds an option by its name ("lr", "train.lr"), or that of one phase ("phases.2.lr"), counted from 1. Its offsets are
 * those of the option itself. */
CS_MUST_CHECK cs_status cs_job_find_option(cs_job *job, const char *name, const cs_option **out);
/* The phase of an option that is of one phase alone; 0: it is of all. */
int cs_option_phase(const cs_option *option);
/* The phase of a trial, from 1. */
int cs_job_phase(const cs_job *job, int trial);
/* The most epochs that a trial and the phases before it have together. */
int cs_job_epochs(const cs_job *job, int trial);
/* Does another trial go on from the final state of this one? */
bool cs_job_is_before(const cs_job *job, int trial);
/* Is the final state of the trial written? */
bool cs_job_keeps_state(const cs_job *job, int trial);
/* Writes the swept options of a trial and their values: "fine_tune=4 augment=flip_hv". */
void cs_job_describe_trial(const cs_job *job, int trial, char *out, size_t size);
/* True if the trial belongs to another part of a divided sweep, unless an earlier run of this part has ended it. */
bool cs_job_in_other_part(const cs_job *job, int trial);
/* The number of trials of this part: those for which cs_job_in_other_part is false. */
int cs_job_part_trials(const cs_job *job);
/* Writes the name of a trial in file names, which has its number: "t007". */
void cs_job_trial_name(const cs_job *job, int trial, char *out, size_t size);
/* The same of the trial with that number, where only the number is known. */
void cs_trial_name(int number, char *out, size_t size);

#endif
