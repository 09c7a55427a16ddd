/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a job: its ranks, the queue of trials, the results folder.
 *
 * Every rank calls these functions in the same order; only rank 0 writes and prints. Trials that share a frozen trunk
 * and see the same batches are trained together, as a group of up to CS_GROUP_MAX trials (cs_trials_can_share). A rank
 * that asks for work gets the longest group that is left. The numbers do not depend on the number of ranks.
 *
 * With ranks_per_trial: r, each r consecutive ranks are a rank group, which trains every batch of a group of trials
 * together (train.h says what that means for the numbers). The first rank of a rank group communicates with rank 0 for
 * all of them. Rank groups do not wait for each other. The number of ranks must be a multiple of r. */
#ifndef CNNSWEEP_SWEEP_H
#define CNNSWEEP_SWEEP_H

#include "cnnsweep/file.h"
#include "cnnsweep/job.h"

#include <stdio.h>

/* The most trials in a group. More would need more memory, and an interruption would lose the work of all of them. */
enum { CS_GROUP_MAX = 32 };

/* The processes that mpirun or srun started. Without these there is one process, and MPI is not even initialised. */
typedef struct cs_ranks cs_ranks;
CS_MUST_CHECK cs_status cs_ranks_open(cs_ranks **out);
void cs_ranks_close(cs_ranks *ranks); /* NULL-safe; waits for all ranks */
/* Ends all ranks at once. After CS_ERR_COMM a rank is out of step, and cs_ranks_close would wait for ever. */
void cs_ranks_abort(const cs_ranks *ranks);
int cs_ranks_rank(const cs_ranks *ranks);
int cs_ranks_size(const cs_ranks *ranks);
/* Checks that SLURM_NTASKS and the count that the launcher sets are the number of ranks. Where they are not, N
 * processes that do not know of each other would do the same work. */
CS_MUST_CHECK cs_status cs_ranks_check_launch(const cs_ranks *ranks);
/* CPU threads of a rank: `wanted` if that is above 0, else OMP_NUM_THREADS, else the number that
 * cs_ranks_choose_threads chose. Before that call it is the number of cores on which this node's ranks may run, divided
 * by the number of these ranks. */
int cs_ranks_threads(const cs_ranks *ranks, int wanted);
/* Chooses the number of threads where neither the job nor OMP_NUM_THREADS sets it. All ranks use the same number,
 * because the bits of a training step depend on it. It is the number of an `earlier` run of the same sweep (0: there
 * was none), or else what fits on the cores that other programs leave free, on the node that has the fewest. A
 * collective call, also for ranks for which a number is set. */
CS_MUST_CHECK cs_status cs_ranks_choose_threads(cs_ranks *ranks, int wanted, int earlier);
/* The number of ranks on this rank's node, and this rank's index among them. */
int cs_ranks_on_node(const cs_ranks *ranks);
int cs_ranks_rank_on_node(const cs_ranks *ranks);
/* Makes all ranks fail if one failed: each gets the error of the first rank that failed and returns its code. Any other
 * error takes precedence over an interruption. A collective call, except after CS_ERR_COMM. */
CS_MUST_CHECK cs_status cs_ranks_agree(cs_ranks *ranks, cs_status mine);
/* Copies rank 0's bytes to every rank. A collective call. */
CS_MUST_CHECK cs_status cs_ranks_share(cs_ranks *ranks, void *bytes, size_t size);

typedef struct cs_sweep_options {
    const char *out;   /* the results folder; NULL: results/<name>, for a part results/<name>/part-i-of-n */
    bool force;        /* replace the results in the folder */
    bool resume;       /* go on with the results in the folder; if it has none, begin */
    bool extend;       /* with resume: trials that ended after fewer epochs than they have now go on */
    bool retry_failed; /* with resume: train failed trials again */
} cs_sweep_options;

