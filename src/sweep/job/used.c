/* SPDX-License-Identifier: Apache-2.0 */
/* An option that no trial uses is a mistake that nobody would notice. If it is swept, a trial that does not use it
 * would equal another one. */
#include "cnnsweep/schedule.h"
#include "cnnsweep/swa.h"
#include "job_reader.h"
#include "phases.h"

#include <stdio.h>
#include <string.h>

/* Does the trial use the option with this key? */
typedef bool uses_option(const cs_trial_config *trial, const char *key);

typedef struct usage {
    const cs_node *given; /* what sets or sweeps the option, or NULL */
    bool is_swept;
    const cs_trial_config *with, *without; /* a trial that uses it, and one that does not, or NULL */
} usage;

/* The node that sets or sweeps the option in all phases, or else in one. */
static const cs_node *find_given(const cs_job_reader *reader, const char *key) {
    const cs_node *given = cs_job_given(reader, key);
    const cs_job *job = reader->job;
    const cs_option *option = NULL;
    if (given || job->n_phases == 1 || cs_option_find(key, &option) != CS_OK)
        return given;
    for (int phase = 1; phase <= job->n_phases && !given; phase++)
        given = cs_phase_given(reader, phase, option);
    for (int i = 0; i < job->n_phase_options && !given; i++)
        if (job->phase_options[i]->option.offset == option->offset)
            given = job->phase_options[i]->given;
    return given;
}

static usage find_usage(const cs_job_reader *reader, const char *key, uses_option *uses) {
    const cs_job *job = reader->job;
    usage found = {.given = find_given(reader, key)};
    int swept = job->n_swept - 1;
    while (swept >= 0 && strcmp(job->swept[swept].option->key, key) != 0)
        swept--;
    found.is_swept = swept >= 0;
    for (int t = 0; t < job->n_trials; t++)
        if (uses(&job->trials[t], key))
            found.with = &job->trials[t];
        else if (swept < 0 || cs_job_has_value(job, t, swept)) /* an option may be swept only when it is used */
            found.without = &job->trials[t];
    return found;
}

/* Trials of a grid that differ in nothing else would be equal. A random search may draw values that are not used. */
static bool is_allowed(const cs_job_reader *reader, const usage *found) {
    return !found->given || !found->without || (found->with && (!found->is_swept || reader->job->method->draws));
}

/* A head that cannot be parsed counts as one without dropout. The error is reported when the network is built. */
static bool has_plain_dropout(const char *text) {
    cs_head_spec head;
    if (cs_head_parse(text, &head) != CS_OK)
        return false;
    for (int i = 0; i < head.n; i++)
        if (head.layers[i].kind == CS_HEAD_DROPOUT && head.layers[i].plain)
            return true;
    return false;
}

static const char *head_of(const cs_model_config *model) {
    size_t n;
    const cs_zoo_entry *entries = cs_zoo_entries(&n);
    for (size_t i = 0; i < n && !model->head[0]; i++)
        if (strcmp(entries[i].name, model->arch) == 0)
            return entries[i].default_head;
    return model->head;
}

static bool uses_dropout(const cs_trial_config *trial, const char *key) {
    (void)key;
    return has_plain_dropout(head_of(&trial->model));
}

static cs_status check_dropout(const cs_job_reader *reader) {
    const char *key = "model.dropout", *hint = "write head: [gap, dropout, dense]";
    usage found = find_usage(reader, key, uses_dropout);
    if (found.given && !found.with)
        return cs_hint(cs_node_fail(found.given, CS_ERR_ARG, "%s is set, but the head has no plain dropout layer", key),
                       "%s", hint);
    if (found.is_swept && found.without)
        return cs_hint(cs_node_fail(found.given, CS_ERR_ARG,
                                    "%s is swept, but the head %s of %s has no plain dropout layer", key,
                                    head_of(&found.without->model), found.without->model.arch),
                       "%s", hint);
    return CS_OK;
}

/* Is it an option of some schedules? */
static bool is_of_schedule(const char *key) {
    bool used = false;
    for (int kind = 0; cs_schedule_name(kind); kind++)
        used = used || cs_schedule_uses(kind, key);
    return used;
}

static bool schedule_uses(const cs_trial_config *trial, const char *key) {
    return cs_schedule_uses(trial->train.schedule.kind, key);
}

