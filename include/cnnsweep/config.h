/* SPDX-License-Identifier: Apache-2.0 */
/* What a trial is: its configuration, the table of its options, and the keys by which trials are compared. */
#ifndef CNNSWEEP_CONFIG_H
#define CNNSWEEP_CONFIG_H

#include "cnnsweep/augment.h"
#include "cnnsweep/metrics.h"
#include "cnnsweep/optimizer.h"
#include "cnnsweep/option.h"
#include "cnnsweep/zoo.h"

enum { CS_VALUE_MAX = 256 };

typedef struct cs_data_config {
    char path[CS_VALUE_MAX * 2];
    uint64_t checksum;               /* cs_dataset_checksum of what is to be there; 0: of whatever is there */
    int image[2];                    /* height, width; {0, 0}: as packed */
    char features[CS_VALUE_MAX * 2]; /* folder of features files; "": "<path without .h5>.features" */
} cs_data_config;

/* FEATURES: what is frozen runs once over the images, unaugmented, and what it gave is kept in a file (features.h); the
 * rest trains on that. The numbers are those of FINE_TUNE with the same layers frozen. */
typedef enum cs_train_mode { CS_TRAIN_FINE_TUNE, CS_TRAIN_FEATURES } cs_train_mode;

typedef struct cs_train_config {
    cs_train_mode mode;
    int epochs;
    int batch;
    cs_optimizer optimizer;
    int schedule; /* of the learning rate: a row of cs_schedule_name (schedule.h) */
    int64_t seed;
    bool shuffle;
    /* Keras' EarlyStopping(monitor, min_delta, patience, restore_best_weights=True): the best epoch's weights are
     * restored and tested, also when the last epoch comes first. Without a val split val_* falls back to the
     * same metric of the train split. Patience 0 = off: as in Keras without the callback the last epoch's weights are
     * tested. */
    int patience;
    float min_delta;
    char monitor[CS_METRIC_NAME_MAX]; /* one of cs_metric_monitor_name */
    /* Batch norms that train take the statistics of the whole batch, not of a rank's part of it, where several ranks
     * share a batch. */
    bool sync_bn;
    char save_weights[16]; /* none, or the ending of the file that the tested weights are written to */
} cs_train_config;

/* Everything that defines a trial. The rows of src/config/trial_options.c fill it, a row a field. */
typedef struct cs_trial_config {
    cs_data_config data;
    cs_model_config model;
    char weights[CS_VALUE_MAX * 2]; /* "" = initial values from the seed */
    uint64_t weights_checksum;      /* cs_checksum_file of what is to be there; 0: of whatever is there */
    bool allow_missing;
    char fine_tune[CS_NAME_MAX];
    cs_train_config train;
    char augment_name[CS_NAME_MAX]; /* "none" or a name under augmentations: */
    cs_augment augment;
} cs_trial_config;

/* The options of a trial; the offsets of the rows are into cs_trial_config. */
const cs_option *cs_options(size_t *count);
/* Finds one by its key, or by the last part of that ("lr", as under sweep.parameters). */
CS_MUST_CHECK cs_status cs_option_find(const char *key, const cs_option **out);

/* Tells trials of one dataset apart, also between runs: a hash of the (name, text) of every option that differs from
 * its default and on which their numbers depend, so that an option that nobody sets changes no key. Weights count by
 * what the file holds where weights_checksum tells it, else by their path; an augmentation counts by its rules,
 * whatever it is called. Where dataset, weights, results and features lie is no part of it. */
uint64_t cs_trial_key(const cs_trial_config *trial);

/* Have both the same graph with the same weights before training? What is frozen, and the seed, may differ. */
bool cs_same_network(const cs_trial_config *a, const cs_trial_config *b);

/* May these two be trained in one group? They must agree in data, model, weights, batch, seed, shuffle, augmentation
 * and mode. Their heads may differ behind gap or flatten if all dense layers are trained; dropout and l2 may differ
 * too, as they are the head's. Where they train on features they must also agree in those two and in what is frozen. */
bool cs_trials_can_share(const cs_trial_config *a, const cs_trial_config *b);

/* A hash that is equal where cs_trials_can_share, but that does not depend on where files lie: a sweep has one dataset
 * and one folder of features, and its parts, which may have copies of them elsewhere, must see the same order. */
uint64_t cs_trial_share_key(const cs_trial_config *trial);
/* A hash that is equal where the networks are equal in all that cs_work (cost.h) tells. */
uint64_t cs_trial_work_key(const cs_trial_config *trial);

#endif