/* Checks everything that would fail in every trial (dataset, weights, each distinct network, the engine, the results
 * folder), then trains. The results folder has:
 *   trials.csv           a row for each trial: swept options, status, reason, metrics, seconds, images/s, rank, engine,
 *                        precision, deterministic
 *   table.md             the pivot, which rank 0 also prints to `out`
 *   history/<trial>.csv  a row for each epoch, with the columns of Keras' CSVLogger
 *   tensorboard/         event files for TensorBoard, with the option tensorboard (results/event_files.h)
 *   report/<trial>.txt   classification report and confusion matrix
 *   report.html          the page about the sweep, see cs_sweep_report
 *   journal.jsonl        every epoch and trial row in the order of arrival, written before the trial goes on
 *   checkpoints/         of trials that have not ended; removed when all have
 *   states/              final states: of phases that others go on from, until all trials have ended, and of those that
 *                        keep_state keeps
 *   progress.json        what is being trained, until the sweep ends
 *   sweep.lock           locked while a program trains into the folder: a second one is refused
 * A trial that fails is a row with its reason. When every trial failed, the last reason is the error.
 *
 * A write that fails ends the sweep. So does SIGINT, SIGTERM or SIGUSR2 to any rank that has work
 * (CS_ERR_INTERRUPTED). Finished trials stay. Open MPI's mpirun passes SIGUSR2 on and waits for the ranks. It also
 * passes SIGINT and SIGTERM on, but a second later it kills the ranks that are left and exits with 1.
 *
 * With `resume` the sweep goes on with what the journal has. Trials are found again by cs_trial_key, so a grid may be
 * extended, cut down or reordered. Trials that ended keep their number and row; the others go on from their checkpoint.
 * With `extend` a trial that ended after fewer epochs than it has now goes on from its final state, with one history.
 * job->numbers and job->done are set accordingly. */
CS_MUST_CHECK cs_status cs_sweep_run(cs_ranks *ranks, cs_job *job, const cs_sweep_options *options, FILE *out);

/* Prints to `out` how far the sweeps of results folders are, whether they are still running or not; a folder of parts
 * stands for these. Only reads. With `seconds` above 0 it does so again every so many seconds, on a terminal in place,
 * until none is running or `stop` is set. */
CS_MUST_CHECK cs_status cs_sweep_status(const char *const *folders, int n, double seconds,
                                        const volatile sig_atomic_t *stop, FILE *out);

typedef struct cs_collect_options {
    const char *out;                    /* NULL: the deepest folder that contains all */
    const char *rows, *columns, *value; /* of the table; "none": the table has none; NULL: as the job has it */
    bool again;                         /* damaged lines of a journal are not named, since this process has done so */
    bool best;                          /* a cell has the best over the other swept options; repeats stay mean and sd */
} cs_collect_options;

/* Merges results folders of one sweep, such as its parts, whether still running or not, and only reads them. Writes
 * trials.csv, table.md, table.csv and table.tex to options->out. Prints to `out` the table and the trials that are
 * missing or that several folders have; of these the first that finished counts. Trials have the names of the first
 * folder. A folder of another job file, of other samples or of no sweep is an error. */
CS_MUST_CHECK cs_status cs_sweep_collect(const char *const *folders, int n, const cs_collect_options *options,
                                         FILE *out);

typedef struct cs_report_options {
    const char *out;                    /* NULL: the folder itself, or the deepest that contains all */
    const char *rows, *columns, *value; /* of the table, as in cs_collect_options */
    bool figures;                       /* write every chart as a file of its own, too */
    const cs_dataset *dataset;          /* borrowed: that of the sweep; NULL: it is opened, if it is still there */
    bool again;                         /* as in cs_collect_options */
    cs_engine *engine;                  /* borrowed: explains what networks look at; NULL: nothing is explained */
    bool explain_all;                   /* explain all trials that kept their weights, not only the best of them */
} cs_report_options;

/* Writes report.html (page.h) from the results folders of one sweep, such as its parts, whether still running or not,
 * which are only read. `out` becomes the folder that it is in. Errors are those of cs_sweep_collect. */
CS_MUST_CHECK cs_status cs_sweep_report(const char *const *folders, int n, const cs_report_options *options,
                                        char out[CS_PATH_MAX]);

typedef struct cs_lr_find_options {
    double min, max; /* the rates of the first and of the last step */
    int steps;
    const char *out; /* the folder that is written to; NULL: as in cs_sweep_options */
} cs_lr_find_options;

/* Makes a range test (lr_find.h) with the job's first trial, or the first phase of its training. Writes lr_find.csv, a
 * row for each step, and lr_find.svg to the folder, and prints the suggestions to `out`. One rank only. */
CS_MUST_CHECK cs_status cs_sweep_lr_find(cs_ranks *ranks, cs_job *job, const cs_lr_find_options *options, FILE *out);

/* --dry-run: makes the same checks, then prints the trials with their multiply-adds, how they are grouped for the given
 * number of ranks, and the shape of the table. With `resume` it prints only what is left to do. Rank 0 only. */
CS_MUST_CHECK cs_status cs_sweep_preview(const cs_ranks *ranks, cs_job *job, const cs_sweep_options *options,
                                         FILE *out);

#endif
