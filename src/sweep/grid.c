/* sweep: and table: of a job file, and the grid of trials they make. */
#include "cnnsweep/memory.h"
#include "job_reader.h"
#include "metric.h"
#include "option_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cs_status read_choice(const cs_node *key, const cs_node *value, const char *const *choices, size_t n, int *out) {
    char text[32], guess[64];
    CS_TRY(cs_job_read_text(key, value, text, sizeof text));
    for (size_t i = 0; i < n; i++) {
        if (strcmp(text, choices[i]) == 0) {
            *out = (int)i;
            return CS_OK;
        }
    }
    return cs_hint(cs_node_fail(value, CS_ERR_ARG, "%s is '%s'%s", key->text, text,
                                cs_did_you_mean(text, choices, n, guess, sizeof guess)),
                   "%s is %s%s%s", key->text, choices[0], n > 1 ? " or " : "", n > 1 ? choices[1] : "");
}

static cs_status read_method(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    (void)reader;
    static const char *const methods[] = {"grid"};
    int method = 0;
    return read_choice(key, value, methods, 1, &method);
}

static cs_status read_metric(const cs_node *key, const cs_node *value, char *out, size_t size,
                             const cs_metric **metric) {
    CS_TRY(cs_job_read_text(key, value, out, size));
    cs_status status = cs_metric_find(out, metric);
    return status == CS_OK ? CS_OK : cs_node_context(value, status);
}

static cs_status read_metric_name(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    const cs_metric *metric = NULL;
    CS_TRY(read_metric(key, value, reader->job->metric, sizeof reader->job->metric, &metric));
    reader->job->maximize = metric->maximize;
    return CS_OK;
}

static cs_status read_goal(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    static const char *const goals[] = {"maximize", "minimize"};
    int goal = 0;
    CS_TRY(read_choice(key, value, goals, 2, &goal));
    reader->job->maximize = goal == 0;
    return CS_OK;
}

static cs_status read_metric_map(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    (void)key;
    static const cs_job_key keys[] = {{"name", read_metric_name}, {"goal", read_goal}};
    return cs_job_read_keys(reader, "sweep: metric:", value, keys, 2);
}

static cs_status check_axis(const cs_job_reader *reader, const cs_node *key, const cs_node *list,
                            const cs_option *option) {
    size_t n;
    const cs_option *options = cs_options(&n);
    for (int i = 0; i < reader->job->n_axes; i++)
        if (reader->job->axes[i].option == option)
            return cs_node_fail(key, CS_ERR_ARG, "%s is swept twice", option->key);
    if (!option->sweepable)
        return cs_node_fail(key, CS_ERR_ARG, "%s cannot be swept: it is one for the whole sweep", option->key);
    if (reader->given[option - options])
        return cs_hint(cs_node_fail(key, CS_ERR_ARG, "%s is swept here and also has a fixed value", option->key),
                       "remove one of them; a single value in the sweep is %s: [value]", key->text);
    if (list->kind != CS_NODE_LIST)
        return cs_hint(cs_node_fail(list, CS_ERR_ARG, "%s: the values to try are a list", option->key),
                       "write %s: [a, b, c]", key->text);
    if (list->n == 0)
        return cs_node_fail(list, CS_ERR_ARG, "%s: the list of values is empty", option->key);
    return CS_OK;
}

/* Values are kept as cs_option_get prints them, so 1e-3 and 0.001 are the same one. */
static cs_status read_axis(cs_job_reader *reader, const cs_node *key, const cs_node *list) {
    cs_job *job = reader->job;
    const cs_option *option = NULL;
    cs_status status = cs_option_find(key->text, &option);
    if (status != CS_OK)
        return cs_node_context(key, status);
    CS_TRY(check_axis(reader, key, list, option));
    size_t n;
    cs_axis *axis = &job->axes[job->n_axes++];
    axis->option = option;
    reader->given[option - cs_options(&n)] = list;
    CS_TRY(cs_alloc((size_t)list->n, sizeof *axis->values, "sweep values", &axis->values));
    cs_trial_config trial = job->base;
    for (int i = 0; i < list->n; i++) {
        char text[CS_VALUE_MAX * 2];
        CS_TRY(cs_job_set_option(reader, option, list->items[i], &trial));
        cs_option_get(option, &trial, text, sizeof text);
        for (int earlier = 0; earlier < i; earlier++)
            if (strcmp(axis->values[earlier], text) == 0)
                return cs_node_fail(list->items[i], CS_ERR_ARG, "%s: %s appears twice", option->key, text);
        CS_TRY(cs_strdup(text, &axis->values[i]));
        axis->n++;
    }
    return CS_OK;
}

