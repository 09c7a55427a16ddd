/* SPDX-License-Identifier: Apache-2.0 */
/* Reads sweep: of a job file. */
#include "cnnsweep/memory.h"
#include "job_reader.h"

#include <stdio.h>
#include <string.h>

static cs_status read_method(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    enum { MOST = 16 };
    const char *names[MOST];
    size_t n;
    const cs_method *methods = cs_methods(&n);
    int method = 0;
    for (size_t i = 0; i < n && i < MOST; i++)
        names[i] = methods[i].name;
    CS_TRY(cs_job_read_choice(key, value, names, n, &method));
    reader->job->method = &methods[method];
    return CS_OK;
}

static cs_status read_metric_name(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    const cs_column *metric = NULL;
    CS_TRY(cs_job_read_metric(key, value, reader->job->metric, sizeof reader->job->metric, &metric));
    reader->job->maximize = metric->maximize;
    reader->job->metric_is_given = true;
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
                       "write type: asha, hyperband, median or pbt");
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

/* The i-th of the consecutive seeds of repeats, from the seed of the job. */
static void print_seed(const cs_job *job, int i, char *out, size_t size) {
    snprintf(out, size, "%lld", (long long)job->base.train.seed + i);
}

static void print_fold(const cs_job *job, int i, char *out, size_t size) {
    snprintf(out, size, "%d/%d", i + 1, job->folds);
}

/* Adds an inner option, whose `n` values `print` writes. `node` is what asks for them. */
static cs_status add_inner(cs_job_reader *reader, const char *node, const char *key, int n,
                           void (*print)(const cs_job *job, int i, char *out, size_t size)) {
    cs_job *job = reader->job;
    const cs_node *given = cs_node_get(reader->sweep, node);
    const cs_option *option = NULL;
    cs_trial_config trial = job->base;
    size_t capacity = (size_t)job->n_swept;
    if (n == 1)
        return CS_OK;
    CS_TRY(cs_option_find(key, &option));
    if (cs_job_find_swept(job, option) >= 0)
        return cs_hint(cs_node_fail(given, CS_ERR_ARG, "%s gives every trial %d values, and %s is swept too", node, n,
                                    option->key),
                       "remove one of them");
    CS_TRY(cs_grow(&job->swept, &capacity, capacity + 1, sizeof *job->swept, "sweep"));
    cs_swept_option *swept = &job->swept[job->n_swept++];
    *swept = (cs_swept_option){.option = option};
    while (swept->n < n) {
        char text[32];
        print(job, swept->n, text, sizeof text);
        cs_status status = cs_option_set(option, text, &trial);
        if (status != CS_OK)
            return cs_node_context(given, status);
        CS_TRY(cs_job_append_value(swept, text));
    }
    return CS_OK;
}

cs_status cs_job_read_sweep(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    (void)key;
    /* In this order: cells are made of the options of parameters: and zip:, and what is added is not left out again. */
    static const cs_job_key keys[] = {{"method", read_method},
                                      {"metric", read_metric_map},
                                      {"budget", read_budget},
                                      {"scheduler", read_scheduler},
                                      {"parameters", cs_job_read_parameters},
                                      {"zip", cs_job_read_zip},
                                      {"exclude", cs_job_read_exclude},
                                      {"include", cs_job_read_include}};
    cs_job *job = reader->job;
    if (cs_node_is_null(value))
        return CS_OK;
    CS_TRY(cs_job_read_map(reader, "sweep:", value, "sweep", keys, sizeof keys / sizeof *keys));
    if (job->n_swept == 0 && cs_job_cell_trials(job) == 1 && !(value->n == 1 && cs_node_get(value, "metric")))
        return cs_hint(cs_node_fail(value, CS_ERR_ARG, "sweep: has no parameters:"),
                       "leave sweep: out to train a single trial");
    reader->sweep = value;
    CS_TRY(cs_job_read_conditions(reader));
    CS_TRY(check_scheduler_metric(job, value));
    CS_TRY(add_inner(reader, "repeats", "train.seed", job->repeats, print_seed));
    CS_TRY(add_inner(reader, "folds", "data.fold", job->folds, print_fold));
    if (job->method->draws && job->budget.trials == 0)
        return cs_hint(cs_node_fail(value, CS_ERR_ARG, "sweep: method %s needs a number of trials", job->method->name),
                       "write budget: {trials: 20}");
    return CS_OK;
}
