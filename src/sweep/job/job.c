#include "cnnsweep/job.h"
#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/zoo.h"
#include "job_reader.h"
#include "metric.h"
#include "option_text.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cs_status cs_job_read_keys(cs_job_reader *reader, const char *where, const cs_node *map, const cs_job_key *keys,
                           size_t n) {
    const char *names[CS_MAX_OPTIONS];
    for (size_t k = 0; k < n; k++)
        names[k] = keys[k].name;
    if (map->kind != CS_NODE_MAP)
        return cs_node_fail(map, CS_ERR_ARG, "%s is not a map of keys", where);
    for (int i = 0; i < map->n; i++) {
        size_t k = 0;
        while (k < n && strcmp(map->keys[i]->text, names[k]) != 0)
            k++;
        char guess[128];
        if (k == n)
            return cs_node_fail(map->keys[i], CS_ERR_ARG, "unknown key '%s' in %s%s", map->keys[i]->text, where,
                                cs_did_you_mean(map->keys[i]->text, names, n, guess, sizeof guess));
    }
    for (size_t k = 0; k < n; k++)
        for (int i = 0; i < map->n; i++)
            if (strcmp(map->keys[i]->text, names[k]) == 0)
                CS_TRY(keys[k].read(reader, map->keys[i], map->items[i]));
    return CS_OK;
}

cs_status cs_job_read_text(const cs_node *key, const cs_node *value, char *out, size_t size) {
    if (value->kind != CS_NODE_SCALAR)
        return cs_node_fail(value, CS_ERR_ARG, "%s takes a single value", key->text);
    if (!value->text[0])
        return cs_node_fail(value, CS_ERR_ARG, "%s has no value", key->text);
    if (strlen(value->text) >= size)
        return cs_node_fail(value, CS_ERR_ARG, "%s is longer than %zu characters", key->text, size - 1);
    snprintf(out, size, "%s", value->text);
    return CS_OK;
}

static bool takes_map(const cs_option *option) {
    return option->type == CS_OPTION_LIST || strcmp(option->key, "train.fine_tune") == 0;
}

/* A layer of a head, {dense: 400, activation: relu} in any order, as dense:400:relu; and {blocks: 2} as blocks:2. */
static cs_status map_text(const cs_option *option, const cs_node *map, char *out, size_t size) {
    const cs_node *activation = cs_node_get(map, "activation");
    int first = map->n == 2 && map->items[0] == activation ? 1 : 0;
    bool known = map->n == 1 || (map->n == 2 && activation && option->type == CS_OPTION_LIST);
    for (int i = 0; i < map->n && known; i++)
        known = map->items[i]->kind == CS_NODE_SCALAR;
    if (!known)
        return cs_hint(cs_node_fail(map, CS_ERR_ARG, "%s: this map is not understood", option->key),
                       option->type == CS_OPTION_LIST ? "a layer with settings is {dropout: 0.5} or {dense: 400, "
                                                        "activation: relu}"
                                                      : "such as {blocks: 2}");
    CS_TRY(cs_path(out, size, "%s:%s", map->keys[first]->text, map->items[first]->text));
    size_t used = strlen(out);
    return map->n == 1 ? CS_OK : cs_path(out + used, size - used, ":%s", activation->text);
}

/* A single value: a scalar, or where texts have parts a map. */
static cs_status item_text(const cs_option *option, const cs_node *value, char *out, size_t size) {
    if (value->kind == CS_NODE_SCALAR)
        return cs_path(out, size, "%s", value->text);
    if (value->kind == CS_NODE_MAP && takes_map(option))
        return map_text(option, value, out, size);
    if (value->kind == CS_NODE_LIST && (option->type == CS_OPTION_LIST || option->type == CS_OPTION_SIZE))
        return cs_node_fail(value, CS_ERR_ARG, "%s: nested too deep", option->key);
    return cs_hint(cs_node_fail(value, CS_ERR_ARG, "%s takes a single value", option->key),
                   "lists of values to try belong under sweep: parameters:");
}

