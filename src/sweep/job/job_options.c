/* SPDX-License-Identifier: Apache-2.0 */
/* Every option of the job as a whole, a row each; option.h says how to add one. Options without a dot in their key are
 * at the top level of the job file. */
#include "cnnsweep/job.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FIELD(member) .offset = offsetof(cs_job, member), .size = sizeof(((cs_job *)0)->member)

const char *cs_scheduler_name(int kind) {
    static const char *const names[] = {
        [CS_SCHEDULER_NONE] = "none",     [CS_SCHEDULER_ASHA] = "asha", [CS_SCHEDULER_HYPERBAND] = "hyperband",
        [CS_SCHEDULER_MEDIAN] = "median", [CS_SCHEDULER_PBT] = "pbt",   NULL};
    return names[kind];
}

static const char *precision_name(int value) {
    return value < CS_PRECISION_COUNT ? cs_precision_name((cs_precision)value) : NULL;
}

static const char *log_lines_name(int value) {
    static const char *const names[] = {[CS_LINES_AUTO] = "auto",
                                        [CS_LINES_EPOCHS] = "epochs",
                                        [CS_LINES_TRIALS] = "trials",
                                        [CS_LINES_SUMMARY] = "summary",
                                        NULL};
    return names[value];
}

/* Reads a number of bytes, with or without a unit. */
static bool parse_bytes(const char *text, double *bytes) {
    static const char units[] = "KMGT";
    char *end;
    *bytes = strtod(text, &end);
    const char *unit = *end ? strchr(units, *end) : NULL;
    if (unit)
        *bytes = ldexp(*bytes, 10 * (int)(unit - units + 1));
    return isdigit((unsigned char)text[0]) && !strpbrk(text, "xX") && (unit ? !end[1] : !*end);
}

static cs_status parse_cache(const cs_option *option, const char *text, void *field) {
    static const char *const modes[] = {[CS_CACHE_AUTO] = "auto", [CS_CACHE_OFF] = "off"};
    enum { MODES = sizeof modes / sizeof *modes };
    cs_cache_setting *cache = field;
    char guess[64];
    double bytes;
    *cache = (cs_cache_setting){0};
    snprintf(cache->text, sizeof cache->text, "%s", text);
    for (int mode = 0; mode < MODES; mode++) {
        cache->mode = (cs_cache_mode)mode;
        if (strcmp(text, modes[mode]) == 0)
            return CS_OK;
    }
    if (!parse_bytes(text, &bytes))
        return cs_hint(cs_fail(CS_ERR_ARG, "%s is '%s'%s", option->key, text,
                               cs_did_you_mean(text, modes, MODES, guess, sizeof guess)),
                       "%s is auto, off, or a size such as 512M or 1.5G", option->key);
    CS_TRY(cs_option_check_range(option, text, bytes));
    cache->mode = CS_CACHE_SIZE;
    cache->bytes = (size_t)bytes;
    return CS_OK;
}

static cs_status parse_keep(const cs_option *option, const char *text, void *field) {
    static const char best[] = "best ";
    cs_keep_setting *keep = field;
    const char *number = strncmp(text, best, strlen(best)) == 0 ? text + strlen(best) : text;
    char *end;
    *keep = (cs_keep_setting){.most = strcmp(text, "all") == 0 ? CS_KEEP_ALL : 0};
    snprintf(keep->text, sizeof keep->text, "%s", text);
    if (keep->most == CS_KEEP_ALL || strcmp(text, "none") == 0)
        return CS_OK;
    long most = strtol(number, &end, 10);
    if (!isdigit((unsigned char)number[0]) || *end)
        return cs_hint(cs_fail(CS_ERR_ARG, "%s is '%s'", option->key, text), "%s is none, all or such as best 3",
                       option->key);
    CS_TRY(cs_option_check_range(option, text, (double)most));
    keep->most = (int)most;
    return CS_OK;
}

enum {
    HALVING = 1 << CS_SCHEDULER_ASHA | 1 << CS_SCHEDULER_HYPERBAND,
    MEDIAN = 1 << CS_SCHEDULER_MEDIAN,
    PBT = 1 << CS_SCHEDULER_PBT
};

