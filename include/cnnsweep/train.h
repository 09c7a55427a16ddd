/* SPDX-License-Identifier: Apache-2.0 */
/* The group trainer: it trains a group of trials that read the same batches and share one frozen trunk. Each trial has
 * its own tail, the layers after the trunk. A group of one trial is the ordinary case.
 *
 * The trainer knows nothing of MPI or of the sweep. It reports what happens through cs_train_events, and
 * cs_group_config.stop asks it to stop. A trial gives the same numbers alone and in a group, whatever else runs on the
 * machine.
 *
 * Several ranks may share every batch (cs_group_config.comm). Of a batch of n rows, rank i of r takes the rows [n*i/r,
 * n*(i+1)/r), which may be none. Gradients are averaged by rows, so that r ranks give the loss curve of one rank up to
 * rounding. Batch norms that train are the exception: each rank normalises with the statistics of its own rows, as
 * data-parallel training commonly does. With sync_bn they take the statistics of the whole batch instead. The moving
 * statistics are averaged by rows after every step (Keras' MirroredStrategy does this when they are read), so that all
 * ranks hold the same values. The rows of val and test are divided among the ranks too, and their sums added. A trial
 * that fails on one rank leaves the group on all ranks. If the group fails or any rank is asked to stop, all ranks end
 * after the same step.
 *
 * The metrics of an epoch on the train split are those of the predictions that were made while the weights changed, as
 * Keras reports them; all others are computed with fixed weights. The seconds of work that the trials of a
 * group share (input, trunk) are divided evenly among them. */
#ifndef CNNSWEEP_TRAIN_H
#define CNNSWEEP_TRAIN_H

#include "cnnsweep/comm.h"
#include "cnnsweep/config.h"
#include "cnnsweep/dataset.h"
#include "cnnsweep/engine.h"
#include "cnnsweep/filtered.h"
#include "cnnsweep/metrics.h"
#include "cnnsweep/row_cache.h"

#include <signal.h>

/* One epoch. `value` holds the metrics of train and val, at the indexes of cs_metric_columns; those of val are NaN when
 * there is no val split, and those that cs_trial_metrics does not have are NaN. */
typedef struct cs_epoch_row {
    int epoch;            /* from 0; those of earlier phases count */
    double learning_rate; /* of the last update of the epoch */
    double seconds;
    double time; /* when the sweep wrote it, in seconds since 1970; 0: not known */
    double value[CS_EPOCH_VALUES];
} cs_epoch_row;

/* Why a trial ended. BY_CALLER: the callback `epoch` asked for it. */
typedef enum cs_trial_ending {
    CS_IN_TRAINING,
    CS_ENDED_EPOCHS,
    CS_ENDED_EARLY_STOPPING,
    CS_ENDED_BY_CALLER
} cs_trial_ending;

typedef struct cs_trial_result {
    int epochs_run; /* with those of earlier phases */
    cs_trial_ending ending;
    /* From 0; the weights of this epoch are tested. It is the last one without early stopping, or without
     * restore_best_weights. */
    int best_epoch;
    /* At the indexes of cs_metric_columns: the metrics of train and val at best_epoch, and those of the tested weights
     * on test and on the train split, which are NaN where a split is not evaluated. */
    double value[CS_RESULT_VALUES];
    double seconds;           /* training, validation and the evaluations after training */
    double images_per_second; /* training images over training seconds */
    double stall_fraction;    /* fraction of the training time spent waiting for input */
    size_t params_total, params_trainable;
    /* fraction of the images, counted each time they are shown, whose trunk output came from the cache */
    double reused;
    size_t memory; /* bytes planned by the engine */
} cs_trial_result;

/* Callbacks of a group. `trial` is the index in the group. Any callback may be NULL. If one returns a failure, the
 * group stops and cs_group_train returns that failure. */
typedef struct cs_train_events {
    void *context;
    /* If the callback sets *enough to true, the trial ends: it is tested and finished as if this had been its last
     * epoch. */
    cs_status (*epoch)(void *context, int trial, const cs_epoch_row *row, bool *enough);
    /* `evaluations` [CS_SPLIT_COUNT] are those of the tested weights; NULL for a split that is not evaluated
     * (cs_trial_evaluates) or that the dataset does not have. `params` (borrowed) are the weights
     * that train.save_epoch asks for, by default the tested ones. `dataset` (borrowed) has the splits of the trial. */
    cs_status (*finished)(void *context, int trial, const cs_trial_result *result,
                          const cs_evaluation *const *evaluations, const cs_params *params, const cs_dataset *dataset);
    /* The trial failed (it diverged, its network cannot be built, ...); cs_error_last has the error. The other trials
     * continue. If this callback is NULL, a failed trial stops the group. */
    cs_status (*failed)(void *context, int trial, cs_status code);
    /* Called after every train step: `batch` of `batches` are done. */
    void (*step)(void *context, int epoch, int batch, int batches);
    /* Called after every train step of a trial, with the rate that the schedule had and the mean loss of the batch. */
    void (*batch)(void *context, int trial, double learning_rate, double loss);
} cs_train_events;