static cs_status read_parameters(cs_job_reader *reader, const cs_node *key, const cs_node *map) {
    if (map->kind != CS_NODE_MAP || map->n == 0)
        return cs_hint(cs_node_fail(map, CS_ERR_ARG, "%s: is not a map of options", key->text),
                       "write lr: [0.01, 0.001]");
    CS_TRY(cs_alloc((size_t)map->n, sizeof *reader->job->axes, "sweep", &reader->job->axes));
    long long trials = 1;
    for (int i = 0; i < map->n; i++) {
        CS_TRY(read_axis(reader, map->keys[i], map->items[i]));
        trials *= map->items[i]->n;
        if (trials > CS_MAX_TRIALS)
            return cs_node_fail(map, CS_ERR_ARG, "the grid has more than %d trials", CS_MAX_TRIALS);
    }
    return CS_OK;
}

cs_status cs_job_read_sweep(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    (void)key;
    static const cs_job_key keys[] = {
        {"method", read_method}, {"metric", read_metric_map}, {"parameters", read_parameters}};
    CS_TRY(cs_job_read_keys(reader, "sweep:", value, keys, 3));
    if (!cs_node_get(value, "parameters"))
        return cs_hint(cs_node_fail(value, CS_ERR_ARG, "sweep: has no parameters:"),
                       "leave sweep: out to train a single trial");
    return CS_OK;
}

/* The option's full key, when it is swept. */
static cs_status read_table_axis(cs_job_reader *reader, const cs_node *key, const cs_node *value, char *out,
                                 size_t size) {
    const cs_job *job = reader->job;
    const char *names[CS_MAX_OPTIONS];
    char text[CS_NAME_MAX], guess[128];
    CS_TRY(cs_job_read_text(key, value, text, sizeof text));
    for (int i = 0; i < job->n_axes; i++) {
        const cs_option *option = job->axes[i].option;
        names[i] = cs_option_short_name(option);
        if (strcmp(text, names[i]) == 0 || strcmp(text, option->key) == 0) {
            snprintf(out, size, "%s", option->key);
            return CS_OK;
        }
    }
    return cs_hint(cs_node_fail(value, CS_ERR_ARG, "table: %s is '%s', which is not swept%s", key->text, text,
                                cs_did_you_mean(text, names, (size_t)job->n_axes, guess, sizeof guess)),
                   "rows and columns are options under sweep: parameters:");
}

static cs_status read_rows(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    return read_table_axis(reader, key, value, reader->job->table_rows, sizeof reader->job->table_rows);
}

static cs_status read_columns(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    cs_job *job = reader->job;
    CS_TRY(read_table_axis(reader, key, value, job->table_columns, sizeof job->table_columns));
    if (strcmp(job->table_rows, job->table_columns) == 0)
        return cs_node_fail(value, CS_ERR_ARG, "table: rows and columns are both %s", job->table_rows);
    return CS_OK;
}

static cs_status read_value(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    const cs_metric *metric = NULL;
    return read_metric(key, value, reader->job->table_value, sizeof reader->job->table_value, &metric);
}

cs_status cs_job_read_table(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    (void)key;
    static const cs_job_key keys[] = {{"rows", read_rows}, {"columns", read_columns}, {"value", read_value}};
    return cs_job_read_keys(reader, "table:", value, keys, 3);
}

/* Rows and columns that the job leaves open: the first swept options that are free. */
static void complete_table(cs_job *job) {
    char *places[] = {job->table_rows, job->table_columns};
    for (size_t place = 0; place < 2; place++) {
        for (int i = 0; i < job->n_axes && !places[place][0]; i++) {
            const char *name = job->axes[i].option->key;
            if (strcmp(name, places[1 - place]) != 0)
                snprintf(places[place], sizeof job->table_rows, "%s", name);
        }
    }
    if (!job->table_value[0])
        snprintf(job->table_value, sizeof job->table_value, "%s", job->metric);
}

/* Keras' learning rates, where the job leaves it to the optimizer. */
static void resolve_lr(cs_trial_config *trial) {
    const float keras_adam = 1e-3f, keras_sgd = 1e-2f;
    cs_optimizer *optimizer = &trial->train.optimizer;
    if (optimizer->lr == 0)
        optimizer->lr = optimizer->kind == CS_OPTIMIZER_ADAM ? keras_adam : keras_sgd;
}