static const cs_option table[] = {
    {.key = "threads",
     .type = CS_OPTION_INT,
     FIELD(run.threads),
     .max = 4096,
     .fallback = "auto",
     .doc = "threads of a rank; auto: free cores / ranks"},
    {.key = "device",
     .type = CS_OPTION_STRING,
     FIELD(run.device),
     .fallback = "auto",
     .doc = "engine: auto, cuda, cpu, onednn or ref"},
    {.key = "precision",
     .type = CS_OPTION_ENUM,
     FIELD(run.precision),
     .choice = precision_name,
     .fallback = "fp32",
     .affects = CS_AFFECTS_SWEEP,
     .doc = "GPU: precision of layers and matrix products; parameters, sums and losses are fp32"},
    {.key = "autotune",
     .type = CS_OPTION_BOOL,
     FIELD(run.autotune),
     .fallback = "false",
     .doc = "GPU: time the algorithms for each convolution and use the fastest; the first start is slower"},
    {.key = "deterministic",
     .type = CS_OPTION_BOOL,
     FIELD(run.deterministic),
     .fallback = "false",
     .affects = CS_AFFECTS_SWEEP,
     .doc = "GPU: the same bits in every run; the CPU's engines give them anyway"},
    {.key = "plan_cache",
     .type = CS_OPTION_STRING,
     FIELD(run.plan_cache),
     .fallback = "auto",
     .is_path = true,
     .doc = "GPU: folder where plans of convolutions are kept. auto: cnnsweep in $XDG_CACHE_HOME or ~/.cache; off"},
    {.key = "ranks_per_trial",
     .type = CS_OPTION_INT,
     FIELD(run.ranks_per_trial),
     .min = 1,
     .max = 1000000,
     .fallback = "1",
     .affects = CS_AFFECTS_SWEEP,
     .doc = "ranks that share every batch of a trial"},
    {.key = "group",
     .type = CS_OPTION_BOOL,
     FIELD(run.group),
     .fallback = "true",
     .doc = "trials that can share a frozen trunk are trained together; the numbers are the same"},
    {.key = "cache",
     .type = CS_OPTION_OTHER,
     FIELD(run.cache),
     .max = 1e15,
     .fallback = "auto",
     .parse = parse_cache,
     .takes = "auto, off, or a size such as 512M",
     .doc = "memory in which a rank keeps the outputs of a frozen trunk for later epochs; the rest goes to a file in "
            "$TMPDIR. auto: a quarter of what is free, shared by the node's ranks; off; or a size (512M, 2G)"},
    {.key = "checkpoint_seconds",
     .type = CS_OPTION_FLOAT,
     FIELD(run.checkpoint_seconds),
     .max = 1e9,
     .fallback = "10",
     .doc = "least time between checkpoints; 0: after every epoch"},
    {.key = "keep_state",
     .type = CS_OPTION_OTHER,
     FIELD(run.keep_state),
     .min = 1,
     .max = 1000000,
     .fallback = "none",
     .parse = parse_keep,
     .takes = "none, all, best N",
     .doc = "keep the final states of trials, from which they go on when more epochs are wanted (train --extend)"},
    {.key = "keep_weights",
     .type = CS_OPTION_INT,
     FIELD(run.keep_weights),
     .min = 1,
     .max = 1e6,
     .fallback = "all",
     .doc = "with train.save_weights: keep the files of this many of the best trials"},
    {.key = "report",
     .type = CS_OPTION_BOOL,
     FIELD(run.report),
     .fallback = "true",
     .doc = "write report.html, the page about the sweep, when it ends"},
    {.key = "log",
     .type = CS_OPTION_ENUM,
     FIELD(run.log),
     .choice = log_lines_name,
     .fallback = "auto",
     .doc = "lines on standard error: one for each epoch and trial (epochs), for each trial (trials), or for each "
            "twentieth of the trials (summary); auto: epochs up to 100 lines, trials up to 200"},
    {.key = "tensorboard",
     .type = CS_OPTION_BOOL,
     FIELD(run.tensorboard),
     .fallback = "false",
     .doc = "write event files for TensorBoard: curves, confusion matrices, and the plug-in HParams, which compares "
            "trials"},

    {.key = "sweep.seed",
     .type = CS_OPTION_INT,
     FIELD(seed),
     .max = 9007199254740992.0,
     .fallback = "1",
     .affects = CS_AFFECTS_SWEEP,
     .doc = "seed of the values that methods other than grid draw"},
    {.key = "sweep.repeats",
     .type = CS_OPTION_INT,
     FIELD(repeats),
     .min = 1,
     .max = 10000,
     .fallback = "1",
     .affects = CS_AFFECTS_SWEEP,
     .doc = "train every trial this many times, with consecutive seeds from train.seed"},
    {.key = "sweep.folds",
     .type = CS_OPTION_INT,
     FIELD(folds),
     .min = 1,
     .max = CS_FOLDS_MAX,
     .fallback = "1",
     .affects = CS_AFFECTS_SWEEP,
     .doc =
         "train every trial on so many folds (cross-validation), each with another part of the images held out; 1: on "
         "the splits of the dataset"},
    {.key = "sweep.budget.trials",
     .type = CS_OPTION_INT,
     FIELD(budget.trials),
     .min = 1,
     .max = 100000,
     .fallback = "all",
     .affects = CS_AFFECTS_SWEEP,
     .doc = "number of trials, repeats and folds counted: the first ones of a grid, and all of another method"},
    {.key = "sweep.budget.minutes",
     .type = CS_OPTION_FLOAT,
     FIELD(budget.minutes),
     .min = 1e-9,
     .max = 1e9,
     .fallback = "none",
     .doc = "when they are over no trial begins, and those in training are tested after their epoch"},
    {.key = "sweep.scheduler.type",
     .type = CS_OPTION_ENUM,
     FIELD(scheduler.kind),
     .choice = cs_scheduler_name,
     .fallback = "none",
     .affects = CS_AFFECTS_SWEEP,
     .doc = "which trials end early"},
    {.key = "sweep.scheduler.max_t",
     .type = CS_OPTION_INT,
     FIELD(scheduler.max_t),
     .min = 1,
     .max = 1000000,
     .fallback = "auto",
     .affects = CS_AFFECTS_SWEEP,
     .only_with = HALVING,
     .doc = "asha, hyperband: most epochs; auto: train.epochs"},
    {.key = "sweep.scheduler.grace_period",
     .type = CS_OPTION_INT,
     FIELD(scheduler.grace_period),
     .min = 1,
     .max = 1000000,
     .fallback = "1",
     .affects = CS_AFFECTS_SWEEP,
     .doc = "epochs that every trial gets"},
    {.key = "sweep.scheduler.reduction_factor",
     .type = CS_OPTION_FLOAT,
     FIELD(scheduler.reduction_factor),
     .min = 1.1,
     .max = 1000,
     .fallback = "auto",
     .affects = CS_AFFECTS_SWEEP,
     .only_with = HALVING,
     .doc = "one in this many trials goes on past a rung, to this many times the epochs; auto: asha 4, hyperband 3"},
    {.key = "sweep.scheduler.brackets",
     .type = CS_OPTION_INT,
     FIELD(scheduler.brackets),
     .min = 1,
     .max = 100,
     .fallback = "auto",
     .affects = CS_AFFECTS_SWEEP,
     .only_with = HALVING,
     .doc = "each begins to stop trials one rung later; auto: asha 1, hyperband all that fit in max_t"},
    {.key = "sweep.scheduler.min_samples_required",
     .type = CS_OPTION_INT,
     FIELD(scheduler.min_samples_required),
     .min = 1,
     .max = 100000,
     .fallback = "3",
     .affects = CS_AFFECTS_SWEEP,
     .only_with = MEDIAN,
     .doc = "median: other trials to compare with"},
    {.key = "sweep.scheduler.perturbation_interval",
     .type = CS_OPTION_INT,
     FIELD(scheduler.perturbation_interval),
     .min = 1,
     .max = 1000000,
     .fallback = "1",
     .affects = CS_AFFECTS_SWEEP,
     .only_with = PBT,
     .doc = "pbt: epochs after which the worst members of the population go on from the best, with changed values"},
    {.key = "sweep.scheduler.quantile_fraction",
     .type = CS_OPTION_FLOAT,
     FIELD(scheduler.quantile_fraction),
     .max = 0.5,
     .fallback = "0.25",
     .affects = CS_AFFECTS_SWEEP,
     .only_with = PBT,
     .doc = "pbt: the part of the population that counts as the worst, and as the best"},
    {.key = "sweep.scheduler.resample_probability",
     .type = CS_OPTION_FLOAT,
     FIELD(scheduler.resample_probability),
     .max = 1,
     .fallback = "0.25",
     .affects = CS_AFFECTS_SWEEP,
     .only_with = PBT,
     .doc = "pbt: probability that a value is drawn anew and not changed by a fifth"},
};

const cs_option *cs_job_options(size_t *count) {
    *count = sizeof table / sizeof *table;
    return table;
}
