/* Every option of a trial, a row each. To add one: a field in cs_trial_config (train.h) and a row here; the YAML
 * reader, --set, the option page and the columns of trials.csv follow. Defaults are Keras'. */
#include "cnnsweep/job.h"

#define FIELD(member) offsetof(cs_trial_config, member), sizeof(((cs_trial_config *)0)->member)

#define ROW_BOOL(key, member, fallback, sweepable, doc)                                                                \
    { key, CS_OPTION_BOOL, FIELD(member), 0, 1, NULL, fallback, sweepable, doc }
#define ROW_INT(key, member, min, max, fallback, doc)                                                                  \
    { key, CS_OPTION_INT, FIELD(member), min, max, NULL, fallback, true, doc }
#define ROW_FLOAT(key, member, min, max, fallback, doc)                                                                \
    { key, CS_OPTION_FLOAT, FIELD(member), min, max, NULL, fallback, true, doc }
#define ROW_TEXT(key, type, member, fallback, sweepable, doc)                                                          \
    { key, type, FIELD(member), 0, 0, NULL, fallback, sweepable, doc }
#define ROW_ENUM(key, member, choices, fallback, sweepable, doc)                                                       \
    { key, CS_OPTION_ENUM, FIELD(member), 0, 0, choices, fallback, sweepable, doc }

static const cs_option table[] = {
    ROW_TEXT("data.path", CS_OPTION_STRING, data.path, "", false, "packed dataset: a .h5 file or a folder of shards"),
    ROW_TEXT("data.image", CS_OPTION_SIZE, data.image, "packed", true,
             "height and width the network sees, [50, 50] or 50x50; packed: as the dataset holds them"),
    ROW_TEXT("data.features", CS_OPTION_STRING, data.features, "", false,
             "folder where features are kept; empty: beside the dataset, named like it with .features"),

    ROW_TEXT("model.arch", CS_OPTION_STRING, model.arch, "", true, "architecture, such as mobilenet or resnet50"),
    ROW_ENUM("model.dialect", model.dialect, "auto|keras|torch", "auto", true,
             "whose network of that name: names, padding and batch norm; auto: Keras' where there are both"),
    ROW_FLOAT("model.alpha", model.alpha, 0.01, 4, "1", "width multiplier, where the architecture has one"),
    ROW_TEXT("model.head", CS_OPTION_LIST, model.head, "", true,
             "layers on top, such as [gap, {dropout: 0.5}, {dense: 400, activation: relu}, dense]; top: the published "
             "classifier; empty: the architecture's usual one"),
    ROW_FLOAT("model.dropout", model.dropout, 0, 0.999, "0.5", "rate of the head's plain dropout layers"),
    ROW_FLOAT("model.l2", model.l2, 0, 1e6, "0",
              "adds l2 * sum(kernel^2) of the head's kernels to the loss, as Keras' kernel_regularizer"),
    ROW_TEXT(
        "model.weights", CS_OPTION_STRING, weights, "", true,
        "file of pretrained weights, Keras .h5 or .weights.h5 or safetensors; empty: initial values from the seed"),
    ROW_BOOL("model.allow_missing", allow_missing, "false", false,
             "keep initial values where the weights file lacks a parameter"),

    ROW_ENUM("train.mode", train.mode, "fine_tune|features", "fine_tune", false,
             "features: what is frozen runs once over the images, and the head trains on what it gave"),
    ROW_TEXT("train.fine_tune", CS_OPTION_STRING, fine_tune, "all", true,
             "what trains: all, head, N = the last N layers as model.layers[-N:], {blocks: K} = the last K blocks, or "
             "from a "
             "layer's name on"),
    ROW_TEXT("train.augment", CS_OPTION_STRING, augment_name, "none", true, "none, or a name under augmentations:"),
    ROW_INT("train.epochs", train.epochs, 1, 1000000, "10", "most epochs"),
    ROW_INT("train.batch", train.batch, 1, 65536, "32", "samples a step"),
    ROW_ENUM("train.optimizer", train.optimizer.kind, "sgd|adam", "adam", true, "update rule, with Keras' formulas"),
    ROW_FLOAT("train.lr", train.optimizer.lr, 1e-12, 1e38, "auto",
              "learning rate; auto: Keras' default, 0.001 for adam and 0.01 for sgd"),
    ROW_FLOAT("train.momentum", train.optimizer.momentum, 0, 1, "0", "sgd: momentum"),
    ROW_BOOL("train.nesterov", train.optimizer.nesterov, "false", true, "sgd: Nesterov momentum"),
    ROW_FLOAT("train.weight_decay", train.optimizer.weight_decay, 0, 1, "0", "decoupled weight decay, as Keras'"),
    ROW_FLOAT("train.beta_1", train.optimizer.beta_1, 0, 0.999999, "0.9", "adam: decay of the first moment"),
    ROW_FLOAT("train.beta_2", train.optimizer.beta_2, 0, 0.999999, "0.999", "adam: decay of the second moment"),
    ROW_FLOAT("train.epsilon", train.optimizer.epsilon, 1e-12, 1, "1e-07", "adam: added to the root"),
    ROW_INT("train.seed", train.seed, 0, 9007199254740992.0, "1", "seed of initial weights, order and augmentation"),
    ROW_BOOL("train.shuffle", train.shuffle, "true", true, "new sample order every epoch"),
    ROW_INT("train.patience", train.patience, 0, 1000000, "0",
            "EarlyStopping: epochs without improvement; 0: run all epochs"),
    ROW_FLOAT("train.min_delta", train.min_delta, 0, 1e38, "0", "EarlyStopping: least change that is improvement"),
    ROW_ENUM("train.monitor", train.monitor, "val_loss|val_accuracy|loss|accuracy", "val_loss", false,
             "what EarlyStopping and the best epoch go by"),
    ROW_BOOL(
        "train.sync_bn", train.sync_bn, "false", false,
        "with ranks_per_trial: batch norms that train take the statistics of the whole batch, not of each rank's part"),
    ROW_ENUM("train.save_weights", train.save_weights, "none|h5|weights.h5|safetensors", "none", false,
             "write the weights that were tested to weights/<trial>.<this> in the results folder"),
};