static void list_schedules(const char *key, char *out, size_t size) {
    out[0] = '\0';
    for (int kind = 0; cs_schedule_name(kind); kind++) {
        size_t used = strlen(out);
        if (cs_schedule_uses(kind, key))
            snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "", cs_schedule_name(kind));
    }
}

static cs_status check_schedule_option(const cs_job_reader *reader, const char *key) {
    char users[CS_VALUE_MAX];
    usage found = find_usage(reader, key, schedule_uses);
    if (is_allowed(reader, &found))
        return CS_OK;
    list_schedules(key, users, sizeof users);
    return cs_hint(cs_node_fail(found.given, CS_ERR_ARG, "%s is %s, but train.schedule is %s", key,
                                found.is_swept ? "swept" : "set", cs_schedule_name(found.without->train.schedule.kind)),
                   "schedules that use it: %s", users);
}

/* The settings that only some optimizers use. */
static const struct {
    const char *key;
    unsigned use; /* CS_USES_* */
} optimizer_settings[] = {
    {"train.momentum", CS_USES_MOMENTUM},  {"train.nesterov", CS_USES_NESTEROV},
    {"train.dampening", CS_USES_NESTEROV}, {"train.beta_1", CS_USES_BETAS},
    {"train.beta_2", CS_USES_BETAS},       {"train.rho", CS_USES_RHO},
    {"train.epsilon", CS_USES_EPSILON},    {"train.amsgrad", CS_USES_AMSGRAD},
    {"train.centered", CS_USES_CENTERED},  {"train.initial_accumulator", CS_USES_ACCUMULATOR},
};
enum { N_OPTIMIZER_SETTINGS = sizeof optimizer_settings / sizeof *optimizer_settings };

static unsigned use_of(const char *key) {
    for (size_t i = 0; i < N_OPTIMIZER_SETTINGS; i++)
        if (strcmp(optimizer_settings[i].key, key) == 0)
            return optimizer_settings[i].use;
    return 0;
}

static bool optimizer_uses(const cs_trial_config *trial, const char *key) {
    return cs_optimizer_uses(trial->train.optimizer.kind) & use_of(key);
}

static cs_status check_optimizer_setting(const cs_job_reader *reader, const char *key) {
    char users[CS_VALUE_MAX] = "";
    usage found = find_usage(reader, key, optimizer_uses);
    if (is_allowed(reader, &found))
        return CS_OK;
    for (int kind = 0; cs_optimizer_name(kind); kind++)
        if (cs_optimizer_uses((cs_optimizer_kind)kind) & use_of(key)) {
            size_t used = strlen(users);
            snprintf(users + used, sizeof users - used, "%s%s", used > 0 ? ", " : "", cs_optimizer_name(kind));
        }
    return cs_hint(cs_node_fail(found.given, CS_ERR_ARG, "%s is %s, but train.optimizer is %s", key,
                                found.is_swept ? "swept" : "set",
                                cs_optimizer_name(found.without->train.optimizer.kind)),
                   "optimizers that use it: %s; to sweep it for these, add when: {optimizer: [...]}", users);
}

static bool warms_up(const cs_trial_config *trial, const char *key) {
    const cs_schedule_config *schedule = &trial->train.schedule;
    (void)key;
    return schedule->warmup_epochs > 0 || schedule->warmup_steps > 0;
}

static bool stops_early(const cs_trial_config *trial, const char *key) {
    (void)key;
    return trial->train.patience > 0;
}

static bool averages_weights(const cs_trial_config *trial, const char *key) {
    (void)key;
    return cs_swa_is_on(&trial->train);
}

static bool anneals_to_swa(const cs_trial_config *trial, const char *key) {
    (void)key;
    return trial->train.swa.lr > 0;
}

static bool saves_weights(const cs_trial_config *trial, const char *key) {
    (void)key;
    return strcmp(trial->train.save_weights, "none") != 0;
}

static bool is_focal(const cs_trial_config *trial, const char *key) {
    (void)key;
    return trial->train.loss == CS_LOSS_FOCAL;
}

static bool is_regularized(const cs_trial_config *trial, const char *key) {
    (void)key;
    return trial->model.l1 > 0 || trial->model.l2 > 0 || trial->model.max_norm > 0;
}

static bool has_binary_head(const cs_trial_config *trial) {
    cs_head_spec head;
    return cs_head_parse(head_of(&trial->model), &head) == CS_OK && head.n > 0 &&
           head.layers[head.n - 1].activation == CS_ACT_BINARY;
}

