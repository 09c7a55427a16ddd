/* SPDX-License-Identifier: Apache-2.0 */
/* The options of the training, other than those of its optimizer and its schedule. */
#include "cnnsweep/class_weight.h"
#include "option_families.h"

#include <string.h>

static const char *mode_name(int value) {
    static const char *const names[] = {[CS_TRAIN_FINE_TUNE] = "fine_tune", [CS_TRAIN_FEATURES] = "features", NULL};
    return names[value];
}

static const char *weights_format_name(int value) {
    static const char *const names[] = {"none", "h5", "weights.h5", "safetensors", NULL};
    return names[value];
}

static cs_status check_metrics(const void *config) {
    cs_metric_set set;
    cs_status status = cs_metric_set_read(((const cs_trial_config *)config)->train.metrics, &set);
    return status == CS_OK ? CS_OK : cs_context(status, "train.metrics");
}

cs_status cs_option_parse_monitor(const cs_option *option, const char *text, void *field) {
    int column;
    cs_status status = cs_metric_find_monitored(text, &column);
    if (status != CS_OK)
        return cs_context(status, "%s", option->key);
    snprintf(field, option->size, "%s", text);
    return CS_OK;
}

static cs_status check_evaluate(const void *config) {
    const char *splits = ((const cs_trial_config *)config)->train.evaluate;
    static const char *const names[] = {"train", "val", "test"};
    for (const char *at = splits; *at;) {
        char name[CS_NAME_MAX], guess[64];
        size_t length = strcspn(at, ",");
        bool known = false;
        snprintf(name, sizeof name, "%.*s", (int)length, at);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            known = known || strcmp(name, names[i]) == 0;
        if (!known)
            return cs_hint(cs_fail(CS_ERR_ARG, "train.evaluate: unknown split '%s'%s", name,
                                   cs_did_you_mean(name, names, sizeof names / sizeof *names, guess, sizeof guess)),
                           "write evaluate: [train, val, test], or some of them");
        at += length + (at[length] == ',');
    }
    return CS_OK;
}

static void identify_augment(const void *config, char *out, size_t size) {
    cs_augment_text(&((const cs_trial_config *)config)->augment, out, size);
}

static const char *monitor_mode_name(int value) {
    static const char *const names[] = {"auto", "min", "max", NULL};
    return names[value];
}

static const char *saved_epoch_name(int value) {
    static const char *const names[] = {"tested", "best", "last", NULL};
    return names[value];
}

static const char *loss_name(int value) {
    static const char *const names[] = {"cross_entropy", "focal", NULL};
    return names[value];
}

static cs_status check_class_weight(const void *config) {
    return cs_class_weight_check(((const cs_trial_config *)config)->train.class_weight);
}

cs_status cs_loss_check(const cs_train_config *train) {
    if (!train->focal_balancing || train->focal_alpha <= 1)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_ARG, "train.focal_alpha is %g", train->focal_alpha),
                   "with train.focal_balancing it is at most 1, as class 0 has the factor 1 - focal_alpha");
}