/* The files of a trial, in folders that exist. Each may be NULL. A file that cannot be written stops the group. */
typedef struct cs_trial_files {
    /* If this file exists, the trial resumes from it, with the same bits as if it had never stopped; it joins the
     * others when they reach its epoch and batch. It is written at the end of an epoch, after the epoch's row was
     * reported, when `checkpoint_seconds` have passed since the last time, and also when a stop is asked for, even in
     * the middle of an epoch. It is removed after `finished` or `failed` has returned. Next to it there may be a
     * "<file>.previous" and a "<file>.next". */
    const char *checkpoint;
    /* A final state, from which the trial begins: that of the phase before (trial.phase), whose tested weights are the
     * initial values of this one and whose epochs count on; or that of the same trial, which ended after fewer epochs
     * and goes on as if it had been asked for all of them at once. CS_ERR_FORMAT if it is that of another trial. */
    const char *start;
    /* Where the trial's own final state is written when its training has ended, before `finished` is called. */
    const char *end;
} cs_trial_files;

typedef struct cs_group_config {
    const cs_trial_config *trials; /* [n]; cs_trials_can_share must hold for every pair */
    int n;
    const cs_trial_files *files; /* [n], or NULL: no trial has any */
    double checkpoint_seconds;
    /* The val split is not evaluated, as if the dataset had none; for a caller who stops the group before it ends. */
    bool trains_only;
    /* Limits of the cache of trunk outputs; all 0: no cache. The trainer caches the output of the first part of the
     * trunk, up to the layer where the first tail begins: for val, for test, and for train where the augmentations can
     * make only a few variants of an image. Later epochs read it from there. The numbers are the same with and without
     * the cache. For an engine that has stores, `memory` limits the device's memory, and no file is used. */
    cs_cache_limits cache;
    /* Keeps the images that data.filter made, for the epochs of this group and for later groups. NULL: they are
     * filtered anew in every epoch. */
    cs_filter_cache *filter_cache;
    /* The ranks that share every batch, each of which makes this call; NULL: this rank alone. Callbacks run on rank 0
     * only, and what they return holds for all ranks. */
    const cs_comm *comm;
    const cs_train_events *events; /* may be NULL */
    /* CS_NEEDS_*: what `finished` reads of the evaluation of each split. What the metrics need is collected anyway. */
    unsigned needs[CS_SPLIT_COUNT];
    /* CS_NEEDS_*: what `finished` reads as well where there is memory for it: where the scores (rows x classes) of a
     * split are at most `optional_values` for all trials together. */
    unsigned optional_needs[CS_SPLIT_COUNT];
    int64_t optional_values;
    /* May be NULL. When a signal handler sets it, cs_group_train finishes the current step, writes checkpoints and
     * returns CS_ERR_INTERRUPTED. */
    const volatile sig_atomic_t *stop;
} cs_group_config;

/* Trains the trials together; the arguments are borrowed. Returns CS_ERR_FORMAT if the checksum of the dataset or of a
 * weights file differs from the one in the trials. Train steps and validation allocate no memory, except that an
 * engine may do so when it takes parameters, once an epoch, and that filters may do so for the first images. */
CS_MUST_CHECK cs_status cs_group_train(cs_engine *engine, const cs_group_config *config);

/* These compare the checksums of the weights file and of the dataset with trial->weights_checksum and
 * trial->data.checksum, and return CS_ERR_FORMAT if they differ. A checksum of 0 in the trial accepts any content. */
CS_MUST_CHECK cs_status cs_trial_check_weights(const cs_trial_config *trial);
CS_MUST_CHECK cs_status cs_trial_check_data(const cs_trial_config *trial, const cs_dataset *dataset);

/* If the trial leaves data.image at {0, 0}, sets it from the dataset; CS_ERR_ARG when the dataset's images keep their
 * own sizes. */
CS_MUST_CHECK cs_status cs_trial_resolve_image(const cs_dataset *dataset, cs_trial_config *trial);

/* Builds the network of a trial, loads its weights and freezes its layers; used for training, for `summary` and for
 * cost estimates. The input size is data.image, or model.input_h x input_w where that is {0, 0}. Logs the report on the
 * weights, and one line on what is trainable. */
CS_MUST_CHECK cs_status cs_trial_network(const cs_trial_config *trial, int classes, cs_graph **graph,
                                         cs_params **params);

/* Returns CS_ERR_UNSUPPORTED if the trial's augmentation asks for a standardization that its images are too large for,
 * and CS_ERR_ARG if data.val_augment asks for another one than train.augment.
 * With `log` says what the standardization replaces (info, or a warning for pretrained weights). data.image must be
 * resolved. */
CS_MUST_CHECK cs_status cs_trial_check_standardization(const cs_trial_config *trial, bool log);

/* In mode features: logs (info) the file of the features and whether it exists, unless each fold has one of its own.
 * Returns CS_ERR_FORMAT for a damaged file, so that a sweep fails before it starts and not in every trial. data.image
 * must be resolved; `engine` is the name of the engine that will train. */
CS_MUST_CHECK cs_status cs_trial_check_features(const cs_trial_config *trial, const cs_dataset *dataset,
                                                const cs_graph *graph, const cs_params *params, const char *engine);

/* The first layer of the trial's own tail; the layers before it are the frozen trunk, which trials may share. The cut
 * is never between two layers that an engine may fuse (such as a batch norm and its activation), so that a trunk gives
 * the same numbers however many tails read from it. It is only where a single value passes, so never inside a residual
 * block. It is 0 when no layer before it has parameters that can be trained, because such a trunk would save nothing.
 */
int cs_trial_cut(const cs_graph *graph);

/* Checks before training that the folder of computed features (train.mode: features) exists or can be made. */
CS_MUST_CHECK cs_status cs_features_folder_check(const cs_data_config *data);

#endif
