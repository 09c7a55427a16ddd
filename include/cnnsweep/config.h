/* SPDX-License-Identifier: Apache-2.0 */
/* The definition of a trial: its configuration, the table of its options, and the keys by which trials are compared. */
#ifndef CNNSWEEP_CONFIG_H
#define CNNSWEEP_CONFIG_H

#include "cnnsweep/augment.h"
#include "cnnsweep/dataset.h"
#include "cnnsweep/filter.h"
#include "cnnsweep/metrics.h"
#include "cnnsweep/optimizer.h"
#include "cnnsweep/option.h"
#include "cnnsweep/zoo.h"

enum { CS_VALUE_MAX = 256 };

typedef struct cs_data_config {
    char path[CS_VALUE_MAX * 2];
    uint64_t checksum;               /* the expected cs_dataset_checksum; 0: any dataset is accepted */
    int image[2];                    /* height and width; {0, 0}: as packed */
    cs_filter_chain filter;          /* applied to every image as it is stored, before it is resized */
    char features[CS_VALUE_MAX * 2]; /* folder of the features files; "": "<path without .h5>.features" */
} cs_data_config;

/* FEATURES: the frozen layers run once over the images, without augmentation, and their outputs are kept in a file
 * (features.h); the other layers train on those. The numbers are those of FINE_TUNE with the same layers frozen. */
typedef enum cs_train_mode { CS_TRAIN_FINE_TUNE, CS_TRAIN_FEATURES } cs_train_mode;

typedef struct cs_train_config {
    cs_train_mode mode;
    int epochs;
    int batch;
    cs_optimizer optimizer;
    int schedule; /* of the learning rate: an index for cs_schedule_name (schedule.h) */
    int64_t seed;
    bool shuffle;
    /* Keras' EarlyStopping(monitor, min_delta, patience, restore_best_weights=True): the weights of the best epoch are
     * restored and tested, even if all epochs run. Without a val split, val_* falls back to the same metric of the
     * train split. Patience 0 turns it off: the weights of the last epoch are tested, as in Keras without the callback.
     */
    int patience;
    float min_delta;
    char monitor[CS_METRIC_NAME_MAX]; /* a name from cs_metric_monitor_name */
    /* Where several ranks share a batch: batch norms that train take the statistics of the whole batch, not of the
     * rank's own rows. */
    bool sync_bn;
    char save_weights[16]; /* "none", or the suffix of the file that the tested weights are written to */
} cs_train_config;

/* Everything that defines a trial. Each row of the table in src/config/trial_options.c fills one member. */
typedef struct cs_trial_config {
    cs_data_config data;
    cs_model_config model;
    char weights[CS_VALUE_MAX * 2]; /* "": initial values from the seed */
    uint64_t weights_checksum;      /* the expected cs_checksum_file; 0: any file is accepted */
    bool allow_missing;
    char fine_tune[CS_NAME_MAX];
    cs_train_config train;
    char augment_name[CS_NAME_MAX]; /* "none" or a name under augmentations: */
    cs_augment augment;
    char val_augment_name[CS_NAME_MAX]; /* of val and test: also "true", the same as train */
    cs_augment val_augment;
} cs_trial_config;

/* What is done to the images of a split. */
const cs_augment *cs_trial_augment(const cs_trial_config *trial, cs_split split);

/* The options of a trial. The offsets in the rows are offsets into cs_trial_config. */
const cs_option *cs_options(size_t *count);
/* Finds an option by its key, or by the last part of the key ("lr"), as sweep.parameters names it. */
CS_MUST_CHECK cs_status cs_option_find(const char *key, const cs_option **out);

/* A hash that identifies a trial among those of one dataset, also between runs. It covers the (name, text) of every
 * option that differs from its default and on which the results depend; a new option therefore changes no key until a
 * job sets it. Weights count by the content of the file where weights_checksum is known, else by their path. An
 * augmentation counts by its rules and not by its name. The paths of dataset, weights, results and features do not
 * count. */
uint64_t cs_trial_key(const cs_trial_config *trial);

/* Do both trials have the same graph and the same weights before training? Which layers are frozen, and the seed, may
 * differ. */
bool cs_same_network(const cs_trial_config *a, const cs_trial_config *b);

/* Can these two trials be trained in one group? They must agree in data, model, weights, batch, seed, shuffle,
 * filter, augmentation and mode. Their heads may differ after gap or flatten if all dense layers are trained; dropout
 * and l2 may differ too, as they belong to the head. Trials that train on features must also agree in dropout and l2,
 * and in which layers are frozen. */
bool cs_trials_can_share(const cs_trial_config *a, const cs_trial_config *b);

/* A hash that is equal for trials for which cs_trials_can_share holds. It does not depend on the paths of files: a
 * sweep has one dataset and one folder of features, and its parts, which may have copies of them in other folders, must
 * find the same order. */
uint64_t cs_trial_share_key(const cs_trial_config *trial);
/* A hash of everything that cs_work (cost.h) depends on: trials with equal hashes need the same work. */
uint64_t cs_trial_work_key(const cs_trial_config *trial);

#endif
