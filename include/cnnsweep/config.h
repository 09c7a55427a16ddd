/* SPDX-License-Identifier: Apache-2.0 */
/* The definition of a trial: its configuration, the table of its options, and the keys by which trials are compared. */
#ifndef CNNSWEEP_CONFIG_H
#define CNNSWEEP_CONFIG_H

#include "cnnsweep/augment.h"
#include "cnnsweep/dataset.h"
#include "cnnsweep/filter.h"
#include "cnnsweep/folds.h"
#include "cnnsweep/metrics.h"
#include "cnnsweep/optimizer.h"
#include "cnnsweep/option.h"
#include "cnnsweep/zoo.h"

enum { CS_VALUE_MAX = 256 };

typedef struct cs_data_config {
    char path[CS_VALUE_MAX * 2];
    uint64_t checksum;      /* the expected cs_dataset_checksum; 0: any dataset is accepted */
    int image[2];           /* height and width; {0, 0}: as packed */
    cs_filter_chain filter; /* applied to every image as it is stored, before it is resized */
    cs_fold fold;           /* the splits are those of a fold; its members below are those of cs_folds */
    cs_fold_rule fold_rule;
    bool fold_shuffle;
    char fold_split[8];              /* "val" or "test" */
    char features[CS_VALUE_MAX * 2]; /* folder of the features files; "": "<path without .h5>.features" */
} cs_data_config;

/* FEATURES: the frozen layers run once over the images, without augmentation, and their outputs are kept in a file
 * (features.h); the other layers train on those. The numbers are those of FINE_TUNE with the same layers frozen. */
typedef enum cs_train_mode { CS_TRAIN_FINE_TUNE, CS_TRAIN_FEATURES } cs_train_mode;

/* When the rate of a schedule changes. AUTO: with every update in Keras' dialect, once an epoch in torch's, except that
 * one_cycle and cyclic change it with every update in both. */
typedef enum cs_schedule_interval { CS_INTERVAL_AUTO, CS_INTERVAL_EPOCH, CS_INTERVAL_STEP } cs_schedule_interval;
typedef enum cs_choice { CS_CHOICE_AUTO, CS_CHOICE_TRUE, CS_CHOICE_FALSE } cs_choice;
typedef enum cs_anneal { CS_ANNEAL_COS, CS_ANNEAL_LINEAR } cs_anneal;
typedef enum cs_threshold_mode { CS_THRESHOLD_AUTO, CS_THRESHOLD_ABS, CS_THRESHOLD_REL } cs_threshold_mode;

/* How the learning rate changes; schedule.h has the formulas and says which schedule reads which member. A length or a
 * number of NaN, or a whole number of 0, is `auto` or none. */
typedef struct cs_schedule_config {
    int kind; /* an index for cs_schedule_name */
    cs_schedule_interval interval;
    double decay_epochs; /* the length of the decay or of a cycle, in epochs, */
    int64_t decay_steps; /* or in updates */
    double decay_rate;
    bool staircase;
    char milestones[CS_VALUE_MAX]; /* "30,60": in epochs, */
    char boundaries[CS_VALUE_MAX]; /* or in updates */
    char values[CS_VALUE_MAX];
    double min_lr, power, k_decay, t_mul, m_mul, start_factor, end_factor;
    cs_choice cycle;
    double pct_start, div_factor, final_div_factor, base_momentum, max_momentum;
    cs_anneal anneal;
    bool cycle_momentum;
    double warmup_epochs; /* the length of the warm-up, in epochs, */
    int64_t warmup_steps; /* or in updates */
    double warmup_lr;
    bool warmup_prefix;
    /* The schedule `plateau`. */
    char plateau_monitor[CS_METRIC_NAME_MAX]; /* "auto": that of early stopping */
    int plateau_patience, cooldown;
    double threshold;
    cs_threshold_mode threshold_mode;
} cs_schedule_config;

/* Stochastic weight averaging (swa.h). */
typedef struct cs_swa_config {
    int start; /* the first epoch, from 0, whose weights are averaged; 0: none are */
    double lr; /* NaN or 0: that of the schedule */
    int anneal_epochs;
    cs_anneal anneal;
} cs_swa_config;

/* Is the monitored metric better when it is smaller or larger? AUTO: as metrics.h says of it. */
typedef enum cs_monitor_mode { CS_MONITOR_AUTO, CS_MONITOR_MIN, CS_MONITOR_MAX } cs_monitor_mode;

/* Which weights train.save_weights writes. */
typedef enum cs_saved_epoch { CS_SAVE_TESTED, CS_SAVE_BEST, CS_SAVE_LAST } cs_saved_epoch;

typedef enum cs_loss_kind { CS_LOSS_CROSS_ENTROPY, CS_LOSS_FOCAL } cs_loss_kind;