const cs_option *cs_options(size_t *count) {
    *count = sizeof table / sizeof *table;
    return table;
}

#define JOB_FIELD(member) offsetof(cs_job, member), sizeof(((cs_job *)0)->member)
#define ROW_JOB(key, type, member, min, max, fallback, doc)                                                            \
    { key, type, JOB_FIELD(member), min, max, NULL, fallback, false, doc }

/* The rest of the job file: those without a dot stand at its top. */
static const cs_option job_table[] = {
    ROW_JOB("threads", CS_OPTION_INT, run.threads, 0, 4096, "auto", "threads of a rank; auto: free cores / ranks"),
    ROW_JOB("device", CS_OPTION_STRING, run.device, 0, 0, "auto", "engine: auto, cuda, cpu, onednn or ref"),
    {"precision", CS_OPTION_ENUM, JOB_FIELD(run.precision), 0, 0, "fp32|tf32|bf16|fp16", "fp32", false,
     "of a GPU's layers and products; parameters, sums and losses are fp32"},
    ROW_JOB("autotune", CS_OPTION_BOOL, run.autotune, 0, 1, "false",
            "GPU: time what could run a convolution; the start is slower, once"),
    ROW_JOB("deterministic", CS_OPTION_BOOL, run.deterministic, 0, 1, "false",
            "GPU: the same bits in every run; the CPU's engines give them anyway"),
    ROW_JOB("plan_cache", CS_OPTION_STRING, run.plan_cache, 0, 0, "auto",
            "GPU: folder where plans of convolutions are kept. auto: cnnsweep in $XDG_CACHE_HOME or ~/.cache; off"),
    ROW_JOB("ranks_per_trial", CS_OPTION_INT, run.ranks_per_trial, 1, 1000000, "1",
            "ranks that share every batch of a trial"),
    ROW_JOB("group", CS_OPTION_BOOL, run.group, 0, 1, "true",
            "trials that can share a frozen trunk are trained together; the numbers are the same"),
    ROW_JOB("cache", CS_OPTION_CACHE, run, 0, 1e15, "auto",
            "memory in which a rank keeps what a frozen trunk gives, for later epochs; what is more goes to a file in "
            "$TMPDIR. auto: a quarter of what is free, shared by the node's ranks; off; or a size (512M, 2G)"),
    ROW_JOB("checkpoint_seconds", CS_OPTION_FLOAT, run.checkpoint_seconds, 0, 1e9, "10",
            "least time between checkpoints; 0: after every epoch"),
    ROW_JOB("keep_weights", CS_OPTION_INT, run.keep_weights, 1, 1e6, "all",
            "with train.save_weights: keep the files of the best so many trials"),

    ROW_JOB("sweep.seed", CS_OPTION_INT, seed, 0, 9007199254740992.0, "1", "method random: seed of the values drawn"),
    ROW_JOB("sweep.repeats", CS_OPTION_INT, repeats, 1, 10000, "1",
            "train every trial so many times, with seeds that follow train.seed"),
    ROW_JOB("sweep.budget.trials", CS_OPTION_INT, budget.trials, 1, 100000, "all",
            "number of trials, repeats counted: a random sweep's, or the first of the grid"),
    ROW_JOB("sweep.budget.minutes", CS_OPTION_FLOAT, budget.minutes, 1e-9, 1e9, "none",
            "then no trial begins, and those under way are tested after their epoch"),
    {"sweep.scheduler.type", CS_OPTION_ENUM, JOB_FIELD(scheduler.kind), 0, 0, "none|asha|hyperband|median", "none",
     false, "which trials end early"},
    ROW_JOB("sweep.scheduler.max_t", CS_OPTION_INT, scheduler.max_t, 1, 1000000, "auto",
            "asha, hyperband: most epochs; auto: train.epochs"),
    ROW_JOB("sweep.scheduler.grace_period", CS_OPTION_INT, scheduler.grace_period, 1, 1000000, "1",
            "epochs that every trial gets"),
    ROW_JOB("sweep.scheduler.reduction_factor", CS_OPTION_FLOAT, scheduler.reduction_factor, 1.1, 1000, "auto",
            "one of so many trials goes on past a rung, to so many times the epochs; auto: asha 4, hyperband 3"),
    ROW_JOB("sweep.scheduler.brackets", CS_OPTION_INT, scheduler.brackets, 1, 100, "auto",
            "each begins to stop trials one rung later; auto: asha 1, hyperband all that fit in max_t"),
    ROW_JOB("sweep.scheduler.min_samples_required", CS_OPTION_INT, scheduler.min_samples_required, 1, 100000, "3",
            "median: other trials to compare with"),
};

const cs_option *cs_job_options(size_t *count) {
    *count = sizeof job_table / sizeof *job_table;
    return job_table;
}
