/* The group trainer: one batch stream, one frozen trunk, one tail a trial. A group of one is the ordinary case.
 *
 * Knows nothing of MPI or of the sweep: what happens is told through cs_train_events, a stop is asked for through
 * `stop`. Numbers are the same whatever else runs on the machine. */
#ifndef CNNSWEEP_TRAIN_H
#define CNNSWEEP_TRAIN_H

#include "cnnsweep/augment.h"
#include "cnnsweep/dataset.h"
#include "cnnsweep/engine.h"
#include "cnnsweep/metrics.h"
#include "cnnsweep/zoo.h"

#include <signal.h>

enum { CS_VALUE_MAX = 256 };

typedef struct cs_data_config {
    char path[CS_VALUE_MAX * 2];
    int image[2]; /* height, width; {0, 0}: as packed */
} cs_data_config;

typedef struct cs_train_config {
    int epochs;
    int batch;
    cs_optimizer optimizer;
    int64_t seed;
    bool shuffle;
    /* EarlyStopping(monitor, min_delta, patience, restore_best_weights=True); patience 0 = off */
    int patience;
    float min_delta;
    char monitor[32]; /* val_loss | val_accuracy | loss | accuracy */
} cs_train_config;

/* Everything that defines a trial. The option table (src/sweep/options.c) fills it, a row a field. */
typedef struct cs_trial_config {
    cs_data_config data;
    cs_model_config model;
    char weights[CS_VALUE_MAX * 2]; /* "" = initial values from the seed */
    bool allow_missing;
    char fine_tune[CS_NAME_MAX];
    cs_train_config train;
    char augment_name[CS_NAME_MAX]; /* "none" or a name under augmentations: */
    cs_augment augment;
} cs_trial_config;

/* One epoch, in Keras CSVLogger's terms; val_* are NaN when there is no validation split. */
typedef struct cs_epoch_row {
    int epoch; /* from 0 */
    double accuracy, loss, val_accuracy, val_loss;
    double learning_rate;
    double seconds;
} cs_epoch_row;

typedef struct cs_trial_result {
    int epochs_run;
    int best_epoch;                                /* from 0: by `monitor`; its weights are the ones tested */
    double accuracy, loss, val_accuracy, val_loss; /* at best_epoch */
    double test_accuracy, test_loss;               /* NaN when there is no test split */
    double test_macro_f1, test_weighted_f1;
    double seconds;           /* training, validation and test */
    double images_per_second; /* training images over training seconds */
    double stall_fraction;    /* share of training time spent waiting for input */
    size_t params_total, params_trainable;
    size_t memory; /* bytes planned by the engine */
} cs_trial_result;

/* Callbacks of a group; `trial` is the index in the group. Any may be NULL. A failure returned stops the group. */
typedef struct cs_train_events {
    void *context;
    cs_status (*epoch)(void *context, int trial, const cs_epoch_row *row);
    /* `test` is NULL when there is no test split. */
    cs_status (*finished)(void *context, int trial, const cs_trial_result *result, const cs_confusion *test);
    /* This trial failed (diverged, ...); the error is cs_error_last. The others go on. */
    cs_status (*failed)(void *context, int trial, cs_status code);
    /* After every step: batch of epoch, for progress display. */
    void (*step)(void *context, int epoch, int batch, int batches);
} cs_train_events;

/* Trains `n` trials that agree in everything but their tails; borrowed arguments. `stop` set by a signal handler makes
 * it return CS_ERR_INTERRUPTED after the current step. */
CS_MUST_CHECK cs_status cs_group_train(cs_engine *engine, const cs_trial_config *trials, int n,
                                       const cs_train_events *events, const volatile sig_atomic_t *stop);

/* Builds, loads weights into and freezes the network of a trial, for training, `summary` and cost estimates. `report`
 * is printed to the log. */
CS_MUST_CHECK cs_status cs_trial_network(const cs_trial_config *trial, int classes, cs_graph **graph,
                                         cs_params **params);

/* Multiply-adds of a trial, forward and backward over all epochs: the estimate the queue sorts by. */
double cs_trial_macs(const cs_trial_config *trial, const cs_graph *graph, int64_t train_images, int64_t val_images);

#endif
