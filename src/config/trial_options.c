/* SPDX-License-Identifier: Apache-2.0 */
/* The options of a trial, a table row for each; option.h says how to add one. The defaults are Keras'. */
#include "cnnsweep/config.h"
#include "cnnsweep/schedule.h"

#include <inttypes.h>
#include <string.h>

#define FIELD(member) .offset = offsetof(cs_trial_config, member), .size = sizeof(((cs_trial_config *)0)->member)

static const char *dialect_name(int value) {
    static const char *const names[] = {"auto", "keras", "torch", NULL};
    return names[value];
}

static const char *mode_name(int value) {
    static const char *const names[] = {[CS_TRAIN_FINE_TUNE] = "fine_tune", [CS_TRAIN_FEATURES] = "features", NULL};
    return names[value];
}

static const char *weights_format_name(int value) {
    static const char *const names[] = {"none", "h5", "weights.h5", "safetensors", NULL};
    return names[value];
}

/* Checks the architecture by building it, without a head and at the default size, as the zoo knows its names. */
static cs_status check_arch(const void *config) {
    const cs_trial_config *trial = config;
    cs_model_config model;
    cs_graph *graph = NULL;
    cs_model_config_init(&model);
    memcpy(model.arch, trial->model.arch, sizeof model.arch);
    if (!model.arch[0])
        return CS_OK;
    CS_TRY(cs_model_build(&model, &graph));
    cs_graph_free(graph);
    return CS_OK;
}

static void identify_weights(const void *config, char *out, size_t size) {
    const cs_trial_config *trial = config;
    if (trial->weights_checksum != 0)
        snprintf(out, size, "%016" PRIx64, trial->weights_checksum);
    else
        snprintf(out, size, "%s", trial->weights);
}

static void identify_augment(const void *config, char *out, size_t size) {
    cs_augment_text(&((const cs_trial_config *)config)->augment, out, size);
}

static void identify_val_augment(const void *config, char *out, size_t size) {
    cs_augment_text(&((const cs_trial_config *)config)->val_augment, out, size);
}

static void identify_filter(const void *config, char *out, size_t size) {
    const cs_filter_chain *filter = &((const cs_trial_config *)config)->data.filter;
    snprintf(out, size, "%s", filter->n > 0 ? cs_filter_text(filter) : "");
}

static cs_status parse_filter(const cs_option *option, const char *text, void *field) {
    cs_status status = cs_filter_parse(text, field);
    return status == CS_OK ? CS_OK : cs_context(status, "%s", option->key);
}