static const cs_option rows[] = {
    {.key = "train.mode",
     .type = CS_OPTION_ENUM,
     FIELD(train.mode),
     .choice = mode_name,
     .fallback = "fine_tune",
     .affects = CS_AFFECTS_MODE,
     .doc = "features: the frozen layers run once over the images, and the head trains on their outputs"},
    {.key = "train.fine_tune",
     .type = CS_OPTION_STRING,
     FIELD(fine_tune),
     .fallback = "all",
     .sweepable = true,
     .affects = CS_AFFECTS_FROZEN,
     .takes_map = true,
     .takes_count = true,
     .doc = "layers that train: all, head, N = the last N layers as model.layers[-N:], {blocks: K} = the last K "
            "blocks, or "
            "from a layer's name on"},
    {.key = "train.augment",
     .type = CS_OPTION_STRING,
     FIELD(augment_name),
     .fallback = "none",
     .sweepable = true,
     .affects = CS_AFFECTS_BATCHES,
     .identity = identify_augment,
     .doc = "none, or a name under augmentations:"},
    {.key = "train.epochs",
     .type = CS_OPTION_INT,
     FIELD(train.epochs),
     .min = 1,
     .max = 1000000,
     .fallback = "10",
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "largest number of epochs"},
    {.key = "train.batch",
     .type = CS_OPTION_INT,
     FIELD(train.batch),
     .min = 1,
     .max = 65536,
     .fallback = "32",
     .sweepable = true,
     .affects = CS_AFFECTS_BATCHES,
     .doc = "samples in a step"},
    {TRAINING("loss", ENUM, loss), .choice = loss_name, .fallback = "cross_entropy", .whole_name = true,
     .doc = "cross-entropy, or focal as Keras' CategoricalFocalCrossentropy and, for a binary head, "
            "BinaryFocalCrossentropy"},
    {TRAINING("focal_gamma", FLOAT, focal_gamma), .max = 100, .fallback = "2",
     .doc = "focal: the power of 1 - p by which easy images count less"},
    {TRAINING("focal_alpha", FLOAT, focal_alpha), .min = 1e-6, .max = 1e6, .fallback = "0.25",
     .doc = "focal: factor of the loss; of a binary head only with focal_balancing"},
    {TRAINING("focal_balancing", BOOL, focal_balancing), .fallback = "false",
     .doc =
         "focal of a binary head: class 1 has the factor focal_alpha and class 0 has 1 - focal_alpha, as with Keras' "
         "apply_class_balancing"},
    {TRAINING("label_smoothing", FLOAT, label_smoothing), .max = 0.999999, .fallback = "0",
     .doc = "e: the targets of the loss are t*(1-e) + e/K for K classes, for train, val and test"},
    {TRAINING("class_weight", LIST, class_weight), .fallback = "none", .takes_entries = true,
     .check = check_class_weight,
     .doc = "weights of classes in the loss of train: balanced, n/(K*count) as in scikit-learn; a map such as "
            "{melanoma: 5}, by name or number; or a list with one for every class"},
    {TRAINING("sample_weight", BOOL, sample_weight), .fallback = "false",
     .doc = "weights of images in the loss of train, which cnnsweep-pack --weights or --balance weights stores in the "
            "dataset"},
    {.key = "train.seed",
     .type = CS_OPTION_INT,
     FIELD(train.seed),
     .max = 9007199254740992.0,
     .fallback = "1",
     .sweepable = true,
     .affects = CS_AFFECTS_BATCHES,
     .doc = "seed of initial weights, order and augmentation"},
    {.key = "train.shuffle",
     .type = CS_OPTION_BOOL,
     FIELD(train.shuffle),
     .fallback = "true",
     .sweepable = true,
     .affects = CS_AFFECTS_BATCHES,
     .doc = "shuffle the samples in every epoch"},
    {.key = "train.patience",
     .type = CS_OPTION_INT,
     FIELD(train.patience),
     .max = 1000000,
     .fallback = "0",
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "EarlyStopping: epochs without improvement; 0: run all epochs"},
    {.key = "train.min_delta",
     .type = CS_OPTION_FLOAT,
     FIELD(train.min_delta),
     .max = 1e38,
     .fallback = "0",
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "EarlyStopping: smallest change that counts as improvement"},
    {.key = "train.monitor",
     .type = CS_OPTION_OTHER,
     FIELD(train.monitor),
     .fallback = "val_loss",
     .affects = CS_AFFECTS_TRAINING,
     .doc = "metric by which early stopping and the best epoch are decided",
     .parse = cs_option_parse_monitor,
     .takes = "a metric of train or val: NAME, val_NAME"},
    {TRAINING("monitor_mode", ENUM, monitor_mode), .choice = monitor_mode_name, .fallback = "auto",
     .doc = "is the monitored metric better when it is smaller or larger? auto: as the metric is meant"},
    {TRAINING("baseline", FLOAT, baseline), .min = -1e38, .max = 1e38, .fallback = "none",
     .doc = "EarlyStopping: value that an epoch must improve on to count; none: any"},
    {TRAINING("start_from_epoch", INT, start_from_epoch), .max = 1e6, .fallback = "0",
     .doc = "EarlyStopping: first epoch that counts, from 0"},
    {TRAINING("restore_best_weights", BOOL, restore_best_weights), .fallback = "true",
     .doc = "EarlyStopping: test the weights of the best epoch; false: of the last"},
    {.key = "train.metrics",
     .type = CS_OPTION_LIST,
     FIELD(train.metrics),
     .fallback = "test_macro_f1,test_weighted_f1",
     .affects = CS_AFFECTS_SWEEP,
     .doc =
         "metrics that are computed and written beside loss and accuracy: NAME for all splits, val_NAME or test_NAME "
         "for one, or all",
     .check = check_metrics},
    {.key = "train.evaluate",
     .type = CS_OPTION_LIST,
     FIELD(train.evaluate),
     .fallback = "val,test",
     .affects = CS_AFFECTS_SWEEP,
     .doc = "splits on which the tested weights are evaluated: train (without augmentation), val, test",
     .check = check_evaluate},
    {.key = "train.sync_bn",
     .type = CS_OPTION_BOOL,
     FIELD(train.sync_bn),
     .fallback = "false",
     .affects = CS_AFFECTS_TRAINING,
     .doc = "with ranks_per_trial: batch norms that train take the statistics of the whole batch, not of each rank's "
            "part"},
    {.key = "train.save_weights",
     .type = CS_OPTION_ENUM,
     FIELD(train.save_weights),
     .choice = weights_format_name,
     .fallback = "none",
     .affects = CS_AFFECTS_NOTHING,
     .doc = "write weights to weights/<trial>.<this> in the results folder"},
    {.key = "train.save_epoch",
     .type = CS_OPTION_ENUM,
     FIELD(train.save_epoch),
     .choice = saved_epoch_name,
     .fallback = "tested",
     .affects = CS_AFFECTS_NOTHING,
     .doc = "the weights that save_weights writes: those that were tested, of the best epoch by train.monitor, or of "
            "the last"},
};

const cs_option_family cs_train_options = {rows, sizeof rows / sizeof *rows};
