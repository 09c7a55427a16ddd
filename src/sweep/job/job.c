/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/job.h"
#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"
#include "job_reader.h"
#include "phases.h"
#include "population.h"
#include "sampler.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cs_status fail_unknown_option(const cs_node *section, const cs_node *key) {
    size_t n, length = strlen(section->text);
    const cs_option *options = cs_options(&n), *in_other_section = NULL;
    cs_suggestion suggestion = cs_suggestion_begin(key->text);
    char guess[128];
    for (size_t i = 0; i < n; i++) {
        const char *name = cs_option_short_name(&options[i]);
        if (strncmp(options[i].key, section->text, length) == 0 && options[i].key[length] == '.')
            cs_suggestion_try(&suggestion, name);
        else if (strcmp(name, key->text) == 0)
            in_other_section = &options[i];
    }
    cs_status status = cs_node_fail(key, CS_ERR_ARG, "unknown key '%s' in %s:%s", key->text, section->text,
                                    cs_suggestion_text(&suggestion, guess, sizeof guess));
    if (in_other_section)
        return cs_hint(status, "it is %s", in_other_section->key);
    return cs_hint(status, "`cnnsweep options` lists them all");
}

/* Reads a section of options of a trial. Its name is the part of their keys before the dot. */
static cs_status read_options(cs_job_reader *reader, const cs_node *key, const cs_node *map) {
    size_t n;
    const cs_option *options = cs_options(&n);
    if (cs_node_is_null(map))
        return CS_OK;
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

static cs_status read_augmentations(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    if (cs_node_is_null(value))
        return CS_OK;
    if (value->kind != CS_NODE_MAP)
        return cs_node_fail(value, CS_ERR_ARG, "%s: is not a map of names", key->text);
    cs_augmentations_clear(&reader->job->augmentations);
    return cs_augmentations_read(value, &reader->job->augmentations);
}

/* In this order, because a section needs those before it. */
static const cs_job_key sections[] = {
    {"name", read_name},
    {"augmentations", read_augmentations},
    {NULL, read_options},
    {"preset", cs_job_read_preset},
    {"phases", cs_job_read_phases},
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
    job->method = cs_method_find("grid");
    snprintf(job->metric, sizeof job->metric, "test_accuracy");
    job->maximize = true;
    job->n_phases = 1;
    CS_TRY(cs_path(job->path, sizeof job->path, "%s", path));
    /* Without name:, the job has the name of its file up to the first dot. */
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    size_t length = strcspn(base, ".");
    snprintf(job->name, sizeof job->name, "%.*s", (int)(length < CS_NAME_MAX ? length : CS_NAME_MAX - 1), base);
    return CS_OK;
}

static cs_status check_required(const cs_job_reader *reader) {
    size_t n;
    const cs_option *options = cs_options(&n);
    for (size_t i = 0; i < n; i++)
        if (options[i].required && !reader->given[i])
            return cs_hint(cs_node_fail(reader->root, CS_ERR_ARG, "%s is missing", options[i].key), "%s",
                           options[i].doc);
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
    size_t n;
    cs_options(&n);
    CS_TRY(cs_alloc(n, sizeof *reader->given, "job", &reader->given));
    CS_TRY(cs_augmentations_read(NULL, &reader->job->augmentations));
    CS_TRY(cs_job_read_map(reader, "the job file", reader->root, "", sections, sizeof sections / sizeof *sections));
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
    CS_TRY_GOTO(cs_job_expand_preset(root), done);
    CS_TRY_GOTO(cs_alloc(1, sizeof *reader.job, "job", &reader.job), done);
    CS_TRY_GOTO(set_defaults(reader.job, path), done);
    CS_TRY_GOTO(copy_sets(reader.job, sets, n_sets), done);
    reader.root = root;
    CS_TRY_GOTO(read_root(&reader), done);
    if (reader.job->method->suggest) {
        CS_TRY_GOTO(cs_sampler_open(&reader, root, &reader.job->sampler), done);
        root = NULL;
    }
    if (reader.job->scheduler.kind == CS_SCHEDULER_PBT) {
        status = cs_population_open(&reader, root, &reader.job->population);
        root = reader.job->population ? NULL : root;
        CS_TRY_GOTO(status, done);
    }
    *out = reader.job;
    reader.job = NULL;
done:
    cs_job_reader_clear(&reader);
    cs_job_free(reader.job);
    cs_node_free(root);
    return status;
}

static void free_texts(char **texts, int n) {
    for (int i = 0; texts && i < n; i++)
        free(texts[i]);
    free(texts);
}

static void free_swept(cs_job *job) {
    for (int i = 0; i < job->n_swept; i++)
        free_texts(job->swept[i].values, job->swept[i].n);
    free(job->swept);
    job->swept = NULL;
    job->n_swept = 0;
}

void cs_job_free(cs_job *job) {
    if (!job)
        return;
    cs_sampler_close(job->sampler);
    cs_population_close(job->population);
    free_swept(job);
    cs_augmentations_clear(&job->augmentations);
    free_texts(job->sets, job->n_sets);
    for (int i = 0; i < job->n_phase_options; i++)
        free(job->phase_options[i]);
    free(job->phase_options);
    free(job->trials);
    free(job->value_indices);
    free(job->before);
    free(job->numbers);
    free(job->done);
    free(job->extended);
    free(job->part_of);
    free(job);
}

void cs_job_describe_trial(const cs_job *job, int trial, char *out, size_t size) {
    out[0] = '\0';
    for (int i = 0; i < job->n_swept; i++) {
        if (!cs_job_has_value(job, trial, i))
            continue;
        size_t used = strlen(out);
        snprintf(out + used, size - used, "%s%s=%s", used ? " " : "", cs_option_short_name(job->swept[i].option),
                 cs_job_value(job, trial, i));
    }
}

bool cs_job_in_other_part(const cs_job *job, int trial) {
    return job->parts > 0 && job->part_of[trial] != job->part && !job->done[trial];
}

int cs_job_part_trials(const cs_job *job) {
    int n = 0;
    for (int t = 0; t < job->n_trials; t++)
        n += !cs_job_in_other_part(job, t);
    return n;
}

void cs_trial_name(int number, char *out, size_t size) {
    snprintf(out, size, "t%03d", number);
}

void cs_job_trial_name(const cs_job *job, int trial, char *out, size_t size) {
    cs_trial_name(job->numbers[trial], out, size);
}

cs_status cs_job_divide(cs_job *job, int part, int parts) {
    if (parts > 0 && cs_job_chooses(job))
        return cs_hint(
            cs_fail(CS_ERR_ARG, "%s: with %s %s a trial learns from all others, and parts know nothing of each other",
                    job->path, job->population ? "scheduler" : "method", job->population ? "pbt" : job->method->name),
            "start one program on all machines with mpirun or srun, or use method: random");
    job->part = part;
    job->parts = parts;
    return CS_OK;
}

/* Keeps the trial and the phases before it. Their indices only become smaller. */
static void keep_chain(cs_job *job, int trial) {
    int n = 0;
    for (int t = trial; t >= 0; n++) {
        int before = job->before[t];
        job->trials[n] = job->trials[t];
        job->numbers[n] = job->numbers[t];
        job->before[n] = before >= 0 ? n + 1 : -1;
        t = before;
    }
    job->base = job->trials[0];
    job->n_trials = n;
    job->n_last = 1;
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
    if (cs_job_chooses(job))
        return cs_hint(
            cs_fail(CS_ERR_ARG, "%s: the values of %s are chosen while the sweep is trained", job->path, trial),
            "table.md and trials.csv of the sweep have them: set them with --set sweep=null --set KEY=VALUE");
    keep_chain(job, t);
    free_swept(job);
    job->table_rows[0] = job->table_columns[0] = '\0';
    job->scheduler = (cs_scheduler_config){0};
    job->budget = (cs_budget){0};
    job->method = cs_method_find("grid");
    job->repeats = job->folds = 1;
    if (epochs > 0)
        job->trials[0].train.epochs = epochs;
    return CS_OK;
}