static const cs_option table[] = {
    {.key = "data.path",
     .type = CS_OPTION_STRING,
     FIELD(data.path),
     .fallback = "",
     .required = true,
     .affects = CS_AFFECTS_PATHS,
     .is_path = true,
     .doc = "packed dataset: a .h5 file or a folder of shards"},
    {.key = "data.image",
     .type = CS_OPTION_SIZE,
     FIELD(data.image),
     .fallback = "packed",
     .sweepable = true,
     .affects = CS_AFFECTS_GRAPH,
     .doc = "size of the network's input, height x width: [48, 64] or 48x64 is 48 high and 64 wide; packed: as in the "
            "dataset"},
    {.key = "data.filter",
     .type = CS_OPTION_OTHER,
     FIELD(data.filter),
     .fallback = "none",
     .sweepable = true,
     .affects = CS_AFFECTS_BATCHES,
     .takes_steps = true,
     .identity = identify_filter,
     .parse = parse_filter,
     .takes = "filters",
     .doc = "filters for the images of all splits, such as clahe, {unsharp: {amount: 1.5}} or a list of them in order"},
    {.key = "data.val_augment",
     .type = CS_OPTION_STRING,
     FIELD(val_augment_name),
     .fallback = "none",
     .sweepable = true,
     .affects = CS_AFFECTS_BATCHES,
     .identity = identify_val_augment,
     .doc =
         "what is done to val and test images: none, a name under augmentations:, such as a resize and a center_crop, "
         "or true, the same as to train images"},
    {.key = "data.features",
     .type = CS_OPTION_STRING,
     FIELD(data.features),
     .fallback = "",
     .affects = CS_AFFECTS_PATHS,
     .is_path = true,
     .doc = "folder of the features files; empty: next to the dataset, with its name and .features"},

    {.key = "model.arch",
     .type = CS_OPTION_STRING,
     FIELD(model.arch),
     .fallback = "",
     .sweepable = true,
     .required = true,
     .affects = CS_AFFECTS_GRAPH,
     .check = check_arch,
     .doc = "architecture, such as mobilenet or resnet50"},
    {.key = "model.dialect",
     .type = CS_OPTION_ENUM,
     FIELD(model.dialect),
     .choice = dialect_name,
     .fallback = "auto",
     .sweepable = true,
     .affects = CS_AFFECTS_GRAPH,
     .doc = "framework that the network follows in names, padding and batch norm; auto: Keras if there are both"},
    {.key = "model.alpha",
     .type = CS_OPTION_FLOAT,
     FIELD(model.alpha),
     .min = 0.01,
     .max = 4,
     .fallback = "1",
     .sweepable = true,
     .affects = CS_AFFECTS_GRAPH,
     .doc = "width multiplier, where the architecture has one"},
    {.key = "model.head",
     .type = CS_OPTION_LIST,
     FIELD(model.head),
     .fallback = "",
     .sweepable = true,
     .affects = CS_AFFECTS_HEAD,
     .takes_map = true,
     .map_second = "activation",
     .doc = "layers on top, such as [gap, {dropout: 0.5}, {dense: 400, activation: relu}, dense]; top: the published "
            "classifier; empty: the architecture's usual one"},
    {.key = "model.dropout",
     .type = CS_OPTION_FLOAT,
     FIELD(model.dropout),
     .max = 0.999,
     .fallback = "0.5",
     .sweepable = true,
     .affects = CS_AFFECTS_RATES,
     .doc = "rate of the head's plain dropout layers"},
    {.key = "model.l2",
     .type = CS_OPTION_FLOAT,
     FIELD(model.l2),
     .max = 1e6,
     .fallback = "0",
     .sweepable = true,
     .affects = CS_AFFECTS_RATES,
     .doc = "adds l2 * sum(kernel^2) of the head's kernels to the loss, as Keras' kernel_regularizer"},
    {.key = "model.weights",
     .type = CS_OPTION_STRING,
     FIELD(weights),
     .fallback = "",
     .sweepable = true,
     .affects = CS_AFFECTS_GRAPH,
     .is_path = true,
     .identity = identify_weights,
     .doc = "file of pretrained weights, Keras .h5 or .weights.h5 or safetensors; empty: initial values from the seed"},
    {.key = "model.allow_missing",
     .type = CS_OPTION_BOOL,
     FIELD(allow_missing),
     .fallback = "false",
     .affects = CS_AFFECTS_GRAPH,
     .doc = "keep initial values where the weights file lacks a parameter"},

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
    {.key = "train.dialect",
     .type = CS_OPTION_ENUM,
     FIELD(train.optimizer.dialect),
     .choice = cs_train_dialect_name,
     .fallback = "auto",
     .key_default = "keras",
     .whole_name = true,
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "whose formulas and defaults training follows, keras or torch; auto: the framework of the network"},
    {.key = "train.optimizer",
     .type = CS_OPTION_ENUM,
     FIELD(train.optimizer.kind),
     .choice = cs_optimizer_name,
     .fallback = "adam",
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "update rule"},
    {.key = "train.lr",
     .type = CS_OPTION_FLOAT,
     FIELD(train.optimizer.lr),
     .min = 1e-12,
     .max = 1e38,
     .fallback = "auto",
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "learning rate; auto: the optimizer's default, in Keras 0.001 for adam and 0.01 for sgd"},
    {.key = "train.schedule",
     .type = CS_OPTION_ENUM,
     FIELD(train.schedule),
     .choice = cs_schedule_name,
     .fallback = "constant",
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "how the learning rate changes from update to update"},
    {.key = "train.momentum",
     .type = CS_OPTION_FLOAT,
     FIELD(train.optimizer.momentum),
     .max = 1,
     .fallback = "0",
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "sgd, rmsprop: momentum"},
    {.key = "train.nesterov",
     .type = CS_OPTION_BOOL,
     FIELD(train.optimizer.nesterov),
     .fallback = "false",
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "sgd: Nesterov momentum"},
    {.key = "train.dampening",
     .type = CS_OPTION_FLOAT,
     FIELD(train.optimizer.dampening),
     .max = 1,
     .fallback = "0",
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "sgd of torch: the part of a gradient that does not enter the velocity"},
    {.key = "train.weight_decay",
     .type = CS_OPTION_FLOAT,
     FIELD(train.optimizer.weight_decay),
     .max = 1,
     .fallback = "auto",
     .key_default = "0",
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "weight decay; auto: that of adamw, 0.004 in Keras and 0.01 in torch, and 0 of the others"},
    {.key = "train.decay",
     .type = CS_OPTION_ENUM,
     FIELD(train.optimizer.decay),
     .choice = cs_decay_kind_name,
     .fallback = "auto",
     .key_default = "decoupled",
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "how weights decay: coupled (part of the gradient) or decoupled; auto: as in Keras; in torch coupled "
            "except for adamw, lion and lamb"},
    {.key = "train.decay_kernels_only",
     .type = CS_OPTION_BOOL,
     FIELD(train.optimizer.decay_kernels_only),
     .fallback = "false",
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "biases and the parameters of batch norms do not decay"},
    {.key = "train.beta_1",
     .type = CS_OPTION_FLOAT,
     FIELD(train.optimizer.beta_1),
     .max = 0.999999,
     .fallback = "0.9",
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "adam and its kin, lion: decay of the first moment"},
    {.key = "train.beta_2",
     .type = CS_OPTION_FLOAT,
     FIELD(train.optimizer.beta_2),
     .max = 0.999999,
     .fallback = "auto",
     .key_default = "0.999",
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "adam and its kin, lion: decay of the second moment; auto: 0.999, and 0.99 of lion"},
    {.key = "train.rho",
     .type = CS_OPTION_FLOAT,
     FIELD(train.optimizer.rho),
     .max = 0.999999,
     .fallback = "auto",
     .key_default = "0",
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "rmsprop, adadelta: decay of the mean of squares; auto: 0.9 and 0.95 in Keras, 0.99 and 0.9 in torch"},
    {.key = "train.epsilon",
     .type = CS_OPTION_FLOAT,
     FIELD(train.optimizer.epsilon),
     .min = 1e-12,
     .max = 1,
     .fallback = "auto",
     .key_default = "1e-07",
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "adam and its kin, rmsprop, adagrad, adadelta: added to a root or under it; auto: 1e-7 in Keras; in torch "
            "1e-8, of adagrad 1e-10, of adadelta 1e-6"},
    {.key = "train.amsgrad",
     .type = CS_OPTION_BOOL,
     FIELD(train.optimizer.amsgrad),
     .fallback = "false",
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "adam, adamw: divide by the largest second moment so far"},
    {.key = "train.centered",
     .type = CS_OPTION_BOOL,
     FIELD(train.optimizer.centered),
     .fallback = "false",
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "rmsprop: divide by the variance of the gradient"},
    {.key = "train.initial_accumulator",
     .type = CS_OPTION_FLOAT,
     FIELD(train.optimizer.initial_accumulator),
     .max = 1e38,
     .fallback = "auto",
     .key_default = "0",
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "adagrad: the sum of squares before the first update; auto: 0.1 in Keras, 0 in torch"},
    {.key = "train.clipnorm",
     .type = CS_OPTION_FLOAT,
     FIELD(train.optimizer.clipnorm),
     .max = 1e38,
     .fallback = "0",
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "largest norm of the gradient of a tensor; 0: none"},
    {.key = "train.global_clipnorm",
     .type = CS_OPTION_FLOAT,
     FIELD(train.optimizer.global_clipnorm),
     .max = 1e38,
     .fallback = "0",
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "largest norm of the gradient of all parameters together, as torch's clip_grad_norm_; 0: none"},
    {.key = "train.clipvalue",
     .type = CS_OPTION_FLOAT,
     FIELD(train.optimizer.clipvalue),
     .max = 1e38,
     .fallback = "0",
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "largest absolute value in a gradient; 0: none"},
    {.key = "train.accumulate",
     .type = CS_OPTION_INT,
     FIELD(train.optimizer.accumulate),
     .min = 1,
     .max = 65536,
     .fallback = "1",
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "batches whose gradients are averaged for an update"},
    {.key = "train.ema",
     .type = CS_OPTION_FLOAT,
     FIELD(train.optimizer.ema),
     .max = 0.9999999,
     .fallback = "0",
     .sweepable = true,
     .affects = CS_AFFECTS_TRAINING,
     .doc = "momentum of a moving average of the weights, such as 0.99, whose weights are tested; 0: none"},
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
     .type = CS_OPTION_ENUM,
     FIELD(train.monitor),
     .choice = cs_metric_monitor_name,
     .fallback = "val_loss",
     .affects = CS_AFFECTS_TRAINING,
     .doc = "metric by which early stopping and the best epoch are decided"},
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
     .doc = "write the tested weights to weights/<trial>.<this> in the results folder"},
};

const cs_option *cs_options(size_t *count) {
    *count = sizeof table / sizeof *table;
    return table;
}

cs_status cs_option_find(const char *key, const cs_option **out) {
    bool dotted = strchr(key, '.') != NULL;
    cs_suggestion suggestion = cs_suggestion_begin(key);
    char guess[128];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *name = dotted ? table[i].key : cs_option_short_name(&table[i]);
        cs_suggestion_try(&suggestion, name);
        if (strcmp(name, key) == 0) {
            *out = &table[i];
            return CS_OK;
        }
    }
    return cs_hint(
        cs_fail(CS_ERR_ARG, "unknown option '%s'%s", key, cs_suggestion_text(&suggestion, guess, sizeof guess)),
        "`cnnsweep options` lists them all");
}

const cs_augment *cs_trial_augment(const cs_trial_config *trial, cs_split split) {
    return split == CS_SPLIT_TRAIN ? &trial->augment : &trial->val_augment;
}
