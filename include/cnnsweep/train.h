/* SPDX-License-Identifier: Apache-2.0 */
/* The group trainer: one batch stream, one frozen trunk, one tail a trial. A group of one is the ordinary case.
 *
 * Knows nothing of MPI or of the sweep: what happens is told through cs_train_events, a stop is asked for through
 * cs_group_config.stop. A trial gives the same numbers alone and in a group, whatever else runs on the machine.
 *
 * Ranks may share every batch (cs_group_config.comm). A batch of n rows is that of one rank: rank i of r takes the rows
 * [n*i/r, n*(i+1)/r), which may be none, and gradients are averaged by rows, so that r ranks give the loss curve of one
 * but for rounding. Batch norms that train are the exception: each rank normalises with the statistics of its own rows,
 * as data-parallel training commonly does, unless sync_bn has them take those of the whole batch. Their moving
 * statistics are averaged by rows after every step (as Keras' MirroredStrategy does when they are read): all ranks hold
 * the same. Val and test are shared out by rows too, and their sums added. A trial that fails on one rank leaves on
 * all; a failure of the group or a stop on any rank ends all of them behind the same step.
 *
 * Loss and accuracy of an epoch are the running means over its batches while the weights move, as Keras reports them;
 * those of val and test are of fixed weights. Seconds of a group's common work (input, trunk) are shared out evenly. */
#ifndef CNNSWEEP_TRAIN_H
#define CNNSWEEP_TRAIN_H

#include "cnnsweep/comm.h"
#include "cnnsweep/config.h"
#include "cnnsweep/dataset.h"
#include "cnnsweep/engine.h"
#include "cnnsweep/metrics.h"
#include "cnnsweep/row_cache.h"

#include <signal.h>

/* One epoch. The metrics are those of train and val, in the places of cs_metric_columns; val's are NaN when there is no
 * validation split. */
typedef struct cs_epoch_row {
    int epoch; /* from 0 */
    double learning_rate;
    double seconds;
    double value[CS_EPOCH_VALUES];
} cs_epoch_row;

typedef struct cs_trial_result {
    int epochs_run;
    int best_epoch; /* from 0; its weights are the ones tested; patience 0: the last */
    /* In the places of cs_metric_columns: those of train and val at best_epoch; test's are NaN when there is no test
     * split. */
    double value[CS_RESULT_VALUES];
    double seconds;           /* training, validation and test */
    double images_per_second; /* training images over training seconds */
    double stall_fraction;    /* share of training time spent waiting for input */
    size_t params_total, params_trainable;
    double reused; /* share of the images, each time they were shown, that the cache had for the trunk */
    size_t memory; /* bytes planned by the engine */
} cs_trial_result;

/* Callbacks of a group; `trial` is the index in the group. Any may be NULL. A failure returned stops the group and is
 * what cs_group_train returns. */
typedef struct cs_train_events {
    void *context;
    /* *enough = true ends the trial here: it is tested and finished as if this had been its last epoch. */
    cs_status (*epoch)(void *context, int trial, const cs_epoch_row *row, bool *enough);
    /* `test` is NULL when there is no test split; `params` are those that were tested, borrowed. */
    cs_status (*finished)(void *context, int trial, const cs_trial_result *result, const cs_evaluation *test,
                          const cs_params *params);
    /* This trial failed (diverged, its network cannot be built, ...); the error is cs_error_last. The others go on.
     * NULL: a failure stops the group. */
    cs_status (*failed)(void *context, int trial, cs_status code);
    /* After every training step: `batch` of `batches` are done. */
    void (*step)(void *context, int epoch, int batch, int batches);
} cs_train_events;

typedef struct cs_group_config {
    const cs_trial_config *trials; /* [n], of which every pair can share */
    int n;
    /* [n] a file a trial in folders that are there, or NULL. A trial whose file is there goes on from it, bit by bit as
     * if it had never stopped; it joins the others when they come to where it stands. Written at the end of an epoch,
     * when its row has been taken and `checkpoint_seconds` have passed since the last time, and when a stop is asked
     * for, in the middle of an epoch too; removed when `finished` or `failed` has been taken. Beside each there may be
     * a "<file>.previous" and a "<file>.next". A file that cannot be written stops the group. */
    const char *const *checkpoints;
    double checkpoint_seconds;
    /* What the first part of the trunk makes of the images, up to where the first tail begins, is kept within these
     * limits for later epochs where augmentations make few pictures of an image, and of val and test. All 0: off. The
     * numbers are the same with and without. Where the engine has stores it is its memory that `memory` is of, and
     * there is no file. */
    cs_cache_limits cache;
    /* Ranks that share every batch, each of which makes this call; NULL: this one alone. Events are told on rank 0, and
     * what they answer holds for all. */
    const cs_comm *comm;
    const cs_train_events *events; /* may be NULL */
    /* CS_NEEDS_*: what `finished` reads of the evaluation of the test split; the metrics' own needs are met anyway. */
    unsigned test_needs;
    /* May be NULL. Set by a signal handler it makes cs_group_train write checkpoints and return CS_ERR_INTERRUPTED
     * after the current step. */
    const volatile sig_atomic_t *stop;
} cs_group_config;

/* Trains the trials together. Borrowed arguments. A dataset or a weights file that is not the one whose checksum the
 * trials give is CS_ERR_FORMAT. Steps and validation allocate nothing; an engine may, where it takes
 * parameters once an epoch. */
CS_MUST_CHECK cs_status cs_group_train(cs_engine *engine, const cs_group_config *config);

/* The weights file, and the dataset, hold what trial->weights_checksum and trial->data.checksum say (0: whatever it
 * is), else CS_ERR_FORMAT. */
CS_MUST_CHECK cs_status cs_trial_check_weights(const cs_trial_config *trial);
CS_MUST_CHECK cs_status cs_trial_check_data(const cs_trial_config *trial, const cs_dataset *dataset);

/* Sets data.image from the dataset where the trial leaves it {0, 0}; CS_ERR_ARG when images keep their own sizes. */
CS_MUST_CHECK cs_status cs_trial_resolve_image(const cs_dataset *dataset, cs_trial_config *trial);

/* Builds, loads weights into and freezes the network of a trial, for training, `summary` and cost estimates. The input
 * is data.image, or model.input_h x input_w where that is {0, 0}. The report on the weights and one line on what is
 * trainable go to the log. */
CS_MUST_CHECK cs_status cs_trial_network(const cs_trial_config *trial, int classes, cs_graph **graph,
                                         cs_params **params);

/* In mode features: tells (info) which file has the features, and whether it is there yet. One that is damaged is
 * CS_ERR_FORMAT: before a sweep rather than in every trial. data.image is resolved; `engine` is the name of the one
 * that will train. */
CS_MUST_CHECK cs_status cs_trial_check_features(const cs_trial_config *trial, const cs_dataset *dataset,
                                                const cs_graph *graph, const cs_params *params, const char *engine);

/* First layer of the trial's own tail; the layers before it are the frozen trunk, which trials may share. Never between
 * two layers that an engine may fuse (a batch norm and its activation), so that a trunk gives the same numbers however
 * many trials hang off it; and only where a single value passes, not inside a residual block. 0 when nothing before it
 * could ever learn: such a trunk would save nothing. */
int cs_trial_cut(const cs_graph *graph);

#endif