static bool has_focal_factor(const cs_trial_config *trial, const char *key) {
    return is_focal(trial, key) && (trial->train.focal_balancing || !has_binary_head(trial));
}

static bool is_binary_focal(const cs_trial_config *trial, const char *key) {
    return is_focal(trial, key) && has_binary_head(trial);
}

static bool has_fold(const cs_trial_config *trial, const char *key) {
    (void)key;
    return trial->data.fold.count > 0;
}

/* Options that need another one. */
static const struct {
    const char *key;
    uses_option *uses;
    const char *without, *hint;
} dependent[] = {
    {"data.fold_rule", has_fold, "there are no folds", "write sweep: {folds: 5}"},
    {"data.fold_shuffle", has_fold, "there are no folds", "write sweep: {folds: 5}"},
    {"data.fold_split", has_fold, "there are no folds", "write sweep: {folds: 5}"},
    {"model.regularize", is_regularized, "none of model.l1, model.l2 and model.max_norm is", "set one of them"},
    {"train.warmup_lr", warms_up, "there is no warm-up", "set train.warmup_epochs or train.warmup_steps"},
    {"train.warmup_prefix", warms_up, "there is no warm-up", "set train.warmup_epochs or train.warmup_steps"},
    {"train.baseline", stops_early, "train.patience is 0", "early stopping needs a patience of 1 or more"},
    {"train.start_from_epoch", stops_early, "train.patience is 0", "early stopping needs a patience of 1 or more"},
    {"train.restore_best_weights", stops_early, "train.patience is 0", "early stopping needs a patience of 1 or more"},
    {"train.focal_gamma", is_focal, "train.loss is not focal", "set train.loss: focal"},
    {"train.focal_alpha", has_focal_factor, "train.loss is not focal, or is that of a binary head without balancing",
     "set train.loss: focal and, for a binary head, train.focal_balancing: true"},
    {"train.focal_balancing", is_binary_focal, "train.loss is not focal or the head is not binary",
     "it is for train.loss: focal and a head that ends in {dense: 1, activation: sigmoid}"},
    {"train.swa_lr", averages_weights, "train.swa_start is none", "say from which epoch on weights are averaged"},
    {"train.swa_anneal_epochs", anneals_to_swa, "train.swa_lr is auto", "set train.swa_lr"},
    {"train.swa_anneal", anneals_to_swa, "train.swa_lr is auto", "set train.swa_lr"},
    {"train.save_epoch", saves_weights, "train.save_weights is none", "say how to save, such as save_weights: h5"},
};

/* If every phase sets an option, no trial has the swept value. */
static cs_status check_swept_in_phases(const cs_job_reader *reader) {
    const cs_job *job = reader->job;
    for (int i = 0; i < job->n_swept; i++) {
        const cs_option *option = job->swept[i].option;
        int phase = 1;
        if (cs_option_phase(option) > 0)
            continue;
        while (phase <= job->n_phases && cs_phase_given(reader, phase, option))
            phase++;
        if (phase > job->n_phases)
            return cs_hint(cs_node_fail(cs_job_given(reader, option->key), CS_ERR_ARG,
                                        "%s is swept, but every phase sets it", option->key),
                           "to sweep it in one phase write phases.2.%s", cs_option_short_name(option));
    }
    return CS_OK;
}

cs_status cs_job_check_used(const cs_job_reader *reader) {
    size_t n;
    const cs_option *options = cs_options(&n);
    CS_TRY(check_swept_in_phases(reader));
    for (size_t i = 0; i < n; i++)
        if (is_of_schedule(options[i].key))
            CS_TRY(check_schedule_option(reader, options[i].key));
    for (size_t i = 0; i < N_OPTIMIZER_SETTINGS; i++)
        CS_TRY(check_optimizer_setting(reader, optimizer_settings[i].key));
    for (size_t i = 0; i < sizeof dependent / sizeof *dependent; i++) {
        usage found = find_usage(reader, dependent[i].key, dependent[i].uses);
        if (found.given && found.without && (!found.with || found.is_swept))
            return cs_hint(cs_node_fail(found.given, CS_ERR_ARG, "%s is %s, but %s", dependent[i].key,
                                        found.is_swept ? "swept" : "set", dependent[i].without),
                           "%s", dependent[i].hint);
    }
    return check_dropout(reader);
}