static bool has_plain_dropout(const char *head) {
    const char *name = "dropout";
    size_t length = strlen(name);
    for (const char *at = head; *at; at += strcspn(at, ","), at += *at == ',')
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0'))
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

/* Where the option of that key is set or swept; NULL: its default holds. */
static const cs_node *place_of(const cs_job_reader *reader, const char *key) {
    size_t n;
    const cs_option *options = cs_options(&n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(options[i].key, key) == 0)
            return reader->given[i];
    return NULL;
}

/* A rate that no head takes is a mistake; and where rates are swept, a head that takes none makes equal trials. */
static cs_status check_dropout(const cs_job_reader *reader) {
    const char *key = "model.dropout", *hint = "write head: [gap, dropout, dense]";
    const cs_job *job = reader->job;
    const cs_node *given = place_of(reader, key);
    const cs_model_config *without = NULL;
    int n_with = 0;
    bool swept = false;
    for (int i = 0; i < job->n_axes; i++)
        swept = swept || strcmp(job->axes[i].option->key, key) == 0;
    for (int t = 0; t < job->n_trials; t++)
        if (has_plain_dropout(head_of(&job->trials[t].model)))
            n_with++;
        else
            without = &job->trials[t].model;
    if (given && n_with == 0)
        return cs_hint(cs_node_fail(given, CS_ERR_ARG, "%s is set, but the head has no plain dropout layer", key), "%s",
                       hint);
    if (swept && without)
        return cs_hint(cs_node_fail(given, CS_ERR_ARG, "%s is swept, but the head %s of %s has no plain dropout layer",
                                    key, head_of(without), without->arch),
                       "%s", hint);
    return CS_OK;
}

/* On features only the head trains, and images are seen once, as they are. */
static cs_status check_features(const cs_job_reader *reader, cs_trial_config *trial) {
    const char *head = "head";
    const cs_node *depth = place_of(reader, "train.fine_tune"), *augment = place_of(reader, "train.augment");
    if (trial->train.mode != CS_TRAIN_FEATURES)
        return CS_OK;
    if (depth && strcmp(trial->fine_tune, head) != 0)
        return cs_hint(
            cs_node_fail(depth, CS_ERR_ARG, "train.fine_tune is %s, but train.mode is features", trial->fine_tune),
            "on features only the head trains: leave fine_tune out, or use mode: fine_tune");
    if (augment && strcmp(trial->augment_name, "none") != 0)
        return cs_hint(
            cs_node_fail(augment, CS_ERR_ARG, "train.augment is %s, but train.mode is features", trial->augment_name),
            "features are computed once, from images as they are: use mode: fine_tune with fine_tune: head");
    snprintf(trial->fine_tune, sizeof trial->fine_tune, "%s", head);
    return CS_OK;
}

cs_status cs_job_expand(cs_job_reader *reader) {
    cs_job *job = reader->job;
    int n = 1;
    for (int i = 0; i < job->n_axes; i++)
        n *= job->axes[i].n;
    CS_TRY(cs_alloc((size_t)n, sizeof *job->trials, "trials", &job->trials));
    CS_TRY(cs_alloc((size_t)n * (size_t)(job->n_axes + 1), sizeof *job->places, "trials", &job->places));
    CS_TRY(cs_alloc((size_t)n, sizeof *job->numbers, "trials", &job->numbers));
    CS_TRY(cs_alloc((size_t)n, sizeof *job->done, "trials", &job->done));
    job->n_trials = n;
    complete_table(job);
    for (int t = 0; t < n; t++) {
        cs_trial_config *trial = &job->trials[t];
        *trial = job->base;
        job->numbers[t] = t;
        for (int i = job->n_axes - 1, rest = t; i >= 0; rest /= job->axes[i].n, i--) {
            job->places[t * job->n_axes + i] = rest % job->axes[i].n;
            CS_TRY(cs_option_set(job->axes[i].option, job->axes[i].values[rest % job->axes[i].n], trial));
        }
        CS_TRY(cs_augmentations_find(&reader->augmentations, trial->augment_name, &trial->augment));
        resolve_lr(trial);
        CS_TRY(check_features(reader, trial));
    }
    return check_dropout(reader);
}
