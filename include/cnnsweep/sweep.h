/* SPDX-License-Identifier: Apache-2.0 */
/* Running a job: ranks, the queue of trials, the results folder.
 *
 * Every rank calls these functions in the same order; only rank 0 writes and prints. Trials that share a frozen trunk
 * and see the same batches are trained together, as a group of up to CS_GROUP_MAX trials (cs_trials_can_share). The
 * longest group is handed out first, to whichever rank asks. The numbers do not depend on the number of ranks.
 *
 * With ranks_per_trial: r each set of r ranks that follow one another is a rank group, which trains every batch of a
 * group of trials together (train.h says what that means for the numbers). The first rank of a rank group talks to rank
 * 0 for all. Rank groups do not wait for each other. The number of ranks must be a multiple of r. */
#ifndef CNNSWEEP_SWEEP_H
#define CNNSWEEP_SWEEP_H

#include "cnnsweep/job.h"

#include <stdio.h>

/* The most trials in a group. More would cost memory, and a stop in the middle would lose the work of all of them. */
enum { CS_GROUP_MAX = 32 };

/* The processes that mpirun or srun started; a lone process when none of them did (MPI is not even initialised). */
typedef struct cs_ranks cs_ranks;
CS_MUST_CHECK cs_status cs_ranks_open(cs_ranks **out);
void cs_ranks_close(cs_ranks *ranks); /* NULL-safe; waits for all ranks */
/* Ends all ranks at once: after CS_ERR_COMM a rank is out of step, and close would wait for ever. */
void cs_ranks_abort(const cs_ranks *ranks);
int cs_ranks_rank(const cs_ranks *ranks);
int cs_ranks_size(const cs_ranks *ranks);
/* SLURM_NTASKS and what the launcher says must be the number of ranks, or N lone processes would do the same work. */
CS_MUST_CHECK cs_status cs_ranks_check_launch(const cs_ranks *ranks);
/* CPU threads of a rank: `wanted` if > 0, else OMP_NUM_THREADS, else what was settled on, or before that the cores this
 * node's ranks may run on, divided by them. */
int cs_ranks_threads(const cs_ranks *ranks, int wanted);
/* Where nobody asks for a number of threads all ranks take the same, as the bits of a training step depend on it: that
 * of an `earlier` run of the same sweep (0: there was none), or no more than fit on the cores that other programs
 * leave, on the node where that is fewest. A collective call, also for ranks that were asked for a number. */
CS_MUST_CHECK cs_status cs_ranks_settle_threads(cs_ranks *ranks, int wanted, int earlier);
/* Ranks on this one's node, and this one's number among them. */
int cs_ranks_on_node(const cs_ranks *ranks);
int cs_ranks_rank_on_node(const cs_ranks *ranks);
/* When one rank failed, all fail: every rank gets the error of the first that did (an interruption yields to any other
 * error) and returns its code. A collective call, except after CS_ERR_COMM. */
CS_MUST_CHECK cs_status cs_ranks_agree(cs_ranks *ranks, cs_status mine);
/* Every rank gets rank 0's bytes. A collective call. */
CS_MUST_CHECK cs_status cs_ranks_share(cs_ranks *ranks, void *bytes, size_t size);

typedef struct cs_sweep_options {
    const char *out;   /* results folder; NULL: results/<name>, of a part results/<name>/part-i-of-n */
    bool force;        /* replace the results that are there */
    bool resume;       /* go on with them; where there are none, begin */
    bool retry_failed; /* with resume: also train again what failed */
} cs_sweep_options;

/* Checks everything that would fail in every trial (dataset, weights, each distinct network, the engine, the results
 * folder), then trains. The folder:
 *   trials.csv           a row a trial: swept options, status, reason, metrics, seconds, images/s, rank, engine,
 *                        precision, deterministic
 *   table.md             the pivot, also written to `out` on rank 0
 *   history/<trial>.csv  Keras CSVLogger columns, a row an epoch
 *   report/<trial>.txt   classification report and confusion matrix
 *   journal.jsonl        every epoch and trial row as it came in, written before the trial goes on
 *   checkpoints/         of trials that have not ended; gone when all have
 *   sweep.lock           while a program trains into the folder: a second one is refused
 * A trial that fails is a row with its reason. A write that fails ends the sweep, as SIGINT, SIGTERM and SIGUSR2 to any
 * rank do that has work (CS_ERR_INTERRUPTED); what is finished stays. Open MPI's mpirun passes SIGUSR2 on and gives the
 * ranks their time; SIGINT or SIGTERM to itself it passes on too, but kills what is left a second later and exits 1.
 * When every trial failed, the last reason is the error.
 *
 * With `resume` the journal says what there is: trials are found again by cs_trial_key, so a grid may be extended, cut
 * down or put into another order. Those that ended keep their number and row, the others go on from their checkpoint.
 * job->numbers and job->done are set accordingly. */
CS_MUST_CHECK cs_status cs_sweep_run(cs_ranks *ranks, cs_job *job, const cs_sweep_options *options, FILE *out);

/* A sweep as its folder tells it, running or not, to `out`. Reads only. */
CS_MUST_CHECK cs_status cs_sweep_status(const char *folder, FILE *out);

typedef struct cs_collect_options {
    const char *out;                    /* NULL: the deepest folder that all are in */
    const char *rows, *columns, *value; /* of the table; "none" for no axis; NULL: as the job asks */
    bool best;                          /* a cell is the best of what else is swept; repeats stay mean and sd */
} cs_collect_options;

/* Merges folders of one sweep, its parts for example, running or not; reads them only. To options->out go trials.csv,
 * table.md, table.csv, table.tex; to `out` the table and which trials are missing, or told of by several folders (the
 * first that finished counts). Trials have the names of the first folder. Folders of other job files, of other samples
 * and of no sweep are CS_ERR_*. */
CS_MUST_CHECK cs_status cs_sweep_collect(const char *const *folders, int n, const cs_collect_options *options,
                                         FILE *out);

/* --dry-run: the same checks, then the trials with their multiply-adds, how they are grouped for the ranks there are,
 * and the shape of the table. With `resume` of what is left to do. Rank 0 only. */
CS_MUST_CHECK cs_status cs_sweep_preview(const cs_ranks *ranks, cs_job *job, const cs_sweep_options *options,
                                         FILE *out);

#endif