/* The node as the text that cs_option_set reads. */
static cs_status option_text(const cs_option *option, const cs_node *value, char *out, size_t size) {
    if (value->kind != CS_NODE_LIST || (option->type != CS_OPTION_SIZE && option->type != CS_OPTION_LIST))
        return item_text(option, value, out, size);
    out[0] = '\0';
    for (int i = 0; i < value->n; i++) {
        const char *separator = i == 0 ? "" : option->type == CS_OPTION_SIZE ? "x" : ",";
        size_t used = strlen(out);
        CS_TRY(cs_path(out + used, size - used, "%s", separator));
        used = strlen(out);
        CS_TRY(item_text(option, value->items[i], out + used, size - used));
    }
    return CS_OK;
}

/* Building it (without a head, at the default size) is the check: the zoo knows its names. */
static cs_status check_arch(const char *name) {
    cs_model_config config;
    cs_graph *graph = NULL;
    cs_model_config_init(&config);
    snprintf(config.arch, sizeof config.arch, "%s", name);
    CS_TRY(cs_model_build(&config, &graph));
    cs_graph_free(graph);
    return CS_OK;
}

cs_status cs_job_set_option(cs_job_reader *reader, const cs_option *option, const cs_node *value,
                            cs_trial_config *trial) {
    char text[CS_VALUE_MAX * 4];
    CS_TRY(option_text(option, value, text, sizeof text));
    cs_status status = cs_option_set(option, text, trial);
    if (status == CS_OK && strcmp(option->key, "model.arch") == 0)
        status = check_arch(trial->model.arch);
    if (status == CS_OK && strcmp(option->key, "train.augment") == 0)
        status = cs_augmentations_find(&reader->augmentations, trial->augment_name, &trial->augment);
    return status == CS_OK ? CS_OK : cs_node_context(value, status);
}

static cs_status fail_unknown_option(const cs_node *section, const cs_node *key) {
    size_t n, in_section = 0, length = strlen(section->text);
    const cs_option *options = cs_options(&n), *elsewhere = NULL;
    const char *names[CS_MAX_OPTIONS];
    char guess[128];
    for (size_t i = 0; i < n; i++) {
        const char *name = cs_option_short_name(&options[i]);
        if (strncmp(options[i].key, section->text, length) == 0 && options[i].key[length] == '.')
            names[in_section++] = name;
        else if (strcmp(name, key->text) == 0)
            elsewhere = &options[i];
    }
    cs_status status = cs_node_fail(key, CS_ERR_ARG, "unknown key '%s' in %s:%s", key->text, section->text,
                                    cs_did_you_mean(key->text, names, in_section, guess, sizeof guess));
    if (elsewhere)
        return cs_hint(status, "it is %s", elsewhere->key);
    return cs_hint(status, "`cnnsweep options` lists them all");
}

/* data:, model: and train: are the parts before the dot in the option table. */
static cs_status read_options(cs_job_reader *reader, const cs_node *key, const cs_node *map) {
    size_t n;
    const cs_option *options = cs_options(&n);
    if (map->kind != CS_NODE_MAP)
        return cs_node_fail(map, CS_ERR_ARG, "%s: is not a map of keys", key->text);
    for (int i = 0; i < map->n; i++) {
        char dotted[CS_VALUE_MAX];
        const cs_option *option = NULL;
        int length = snprintf(dotted, sizeof dotted, "%s.%s", key->text, map->keys[i]->text);
        if (length >= (int)sizeof dotted || cs_option_find(dotted, &option) != CS_OK)
            return fail_unknown_option(key, map->keys[i]);
        CS_TRY(cs_job_set_option(reader, option, map->items[i], &reader->job->base));
        reader->given[option - options] = map->items[i];
    }
    return CS_OK;
}

static cs_status read_name(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    char *name = reader->job->name;
    CS_TRY(cs_job_read_text(key, value, name, sizeof reader->job->name));
    for (const char *at = name; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("._-", *at))
            return cs_hint(cs_node_fail(value, CS_ERR_ARG, "name '%s' holds '%c'", name, *at),
                           "it becomes the folder results/<name>: letters, digits, '.', '_' and '-'");
    if (name[0] == '.')
        return cs_node_fail(value, CS_ERR_ARG, "name '%s' begins with a dot", name);
    return CS_OK;
}

