/* SPDX-License-Identifier: Apache-2.0 */
/* The options of a trial, a table row for each; option.h says how to add one. The defaults are Keras'. */
#include "cnnsweep/class_weight.h"
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

static cs_status check_metrics(const void *config) {
    cs_metric_set set;
    cs_status status = cs_metric_set_read(((const cs_trial_config *)config)->train.metrics, &set);
    return status == CS_OK ? CS_OK : cs_context(status, "train.metrics");
}

static cs_status parse_monitor(const cs_option *option, const char *text, void *field) {
    int column;
    cs_status status = cs_metric_find_monitored(text, &column);
    if (status != CS_OK)
        return cs_context(status, "%s", option->key);
    snprintf(field, option->size, "%s", text);
    return CS_OK;
}

static cs_status parse_plateau_monitor(const cs_option *option, const char *text, void *field) {
    if (strcmp(text, option->fallback) != 0)
        return parse_monitor(option, text, field);
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

static const char *interval_name(int value) {
    static const char *const names[] = {"auto", "epoch", "step", NULL};
    return names[value];
}

static const char *choice_name(int value) {
    static const char *const names[] = {"auto", "true", "false", NULL};
    return names[value];
}

static const char *anneal_name(int value) {
    static const char *const names[] = {"cos", "linear", NULL};
    return names[value];
}

static const char *threshold_mode_name(int value) {
    static const char *const names[] = {"auto", "abs", "rel", NULL};
    return names[value];
}

static const char *monitor_mode_name(int value) {
    static const char *const names[] = {"auto", "min", "max", NULL};
    return names[value];
}

static const char *saved_epoch_name(int value) {
    static const char *const names[] = {"tested", "best", "last", NULL};
    return names[value];
}

static cs_status check_milestones(const void *config) {
    return cs_schedule_check_list("train.milestones", ((const cs_trial_config *)config)->train.schedule.milestones,
                                  true);
}

static cs_status check_boundaries(const void *config) {
    return cs_schedule_check_list("train.boundaries", ((const cs_trial_config *)config)->train.schedule.boundaries,
                                  true);
}

static cs_status check_values(const void *config) {
    return cs_schedule_check_list("train.values", ((const cs_trial_config *)config)->train.schedule.values, false);
}

static const char *loss_name(int value) {
    static const char *const names[] = {"cross_entropy", "focal", NULL};
    return names[value];
}

static cs_status check_class_weight(const void *config) {
    return cs_class_weight_check(((const cs_trial_config *)config)->train.class_weight);
}

/* The network's framework counts as the default. */
static void identify_dialect(const void *config, char *out, size_t size) {
    const cs_trial_config *trial = config;
    cs_train_dialect dialect = trial->train.optimizer.dialect;
    bool is_default = dialect == CS_TRAIN_DIALECT_AUTO || dialect == cs_trial_network_dialect(trial);
    snprintf(out, size, "%s", is_default ? "" : cs_train_dialect_name((int)dialect));
}

#define MODEL(name, kind, member, what)                                                                                \
    .key = "model." name, .type = CS_OPTION_##kind, FIELD(model.member), .sweepable = true, .affects = CS_AFFECTS_##what
#define TRAINING(name, kind, member)                                                                                   \
    .key = "train." name, .type = CS_OPTION_##kind, FIELD(train.member), .sweepable = true,                            \
    .affects = CS_AFFECTS_TRAINING

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
    {MODEL("alpha", FLOAT, alpha, GRAPH), .min = 0.01, .max = 4, .fallback = "1",
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
    {MODEL("dropout", FLOAT, dropout, RATES), .max = 0.999, .fallback = "0.5",
     .doc = "rate of the head's plain dropout layers"},
    {MODEL("l1", FLOAT, l1, RATES), .max = 1e6, .fallback = "0",
     .doc = "adds l1 * sum(abs(kernel)) of the head's kernels to the loss, as Keras' l1 and, with l2, l1_l2"},
    {MODEL("l2", FLOAT, l2, RATES), .max = 1e6, .fallback = "0",
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
    {TRAINING("dialect", ENUM, optimizer.dialect), .choice = cs_train_dialect_name, .fallback = "auto",
     .identity = identify_dialect, .whole_name = true,
     .doc = "framework whose formulas and defaults count where they differ, keras or torch; auto: the network's"},
    {TRAINING("optimizer", ENUM, optimizer.kind), .choice = cs_optimizer_name, .fallback = "adam",
     .doc = "update rule"},
    {TRAINING("lr", FLOAT, optimizer.lr), .min = 1e-12, .max = 1e38, .fallback = "auto",
     .doc = "learning rate; auto: the optimizer's default, in Keras 0.001 for adam and 0.01 for sgd"},
    {TRAINING("schedule", ENUM, schedule.kind), .choice = cs_schedule_name, .fallback = "constant",
     .doc = "how the learning rate changes from update to update"},
    {TRAINING("schedule_interval", ENUM, schedule.interval), .choice = interval_name, .fallback = "auto",
     .doc = "when the rate of the schedule changes: once an epoch, or step: with every update. auto: step for Keras, "
            "one_cycle and cyclic, else epoch"},
    {TRAINING("decay_epochs", FLOAT, schedule.decay_epochs), .min = 1e-6, .max = 1e6, .fallback = "auto",
     .doc = "length of the decay or cycle, in epochs: torch's step_size, T_max, T_0, total_iters. auto: one epoch for "
            "exponential and inverse_time, else all after the warm-up"},
    {TRAINING("decay_steps", INT, schedule.decay_steps), .min = 1, .max = 1e12, .fallback = "auto",
     .doc = "the same in updates: Keras' decay_steps, first_decay_steps"},
    {TRAINING("decay_rate", FLOAT, schedule.decay_rate), .min = 1e-6, .max = 1e6, .fallback = "auto",
     .doc = "step, multistep, exponential, inverse_time, plateau, cyclic: Keras' decay_rate and factor, torch's gamma. "
            "auto: 0.1 for step, multistep and plateau"},
    {TRAINING("staircase", BOOL, schedule.staircase), .fallback = "false",
     .doc = "exponential, inverse_time: decay once in every decay_epochs or decay_steps"},
    {TRAINING("milestones", LIST, schedule.milestones), .fallback = "", .check = check_milestones,
     .doc = "multistep, piecewise: epochs at whose beginning the rate changes, such as [30, 60]"},
    {TRAINING("boundaries", LIST, schedule.boundaries), .fallback = "", .check = check_boundaries,
     .doc = "the same in updates, after which the rate changes: Keras' boundaries"},
    {TRAINING("values", LIST, schedule.values), .fallback = "", .check = check_values,
     .doc = "piecewise: the rate before the first milestone and after each, in place of lr"},
    {TRAINING("min_lr", FLOAT, schedule.min_lr), .max = 1e38, .fallback = "0",
     .doc = "cosine, restarts, polynomial, cyclic, plateau: the lowest rate. Keras' alpha times lr, end_learning_rate; "
            "torch's eta_min, base_lr"},
    {TRAINING("power", FLOAT, schedule.power), .min = 1e-6, .max = 1e6, .fallback = "1",
     .doc = "polynomial: the power"},
    {TRAINING("cycle", ENUM, schedule.cycle), .choice = choice_name, .fallback = "auto",
     .doc = "polynomial: begin again after the decay, as Keras' cycle; cosine: go up again. auto: only torch's cosine"},
    {TRAINING("k_decay", FLOAT, schedule.k_decay), .min = 1e-3, .max = 1e3, .fallback = "1",
     .doc = "cosine: power of the time, as timm's k_decay"},
    {TRAINING("t_mul", FLOAT, schedule.t_mul), .min = 1, .max = 1e6, .fallback = "auto",
     .doc = "restarts: factor of each cycle's length. auto: 2 for Keras, 1 for torch (T_mult)"},
    {TRAINING("m_mul", FLOAT, schedule.m_mul), .min = 1e-6, .max = 1e6, .fallback = "1",
     .doc = "restarts, cyclic: factor of each cycle's height; 0.5 is torch's triangular2"},
    {TRAINING("start_factor", FLOAT, schedule.start_factor), .max = 1e6, .fallback = "0.3333333333333333",
     .doc = "linear: the first rate over lr"},
    {TRAINING("end_factor", FLOAT, schedule.end_factor), .max = 1e6, .fallback = "1",
     .doc = "linear: the last rate over lr"},
    {TRAINING("pct_start", FLOAT, schedule.pct_start), .min = 1e-6, .max = 1, .fallback = "auto",
     .doc = "one_cycle, cyclic: the part of a cycle in which the rate rises. auto: 0.3 and 0.5"},
    {TRAINING("div_factor", FLOAT, schedule.div_factor), .min = 1e-6, .max = 1e38, .fallback = "25",
     .doc = "one_cycle: lr over the first rate"},
    {TRAINING("final_div_factor", FLOAT, schedule.final_div_factor), .min = 1e-6, .max = 1e38, .fallback = "1e+04",
     .doc = "one_cycle: the first rate over the last"},
    {TRAINING("anneal", ENUM, schedule.anneal), .choice = anneal_name, .fallback = "cos",
     .doc = "one_cycle: torch's anneal_strategy"},
    {TRAINING("cycle_momentum", BOOL, schedule.cycle_momentum), .fallback = "true",
     .doc = "one_cycle, cyclic: change momentum (adam: beta_1) against the rate, from max_momentum to base_momentum"},
    {TRAINING("base_momentum", FLOAT, schedule.base_momentum), .min = 1e-6, .max = 0.999999, .fallback = "auto",
     .doc = "one_cycle, cyclic: momentum at the highest rate. auto: 0.85 and 0.8"},
    {TRAINING("max_momentum", FLOAT, schedule.max_momentum), .min = 1e-6, .max = 0.999999, .fallback = "auto",
     .doc = "one_cycle, cyclic: momentum at the lowest rate. auto: 0.95 and 0.9"},
    {TRAINING("warmup_epochs", FLOAT, schedule.warmup_epochs), .max = 1e6, .fallback = "0",
     .doc = "epochs before the schedule in which the rate rises from warmup_lr to lr"},
    {TRAINING("warmup_steps", INT, schedule.warmup_steps), .max = 1e12, .fallback = "0",
     .doc = "the same in updates; the rate then rises with every update"},
    {TRAINING("warmup_lr", FLOAT, schedule.warmup_lr), .max = 1e38, .fallback = "0",
     .doc = "the rate at the beginning of the warm-up"},
    {TRAINING("warmup_prefix", BOOL, schedule.warmup_prefix), .fallback = "true",
     .doc = "the schedule begins after the warm-up; false: with training, as in timm"},
    {TRAINING("plateau_monitor", OTHER, schedule.plateau_monitor), .parse = parse_plateau_monitor, .fallback = "auto",
     .takes = "auto, or a metric: NAME, val_NAME", .doc = "plateau: metric that must improve; auto: train.monitor"},
    {TRAINING("plateau_patience", INT, schedule.plateau_patience), .max = 1e6, .fallback = "10",
     .doc = "plateau: epochs without improvement before the rate is reduced; torch waits for one more than Keras"},
    {TRAINING("threshold", FLOAT, schedule.threshold), .max = 1e38, .fallback = "0.0001",
     .doc = "plateau: smallest change that counts as improvement; Keras' min_delta"},
    {TRAINING("threshold_mode", ENUM, schedule.threshold_mode), .choice = threshold_mode_name, .fallback = "auto",
     .doc = "plateau: is the threshold absolute or relative to the best value? auto: abs for Keras, rel for torch"},
    {TRAINING("cooldown", INT, schedule.cooldown), .max = 1e6, .fallback = "0",
     .doc = "plateau: epochs after a reduction that do not count"},
    {TRAINING("momentum", FLOAT, optimizer.momentum), .max = 1, .fallback = "0", .doc = "sgd, rmsprop: momentum"},
    {TRAINING("nesterov", BOOL, optimizer.nesterov), .fallback = "false", .doc = "sgd: Nesterov momentum"},
    {TRAINING("dampening", FLOAT, optimizer.dampening), .max = 1, .fallback = "0",
     .doc = "sgd of torch: the part of a gradient that does not enter the velocity"},
    {TRAINING("weight_decay", FLOAT, optimizer.weight_decay), .max = 1, .fallback = "auto", .key_default = "0",
     .doc = "weight decay; auto: that of adamw, 0.004 in Keras and 0.01 in torch, and 0 of the others"},
    {TRAINING("decay", ENUM, optimizer.decay), .choice = cs_decay_kind_name, .fallback = "auto",
     .key_default = "decoupled",
     .doc =
         "how weights decay: coupled (as a part of the gradient) or decoupled; auto: decoupled in Keras, and in torch "
         "for adamw, lion and lamb"},
    {TRAINING("decay_kernels_only", BOOL, optimizer.decay_kernels_only), .fallback = "false",
     .doc = "biases and the parameters of batch norms do not decay"},
    {TRAINING("beta_1", FLOAT, optimizer.beta_1), .max = 0.999999, .fallback = "0.9",
     .doc = "adam and its kin, lion: decay of the first moment"},
    {TRAINING("beta_2", FLOAT, optimizer.beta_2), .max = 0.999999, .fallback = "auto", .key_default = "0.999",
     .doc = "adam and its kin, lion: decay of the second moment; auto: 0.999, and 0.99 for lion"},
    {TRAINING("rho", FLOAT, optimizer.rho), .max = 0.999999, .fallback = "auto", .key_default = "0",
     .doc = "rmsprop, adadelta: decay of the mean of squares; auto: 0.9 and 0.95 in Keras, 0.99 and 0.9 in torch"},
    {TRAINING("epsilon", FLOAT, optimizer.epsilon), .min = 1e-12, .max = 1, .fallback = "auto", .key_default = "1e-07",
     .doc = "adam and its kin, rmsprop, adagrad, adadelta: added to a root or under it; auto: 1e-7 in Keras; in torch "
            "1e-8, for adagrad 1e-10, for adadelta 1e-6"},
    {TRAINING("amsgrad", BOOL, optimizer.amsgrad), .fallback = "false",
     .doc = "adam, adamw: divide by the largest second moment so far"},
    {TRAINING("centered", BOOL, optimizer.centered), .fallback = "false",
     .doc = "rmsprop: divide by the variance of the gradient"},
    {TRAINING("initial_accumulator", FLOAT, optimizer.initial_accumulator), .max = 1e38, .fallback = "auto",
     .key_default = "0", .doc = "adagrad: the sum of squares before the first update; auto: 0.1 in Keras, 0 in torch"},
    {TRAINING("clipnorm", FLOAT, optimizer.clipnorm), .max = 1e38, .fallback = "0",
     .doc = "largest norm of the gradient of a tensor; 0: none"},
    {TRAINING("global_clipnorm", FLOAT, optimizer.global_clipnorm), .max = 1e38, .fallback = "0",
     .doc = "largest norm of the gradient of all parameters together, as torch's clip_grad_norm_; 0: none"},
    {TRAINING("clipvalue", FLOAT, optimizer.clipvalue), .max = 1e38, .fallback = "0",
     .doc = "largest absolute value in a gradient; 0: none"},
    {TRAINING("accumulate", INT, optimizer.accumulate), .min = 1, .max = 65536, .fallback = "1",
     .doc = "batches whose gradients are averaged for an update"},
    {TRAINING("ema", FLOAT, optimizer.ema), .max = 0.9999999, .fallback = "0",
     .doc = "momentum of a moving average of the weights, such as 0.99, whose weights are evaluated; 0: none"},
    {TRAINING("loss", ENUM, loss), .choice = loss_name, .fallback = "cross_entropy", .whole_name = true,
     .doc = "softmax cross-entropy, or focal as Keras' CategoricalFocalCrossentropy"},
    {TRAINING("focal_gamma", FLOAT, focal_gamma), .max = 100, .fallback = "2",
     .doc = "focal: the power of 1 - p by which easy images count less"},
    {TRAINING("focal_alpha", FLOAT, focal_alpha), .min = 1e-6, .max = 1e6, .fallback = "0.25",
     .doc = "focal: factor of the loss"},
    {TRAINING("label_smoothing", FLOAT, label_smoothing), .max = 0.999999, .fallback = "0",
     .doc = "e: the targets of the loss are t*(1-e) + e/K for K classes, for train, val and test"},
    {TRAINING("class_weight", LIST, class_weight), .fallback = "none", .takes_entries = true,
     .check = check_class_weight,
     .doc = "weights of classes in the loss of train: balanced, n/(K*count) as in scikit-learn; a map such as "
            "{melanoma: 5}, by name or number; or a list with one for every class"},
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
     .parse = parse_monitor,
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

cs_train_dialect cs_trial_network_dialect(const cs_trial_config *trial) {
    return cs_model_dialect(&trial->model) == CS_DIALECT_TORCH ? CS_TRAIN_DIALECT_TORCH : CS_TRAIN_DIALECT_KERAS;
}

cs_status cs_trial_metrics(const cs_train_config *train, cs_metric_set *out) {
    const char *const names[] = {train->monitor, train->schedule.plateau_monitor};
    CS_TRY(cs_metric_set_read(train->metrics, out));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int monitored = cs_metric_find_column(names[i]);
        if (monitored >= 0) /* "auto" follows the monitor */
            out->has[monitored] = true;
    }
    return CS_OK;
}

bool cs_trial_evaluates(const cs_train_config *train, cs_split split) {
    const char *name = cs_split_name(split);
    size_t length = strlen(name);
    for (const char *at = train->evaluate; *at; at += strcspn(at, ","), at += *at == ',')
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || !at[length]))
            return true;
    return false;
}

cs_metric_split cs_metrics_after_training(cs_split split) {
    static const cs_metric_split after[CS_SPLIT_COUNT] = {
        [CS_SPLIT_TRAIN] = CS_METRIC_FINAL, [CS_SPLIT_VAL] = CS_METRIC_VAL, [CS_SPLIT_TEST] = CS_METRIC_TEST};
    return after[split];
}

bool cs_trial_tests(const cs_train_config *train, cs_split split, const char *metric) {
    cs_metric_set set;
    int column = cs_metric_find_column(metric);
    return column >= 0 && cs_trial_metrics(train, &set) == CS_OK &&
           set.has[cs_metric_sibling(column, cs_metrics_after_training(split))];
}

const cs_augment *cs_trial_augment(const cs_trial_config *trial, cs_split split) {
    return split == CS_SPLIT_TRAIN ? &trial->augment : &trial->val_augment;
}
