/* SPDX-License-Identifier: Apache-2.0 */
/* Reads sweep: of a job file. */
#include "cnnsweep/memory.h"
#include "job_reader.h"

#include <stdio.h>
#include <string.h>

static cs_status read_method(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    static const char *const methods[] = {"grid", "random"};
    int method = 0;
    CS_TRY(cs_job_read_choice(key, value, methods, 2, &method));
    reader->job->random = method == 1;
    return CS_OK;
}

static cs_status read_metric_name(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    const cs_column *metric = NULL;
    CS_TRY(cs_job_read_metric(key, value, reader->job->metric, sizeof reader->job->metric, &metric));
    reader->job->maximize = metric->maximize;
    return CS_OK;
}

static cs_status read_goal(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    static const char *const goals[] = {"maximize", "minimize"};
    int goal = 0;
    CS_TRY(cs_job_read_choice(key, value, goals, 2, &goal));
    reader->job->maximize = goal == 0;
    return CS_OK;
}

static cs_status read_metric_map(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    (void)key;
    static const cs_job_key keys[] = {{"name", read_metric_name}, {"goal", read_goal}};
    return cs_job_read_map(reader, "sweep: metric:", value, "sweep.metric", keys, 2);
}

static cs_status check_swept(const cs_job_reader *reader, const cs_node *key, const cs_option *option) {
    size_t n;
    const cs_option *options = cs_options(&n);
    for (int i = 0; i < reader->job->n_swept; i++)
        if (reader->job->swept[i].option == option)
            return cs_node_fail(key, CS_ERR_ARG, "%s is swept twice", option->key);
    if (!option->sweepable)
        return cs_node_fail(key, CS_ERR_ARG, "%s cannot be swept: it is one for the whole sweep", option->key);
    if (reader->given[option - options])
        return cs_hint(cs_node_fail(key, CS_ERR_ARG, "%s is swept here and also has a fixed value", option->key),
                       "remove one of them; a single value in the sweep is %s: [value]", key->text);
    return CS_OK;
}

/* Values are stored as cs_option_get prints them, so that 1e-3 and 0.001 are equal. */
static cs_status read_values(cs_job_reader *reader, const cs_node *list, cs_swept_option *swept) {
    const cs_option *option = swept->option;
    cs_trial_config trial = reader->job->base;
    if (list->kind != CS_NODE_LIST)
        return cs_hint(cs_node_fail(list, CS_ERR_ARG, "%s: the values to try are a list", option->key),
                       "write %s: [a, b, c]", cs_option_short_name(option));
    if (list->n == 0)
        return cs_node_fail(list, CS_ERR_ARG, "%s: the list of values is empty", option->key);
    CS_TRY(cs_alloc((size_t)list->n, sizeof *swept->values, "sweep values", &swept->values));
    for (int i = 0; i < list->n; i++) {
        char text[CS_VALUE_MAX * 2];
        CS_TRY(cs_job_set_option(reader, option, list->items[i], &trial));
        cs_option_get(option, &trial, text, sizeof text);
        for (int earlier = 0; earlier < i; earlier++)
            if (strcmp(swept->values[earlier], text) == 0)
                return cs_node_fail(list->items[i], CS_ERR_ARG, "%s: %s appears twice", option->key, text);
        CS_TRY(cs_strdup(text, &swept->values[i]));
        swept->n++;
    }
    return CS_OK;
}

static cs_status read_swept_option(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    cs_job *job = reader->job;
    const cs_option *option = NULL;
    size_t n;
    cs_status status = cs_option_find(key->text, &option);
    if (status != CS_OK)
        return cs_node_context(key, status);
    CS_TRY(check_swept(reader, key, option));
    cs_range *range = &reader->ranges[job->n_swept];
    cs_swept_option *swept = &job->swept[job->n_swept++];
    swept->option = option;
    reader->given[option - cs_options(&n)] = value;
    if (value->kind != CS_NODE_MAP || value->n == 0)
        return read_values(reader, value, swept);
    if (value->n == 1 && strcmp(value->keys[0]->text, "choice") == 0)
        return read_values(reader, value->items[0], swept);
    CS_TRY(cs_job_read_range(reader, option, value, range));
    if (!job->random)
        return cs_hint(cs_node_fail(value, CS_ERR_ARG, "%s: a grid takes a list of values, not a range", option->key),
                       "ranges are drawn from: --set sweep.method=random --set sweep.budget.trials=20");
    return CS_OK;
}

static cs_status read_parameters(cs_job_reader *reader, const cs_node *key, const cs_node *map) {
    if (map->kind != CS_NODE_MAP || map->n == 0)
        return cs_hint(cs_node_fail(map, CS_ERR_ARG, "%s: is not a map of options", key->text),
                       "write lr: [0.01, 0.001]");
    for (int i = 0; i < map->n; i++)
        CS_TRY(read_swept_option(reader, map->keys[i], map->items[i]));
    return CS_OK;
}

static cs_status read_budget(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    (void)key;
    return cs_job_read_map(reader, "sweep: budget:", value, "sweep.budget", NULL, 0);
}

