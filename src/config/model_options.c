/* SPDX-License-Identifier: Apache-2.0 */
/* The options of the data and of the network. */
#include "option_families.h"

#include <inttypes.h>
#include <string.h>

static const char *dialect_name(int value) {
    static const char *const names[] = {"auto", "keras", "torch", NULL};
    return names[value];
}

static const char *regularize_name(int value) {
    static const char *const names[] = {[CS_REGULARIZE_HEAD] = "head", [CS_REGULARIZE_ALL] = "all", NULL};
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

static const char *fold_split_name(int value) {
    static const char *const names[] = {"val", "test", NULL};
    return names[value];
}

static cs_status parse_fold(const cs_option *option, const char *text, void *field) {
    cs_status status = cs_fold_read(text, field);
    return status == CS_OK ? CS_OK : cs_context(status, "%s", option->key);
}

static const cs_option rows[] = {
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
    {.key = "data.fold",
     .type = CS_OPTION_OTHER,
     FIELD(data.fold),
     .fallback = "none",
     .sweepable = true,
     .affects = CS_AFFECTS_SPLITS,
     .parse = parse_fold,
     .takes = "a fold, 2/5",
     .doc =
         "the second of five folds is held out, and the others train; sweep.folds trains on all; drawn by train.seed"},
    {.key = "data.fold_rule",
     .type = CS_OPTION_ENUM,
     FIELD(data.fold_rule),
     .choice = cs_fold_rule_name,
     .fallback = "auto",
     .affects = CS_AFFECTS_SPLITS,
     .doc = "how images are divided into folds, as KFold, StratifiedKFold or StratifiedGroupKFold do; auto: grouped if "
            "they have groups, else stratified"},
    {.key = "data.fold_shuffle",
     .type = CS_OPTION_BOOL,
     FIELD(data.fold_shuffle),
     .fallback = "true",
     .affects = CS_AFFECTS_SPLITS,
     .doc = "draw the folds; false: those that scikit-learn makes with shuffle=False"},
    {.key = "data.fold_split",
     .type = CS_OPTION_ENUM,
     FIELD(data.fold_split),
     .choice = fold_split_name,
     .fallback = "val",
     .affects = CS_AFFECTS_SPLITS,
     .doc = "what the held-out fold becomes; val: folds are made of train and val; test: of all images, and the fold "
            "after the "
            "held-out one is val"},
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
     .doc =
         "layers on top, such as [gap, {dropout: 0.5}, {dense: 400, activation: relu}, dense]; {dense: 1, activation: "
         "sigmoid} at the end: a binary head; top: the published classifier; empty: the architecture's usual one"},
    {MODEL("dropout", FLOAT, dropout, RATES), .max = 0.999, .fallback = "0.5",
     .doc = "rate of the head's plain dropout layers"},
    {MODEL("l1", FLOAT, l1, RATES), .max = 1e6, .fallback = "0",
     .doc = "adds l1 * sum(abs(kernel)) of the head's kernels to the loss, as Keras' l1 and, with l2, l1_l2"},
    {MODEL("l2", FLOAT, l2, RATES), .max = 1e6, .fallback = "0",
     .doc = "adds l2 * sum(kernel^2) of the head's kernels to the loss, as Keras' kernel_regularizer"},
    {MODEL("max_norm", FLOAT, max_norm, RATES), .max = 1e6, .fallback = "0",
     .doc = "largest norm of the weights of a unit of the head's kernels after an update, as Keras' MaxNorm; 0: any"},
    {MODEL("regularize", ENUM, regularize, RATES), .choice = regularize_name, .fallback = "head",
     .doc = "kernels for l1, l2 and max_norm: those of the head, or all that are trained"},
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
};

const cs_option_family cs_model_options = {rows, sizeof rows / sizeof *rows};