cs_status cs_job_read_setting(cs_job_reader *reader, const char *dotted, const cs_node *key, const cs_node *value) {
    size_t n;
    const cs_option *options = cs_job_options(&n);
    char text[CS_VALUE_MAX];
    CS_TRY(cs_job_read_text(key, value, text, sizeof text));
    while (n > 0 && strcmp(options->key, dotted) != 0) {
        options++;
        n--;
    }
    assert(n > 0);
    cs_status status = cs_option_set(options, text, reader->job);
    return status == CS_OK ? CS_OK : cs_node_context(value, status);
}

static cs_status read_run(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    return cs_job_read_setting(reader, key->text, key, value);
}

static cs_status read_augmentations(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    if (value->kind != CS_NODE_MAP)
        return cs_node_fail(value, CS_ERR_ARG, "%s: is not a map of names", key->text);
    cs_augmentations_clear(&reader->augmentations);
    return cs_augmentations_read(value, &reader->augmentations);
}

/* In the order in which they need each other. */
static const cs_job_key sections[] = {
    {"name", read_name},
    {"threads", read_run},
    {"device", read_run},
    {"precision", read_run},
    {"autotune", read_run},
    {"deterministic", read_run},
    {"plan_cache", read_run},
    {"ranks_per_trial", read_run},
    {"group", read_run},
    {"cache", read_run},
    {"checkpoint_seconds", read_run},
    {"keep_weights", read_run},
    {"augmentations", read_augmentations},
    {"data", read_options},
    {"model", read_options},
    {"train", read_options},
    {"sweep", cs_job_read_sweep},
    {"table", cs_job_read_table},
};

static cs_status set_defaults(cs_job *job, const char *path) {
    size_t n;
    const cs_option *options = cs_options(&n);
    cs_model_config_init(&job->base.model);
    for (size_t i = 0; i < n; i++)
        CS_TRY(cs_option_set(&options[i], options[i].fallback, &job->base));
    options = cs_job_options(&n);
    for (size_t i = 0; i < n; i++)
        CS_TRY(cs_option_set(&options[i], options[i].fallback, job));
    snprintf(job->metric, sizeof job->metric, "test_accuracy");
    job->maximize = true;
    CS_TRY(cs_path(job->path, sizeof job->path, "%s", path));
    /* Without name: the file's own, up to its dot. */
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    size_t length = strcspn(base, ".");
    snprintf(job->name, sizeof job->name, "%.*s", (int)(length < CS_NAME_MAX ? length : CS_NAME_MAX - 1), base);
    return CS_OK;
}

static cs_status check_required(const cs_job_reader *reader) {
    static const char *const required[] = {"data.path", "model.arch"};
    size_t n;
    const cs_option *options = cs_options(&n);
    for (size_t i = 0; i < sizeof required / sizeof *required; i++) {
        const cs_option *option = NULL;
        CS_TRY(cs_option_find(required[i], &option));
        bool swept = false;
        for (int axis = 0; axis < reader->job->n_axes; axis++)
            swept = swept || reader->job->axes[axis].option == option;
        if (!swept && !reader->given[option - options])
            return cs_hint(cs_node_fail(reader->root, CS_ERR_ARG, "%s is missing", required[i]), "%s", option->doc);
    }
    return CS_OK;
}

static cs_status check_weights(const cs_job_reader *reader) {
    const cs_job *job = reader->job;
    if (job->run.keep_weights == 0 || strcmp(job->base.train.save_weights, "none") != 0)
        return CS_OK;
    return cs_hint(cs_node_fail(cs_node_get(reader->root, "keep_weights"), CS_ERR_ARG,
                                "keep_weights is %d, but train.save_weights is none", job->run.keep_weights),
                   "say what to keep, such as train: {save_weights: h5}");
}

static cs_status read_root(cs_job_reader *reader) {
    CS_TRY(cs_augmentations_read(NULL, &reader->augmentations));
    CS_TRY(cs_job_read_keys(reader, "the job file", reader->root, sections, sizeof sections / sizeof *sections));
    CS_TRY(check_required(reader));
    CS_TRY(check_weights(reader));
    return cs_job_expand(reader);
}