typedef struct cs_train_config {
    cs_train_mode mode;
    int epochs;
    int batch;
    cs_optimizer optimizer;
    char lr_mult[CS_VALUE_MAX]; /* cs_graph_set_lr_factors (graph.h) */
    cs_schedule_config schedule;
    cs_swa_config swa;
    cs_loss_kind loss;
    double focal_gamma, focal_alpha; /* engine.h */
    bool focal_balancing;            /* of a binary head: focal_alpha counts */
    double label_smoothing;          /* of the targets of train, val and test */
    char class_weight[CS_VALUE_MAX]; /* class_weight.h */
    bool sample_weight;              /* the weights of the dataset's samples count in the loss of train */
    int64_t seed;
    bool shuffle;
    /* Keras' EarlyStopping(monitor, min_delta, patience, mode, baseline, restore_best_weights, start_from_epoch).
     * Without a val split, val_* falls back to the same metric of the train split. Patience 0 turns it off: all epochs
     * run, and the weights of the last are tested, as in Keras without the callback. */
    int patience;
    double min_delta;
    char monitor[CS_METRIC_NAME_MAX]; /* a column of an epoch row (cs_metric_find_monitored) */
    cs_monitor_mode monitor_mode;
    double baseline;      /* NaN: none */
    int start_from_epoch; /* from 0 */
    bool restore_best_weights;
    /* What cs_metric_set_read takes: the columns that are computed and written. A job adds those that it needs. */
    char metrics[CS_VALUE_MAX * 2];
    /* "val,test": the splits that the tested weights are evaluated on after training, as far as the dataset has them;
     * the images of the train split are then not augmented. */
    char evaluate[CS_NAME_MAX];
    /* Where several ranks share a batch: batch norms that train take the statistics of the whole batch, not of the
     * rank's own rows. */
    bool sync_bn;
    char save_weights[16]; /* "none", or the suffix of the file that weights are written to */
    cs_saved_epoch save_epoch;
} cs_train_config;

/* A trial may be a later phase of training, which goes on from the weights that the phase before it tested. */
typedef struct cs_phase {
    uint64_t before;     /* cs_phase_key of the phase before; 0: this is the first, or the only one */
    bool keep_optimizer; /* the states of its optimizer go on too, with its number of updates */
} cs_phase;

/* Everything that defines a trial. Each row of an option (src/config/option_families.h) fills one member. */
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
    cs_phase phase;
} cs_trial_config;

/* The splits of the trial: those of its dataset, or those of a fold, which is drawn by train.seed. */
cs_folds cs_trial_folds(const cs_trial_config *trial);
/* The framework that the trial's network follows, which is the default of train.dialect. */
cs_train_dialect cs_trial_network_dialect(const cs_trial_config *trial);
/* The columns of metrics that a trial computes: those of train.metrics, and what early stopping and the schedule
 * monitor. */
CS_MUST_CHECK cs_status cs_trial_metrics(const cs_train_config *train, cs_metric_set *out);
/* Do the settings of the loss fit together? If not, CS_ERR_ARG. */
CS_MUST_CHECK cs_status cs_loss_check(const cs_train_config *train);
/* Is the split evaluated after training, if the dataset has it? */
bool cs_trial_evaluates(const cs_train_config *train, cs_split split);
/* What the evaluation of a split after training gives. */
cs_metric_split cs_metrics_after_training(cs_split split);
/* Is the metric computed for the split after training? */
bool cs_trial_tests(const cs_train_config *train, cs_split split, const char *metric);

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
/* The same without train.epochs: trials with equal hashes are one trial that is trained for longer. */
uint64_t cs_trial_key_of_any_length(const cs_trial_config *trial);
/* A hash of what a phase and those before it do to the initial values: of all that cs_trial_key covers but the weights
 * before training, in which the phases of a trial agree. */
uint64_t cs_phase_key(const cs_trial_config *trial);
/* May the phases of a trial differ in the option? They have one graph, dataset and mode. */
bool cs_option_is_of_phase(const cs_option *option);

/* Do both trials have the same graph and the same weights before training? Which layers are frozen, and the seed, may
 * differ. */
bool cs_same_network(const cs_trial_config *a, const cs_trial_config *b);

/* Can these two trials be trained in one group? They must agree in data, model, weights, batch, seed, shuffle,
 * filter, augmentation and mode, and go on from the same phase. Their heads may differ after gap or flatten if all
 * dense layers are trained; dropout and l2 may differ too, as they concern what is trained. Trials that train on
 * features must also agree in dropout and l2, and in which layers are frozen. */
bool cs_trials_can_share(const cs_trial_config *a, const cs_trial_config *b);

/* A hash that is equal for trials for which cs_trials_can_share holds. It does not depend on the paths of files: a
 * sweep has one dataset and one folder of features, and its parts, which may have copies of them in other folders, must
 * find the same order. */
uint64_t cs_trial_share_key(const cs_trial_config *trial);
/* A hash of everything that cs_work (cost.h) depends on: trials with equal hashes need the same work. */
uint64_t cs_trial_work_key(const cs_trial_config *trial);

#endif