/* An option that the scheduler does not use is an error, because nobody would notice the mistake. */
static cs_status check_scheduler_keys(const cs_job_reader *reader, const char *section, const cs_node *map) {
    unsigned kind = 1U << reader->job->scheduler.kind;
    for (int i = 0; i < map->n; i++) {
        const char *key = map->keys[i]->text;
        const cs_option *option = cs_job_setting(section, key);
        if (option->only_with && !(option->only_with & kind))
            return cs_node_fail(map->keys[i], CS_ERR_ARG, "sweep: scheduler: type %s has no %s",
                                cs_node_get(map, "type")->text, key);
    }
    return CS_OK;
}

static cs_status read_scheduler(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    const char *section = "sweep.scheduler";
    if (value->kind != CS_NODE_MAP)
        return cs_job_read_setting(reader, cs_job_setting(section, "type"), key, value);
    CS_TRY(cs_job_read_map(reader, "sweep: scheduler:", value, section, NULL, 0));
    if (!cs_node_get(value, "type"))
        return cs_hint(cs_node_fail(value, CS_ERR_ARG, "sweep: scheduler: has no type:"),
                       "write type: asha, hyperband or median");
    return check_scheduler_keys(reader, section, value);
}

/* A scheduler compares trials after every epoch, so its metric must be known after every epoch. */
static cs_status check_scheduler_metric(const cs_job *job, const cs_node *sweep) {
    const cs_column *metric = NULL;
    const cs_node *scheduler = cs_node_get(sweep, "scheduler");
    if (job->scheduler.kind == CS_SCHEDULER_NONE)
        return CS_OK;
    CS_TRY(cs_column_find(job->metric, &metric));
    if (metric->in_epoch >= 0)
        return CS_OK;
    return cs_hint(
        cs_node_fail(scheduler, CS_ERR_ARG, "the scheduler needs a metric that every epoch has, not %s", job->metric),
        "use metric: {name: %s}", strstr(job->metric, "loss") ? "val_loss" : "val_accuracy");
}

/* Adds the last swept option: as many consecutive seeds as there are repeats, from the seed of the job. */
static cs_status add_repeats(cs_job_reader *reader, const cs_node *repeats) {
    cs_job *job = reader->job;
    const cs_option *option = NULL;
    cs_swept_option *swept = &job->swept[job->n_swept];
    cs_trial_config trial = job->base;
    if (job->repeats == 1)
        return CS_OK;
    CS_TRY(cs_option_find("train.seed", &option));
    for (int i = 0; i < job->n_swept; i++)
        if (job->swept[i].option == option)
            return cs_hint(cs_node_fail(repeats, CS_ERR_ARG, "repeats gives every trial %d seeds, and %s is swept too",
                                        job->repeats, option->key),
                           "remove one of them");
    swept->option = option;
    job->n_swept++;
    CS_TRY(cs_alloc((size_t)job->repeats, sizeof *swept->values, "sweep values", &swept->values));
    for (; swept->n < job->repeats; swept->n++) {
        char text[32];
        snprintf(text, sizeof text, "%lld", (long long)job->base.train.seed + swept->n);
        cs_status status = cs_option_set(option, text, &trial);
        if (status != CS_OK)
            return cs_node_context(repeats, status);
        CS_TRY(cs_strdup(text, &swept->values[swept->n]));
    }
    return CS_OK;
}

static cs_status check_size(const cs_job *job, const cs_node *sweep) {
    long long trials = 1;
    if (job->random && job->budget.trials == 0)
        return cs_hint(cs_node_fail(sweep, CS_ERR_ARG, "sweep: method random needs a number of trials"),
                       "write budget: {trials: 20}");
    for (int i = 0; i < job->n_swept && !job->random; i++) {
        trials *= job->swept[i].n;
        if (trials > CS_MAX_TRIALS)
            return cs_node_fail(sweep, CS_ERR_ARG, "the grid has more than %d trials", CS_MAX_TRIALS);
    }
    return CS_OK;
}

cs_status cs_job_read_sweep(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    (void)key;
    static const cs_job_key keys[] = {{"method", read_method},
                                      {"metric", read_metric_map},
                                      {"budget", read_budget},
                                      {"scheduler", read_scheduler},
                                      {"parameters", read_parameters}};
    cs_job *job = reader->job;
    if (cs_node_is_null(value))
        return CS_OK;
    const cs_node *parameters = cs_node_get(value, "parameters");
    size_t most = 1 + (parameters ? (size_t)parameters->n : 0);
    CS_TRY(cs_alloc(most, sizeof *job->swept, "sweep", &job->swept));
    CS_TRY(cs_alloc(most, sizeof *reader->ranges, "sweep", &reader->ranges));
    CS_TRY(cs_job_read_map(reader, "sweep:", value, "sweep", keys, sizeof keys / sizeof *keys));
    if (!parameters && job->repeats == 1)
        return cs_hint(cs_node_fail(value, CS_ERR_ARG, "sweep: has no parameters:"),
                       "leave sweep: out to train a single trial");
    reader->sweep = value;
    CS_TRY(check_scheduler_metric(job, value));
    CS_TRY(add_repeats(reader, cs_node_get(value, "repeats")));
    return check_size(job, value);
}