static cs_status copy_sets(cs_job *job, const char *const *sets, int n_sets) {
    CS_TRY(cs_alloc((size_t)n_sets, sizeof *job->sets, "job", &job->sets));
    for (; job->n_sets < n_sets; job->n_sets++)
        CS_TRY(cs_strdup(sets[job->n_sets], &job->sets[job->n_sets]));
    return CS_OK;
}

cs_status cs_job_read(const char *path, const char *const *sets, int n_sets, cs_job **out) {
    cs_node *root = NULL;
    cs_job_reader reader = {0};
    cs_status status;
    CS_TRY_GOTO(cs_node_read(path, &root), done);
    for (int i = 0; i < n_sets; i++)
        CS_TRY_GOTO(cs_node_assign(root, sets[i]), done);
    CS_TRY_GOTO(cs_alloc(1, sizeof *reader.job, "job", &reader.job), done);
    CS_TRY_GOTO(set_defaults(reader.job, path), done);
    CS_TRY_GOTO(copy_sets(reader.job, sets, n_sets), done);
    reader.root = root;
    CS_TRY_GOTO(read_root(&reader), done);
    *out = reader.job;
    reader.job = NULL;
done:
    cs_augmentations_clear(&reader.augmentations);
    cs_job_free(reader.job);
    cs_node_free(root);
    return status;
}

static void free_texts(char **texts, int n) {
    for (int i = 0; texts && i < n; i++)
        free(texts[i]);
    free(texts);
}

static void free_axes(cs_job *job) {
    for (int i = 0; i < job->n_axes; i++)
        free_texts(job->axes[i].values, job->axes[i].n);
    free(job->axes);
    job->axes = NULL;
    job->n_axes = 0;
}

void cs_job_free(cs_job *job) {
    if (!job)
        return;
    free_axes(job);
    free_texts(job->sets, job->n_sets);
    free(job->trials);
    free(job->places);
    free(job->numbers);
    free(job->done);
    free(job->part_of);
    free(job);
}

void cs_job_describe_trial(const cs_job *job, int trial, char *out, size_t size) {
    out[0] = '\0';
    for (int i = 0; i < job->n_axes; i++) {
        char value[CS_VALUE_MAX * 2];
        cs_option_get(job->axes[i].option, &job->trials[trial], value, sizeof value);
        size_t used = strlen(out);
        snprintf(out + used, size - used, "%s%s=%s", i ? " " : "", cs_option_short_name(job->axes[i].option), value);
    }
}

bool cs_job_is_elsewhere(const cs_job *job, int trial) {
    return job->parts > 0 && job->part_of[trial] != job->part && !job->done[trial];
}

int cs_job_count_here(const cs_job *job) {
    int here = 0;
    for (int t = 0; t < job->n_trials; t++)
        here += !cs_job_is_elsewhere(job, t);
    return here;
}

void cs_job_trial_name(const cs_job *job, int trial, char *out, size_t size) {
    snprintf(out, size, "t%03d", job->numbers[trial]);
}

cs_status cs_job_only(cs_job *job, const char *trial, int epochs) {
    char name[32];
    int t = job->n_trials - 1;
    for (; t >= 0; t--) {
        cs_job_trial_name(job, t, name, sizeof name);
        if (strcmp(name, trial) == 0)
            break;
    }
    if (t < 0)
        return cs_hint(cs_fail(CS_ERR_ARG, "%s: has no trial '%s'", job->path, trial), "--dry-run lists them");
    job->base = job->trials[0] = job->trials[t];
    job->numbers[0] = job->numbers[t];
    job->n_trials = 1;
    free_axes(job);
    job->table_rows[0] = job->table_columns[0] = '\0';
    job->scheduler = (cs_scheduler_config){0};
    job->budget = (cs_budget){0};
    job->random = false;
    job->repeats = 1;
    if (epochs > 0)
        job->trials[0].train.epochs = epochs;
    return CS_OK;
}
