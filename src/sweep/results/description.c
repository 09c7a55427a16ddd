/* SPDX-License-Identifier: Apache-2.0 */
#include "description.h"
#include "cnnsweep/memory.h"
#include "job/job_reader.h"
#include "json_text.h"
#include "origin.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set_text(json_t *object, const char *key, const char *text) {
    json_object_set_new(object, key, cs_json_text(text));
}

/* A text in cs_job that is not an option of cs_job_options. */
typedef struct job_text {
    const char *key;
    size_t offset, size;
} job_text;
#define JOB_TEXT(key, member)                                                                                          \
    { key, offsetof(cs_job, member), sizeof(((cs_job *)0)->member) }
static const job_text job_texts[] = {
    JOB_TEXT("name", name),
    JOB_TEXT("sweep.metric.name", metric),
    JOB_TEXT("table.rows", table_rows),
    JOB_TEXT("table.columns", table_columns),
    JOB_TEXT("table.value", table_value),
};
enum { N_JOB_TEXTS = sizeof job_texts / sizeof *job_texts };

static const char goal_key[] = "sweep.metric.goal", method_key[] = "sweep.method";
static const char maximize[] = "maximize", minimize[] = "minimize";

/* Machines that train parts may differ in the other options, which change at most the last digits of the numbers
 * (threads, device). Files are compared by their contents; for the dataset the journal has a checksum. */
static bool affects_numbers(const cs_option *option) {
    return option->affects & ~(unsigned)CS_AFFECTS_PATHS;
}

static bool is_swept(const cs_job *job, const cs_option *option) {
    for (int i = 0; i < job->n_swept; i++)
        if (job->swept[i].option == option)
            return true;
    return false;
}

static json_t *settings_of(const cs_job *job) {
    json_t *settings = json_object();
    char text[CS_VALUE_MAX * 4];
    size_t n;
    for (int i = 0; i < N_JOB_TEXTS; i++)
        set_text(settings, job_texts[i].key, (const char *)job + job_texts[i].offset);
    set_text(settings, goal_key, job->maximize ? maximize : minimize);
    set_text(settings, method_key, job->method->name);
    if (job->n_phases > 1)
        set_text(settings, "phases", job->phases);
    const cs_option *options = cs_job_options(&n);
    for (size_t i = 0; i < n; i++) {
        if (!affects_numbers(&options[i]))
            continue;
        cs_option_get(&options[i], job, text, sizeof text);
        set_text(settings, options[i].key, text);
    }
    options = cs_options(&n);
    for (size_t i = 0; i < n; i++) {
        if (is_swept(job, &options[i]) || !affects_numbers(&options[i]))
            continue;
        cs_option_get(&options[i], &job->base, text, sizeof text);
        set_text(settings, options[i].key, text);
    }
    return settings;
}

static json_t *texts_of(char *const *texts, int n) {
    json_t *list = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(list, cs_json_text(texts[i]));
    return list;
}

json_t *cs_description_of(const cs_job *job) {
    json_t *values = json_object();
    for (int i = 0; i < job->n_swept; i++)
        json_object_set_new(values, job->swept[i].option->key, texts_of(job->swept[i].values, job->swept[i].n));
    return json_pack("{s:o, s:o, s:o, s:o, s:i}", "path", cs_json_text(job->path), "sets",
                     texts_of(job->sets, job->n_sets), "settings", settings_of(job), "axes", values, "phases",
                     job->n_phases);
}

static const json_t *part_of(const cs_journal *journal, const char *name) {
    return json_object_get(journal->sweep, name);
}

/* Writes a value for an error: a text as it is, a list in JSON. */
static void print_value(const json_t *value, char *out, size_t size) {
    char *dumped = value && !json_is_string(value) ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    const char *text = dumped ? dumped : json_string_value(value);
    snprintf(out, size, "%s", text ? text : "not set");
    free(dumped);
}

/* Replaces the name of a weights file by its checksum, and a list of names by a list of checksums. Names stay if the
 * journal has no checksum for them. */
static json_t *checksums_of(const cs_journal *journal, const json_t *value) {
    if (!json_is_array(value)) {
        const char *checksum = cs_origin_checksum(journal, json_string_value(value) ? json_string_value(value) : "");
        return checksum ? json_string(checksum) : json_incref((json_t *)value);
    }
    json_t *contents = json_array();
    size_t i;
    json_t *item;
    json_array_foreach((json_t *)value, i, item) json_array_append_new(contents, checksums_of(journal, item));
    return contents;
}

static const char weights_key[] = "model.weights";

/* Copies a part of the description, with checksums in place of the names of weights files. */
static json_t *part_with_checksums(const cs_journal *journal, const char *name) {
    json_t *part = json_copy((json_t *)part_of(journal, name)), *weights = json_object_get(part, weights_key);
    if (weights)
        json_object_set_new(part, weights_key, checksums_of(journal, weights));
    return part;
}

enum { VALUE_SHOWN = 100, SHOWN = 2 * VALUE_SHOWN + 3 };

/* Writes the value of a key, with the checksum of a file: "w.h5 (0123456789abcdef)". */
static void print_key(const cs_journal *journal, const char *part, const char *key, char out[SHOWN]) {
    char value[VALUE_SHOWN], content[VALUE_SHOWN];
    json_t *contents = part_with_checksums(journal, part);
    print_value(json_object_get(part_of(journal, part), key), value, sizeof value);
    print_value(json_object_get(contents, key), content, sizeof content);
    if (strcmp(value, content) == 0)
        snprintf(out, SHOWN, "%s", value[0] ? value : "empty");
    else
        snprintf(out, SHOWN, "%s (%s)", value, content);
    json_decref(contents);
}

static cs_status fail_key(const char *key, const cs_journal *a, const char *folder_a, const cs_journal *b,
                          const char *folder_b, const char *part) {
    char before[SHOWN], seen[SHOWN];
    print_key(a, part, key, before);
    print_key(b, part, key, seen);
    return cs_hint(cs_fail(CS_ERR_ARG, "%s is of another sweep than %s: %s is %s, there %s", folder_b, folder_a, key,
                           seen, before),
                   "collect the parts of one job file");
}

/* Finds the first key whose value differs in two objects, or which one lacks; NULL: they are equal. */
static const char *find_difference(const json_t *a, const json_t *b) {
    const json_t *const both[] = {a, b};
    for (int i = 0; i < 2; i++) {
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)both[i], key, value) {
            if (!json_equal(value, json_object_get(both[1 - i], key)))
                return key;
        }
    }
    return NULL;
}

cs_status cs_description_compare(const cs_journal *a, const char *folder_a, const cs_journal *b, const char *folder_b) {
    static const char *const names[] = {"axes", "settings"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        json_t *x = part_with_checksums(a, names[i]), *y = part_with_checksums(b, names[i]);
        const char *key = find_difference(x, y);
        cs_status status = key ? fail_key(key, a, folder_a, b, folder_b, names[i]) : CS_OK;
        json_decref(x);
        json_decref(y);
        CS_TRY(status);
    }
    return CS_OK;
}

static cs_status fail_value(const char *key) {
    return cs_fail(CS_ERR_FORMAT, "the start event of the journal has no valid %s", key);
}

static cs_status copy_texts(const json_t *list, const char *what, char ***texts, int *n) {
    size_t i;
    json_t *value;
    *n = 0;
    CS_TRY(cs_alloc(json_array_size(list), sizeof **texts, what, texts));
    json_array_foreach((json_t *)list, i, value) {
        if (!json_is_string(value))
            return fail_value(what);
        CS_TRY(cs_strdup(json_string_value(value), &(*texts)[i]));
        ++*n;
    }
    return CS_OK;
}

/* Sets the option of the job with that key. Journals of earlier versions do not have all of these. */
static cs_status read_job_option(const json_t *settings, const char *key, cs_job *job) {
    size_t n;
    const cs_option *options = cs_job_options(&n);
    const char *text = json_string_value(json_object_get(settings, key));
    for (size_t i = 0; i < n; i++)
        if (strcmp(options[i].key, key) == 0)
            return cs_option_set(&options[i], text ? text : options[i].fallback, job);
    return fail_value(key);
}

/* Journals of earlier versions do not have all of these. */
static cs_status read_metrics(const json_t *settings, cs_job *job) {
    static const char *const keys[] = {"train.monitor", "train.metrics", "train.evaluate"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const cs_option *option = NULL;
        const char *text = json_string_value(json_object_get(settings, keys[i]));
        CS_TRY(cs_option_find(keys[i], &option));
        CS_TRY(cs_option_set(option, text ? text : option->fallback, &job->base));
    }
    return cs_job_choose_metrics(job);
}

static cs_status read_settings(const json_t *settings, cs_job *job) {
    static const char *const keys[] = {"precision",     "deterministic", "ranks_per_trial",
                                       "sweep.repeats", "sweep.folds",   "sweep.scheduler.type"};
    for (int i = 0; i < N_JOB_TEXTS; i++) {
        const char *text = json_string_value(json_object_get(settings, job_texts[i].key));
        if (!text || strlen(text) >= job_texts[i].size)
            return fail_value(job_texts[i].key);
        snprintf((char *)job + job_texts[i].offset, job_texts[i].size, "%s", text);
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        CS_TRY(read_job_option(settings, keys[i], job));
    const char *goal = json_string_value(json_object_get(settings, goal_key));
    const char *method = json_string_value(json_object_get(settings, method_key));
    job->maximize = !goal || strcmp(goal, minimize) != 0;
    job->method = cs_method_find(method ? method : "grid");
    if (!job->method)
        return fail_value(method_key);
    return read_metrics(settings, job);
}

/* Are the inner options the last? */
static bool has_inner_last(const cs_job *job) {
    const char *const keys[] = {job->repeats > 1 ? "train.seed" : NULL, job->folds > 1 ? "data.fold" : NULL};
    int at = job->n_swept - cs_job_inner_options(job);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i] && (at < 0 || strcmp(job->swept[at++].option->key, keys[i]) != 0))
            return false;
    return true;
}

static cs_status read_swept(const json_t *lists, cs_job *job) {
    const char *key;
    json_t *values;
    CS_TRY(cs_alloc(json_object_size(lists), sizeof *job->swept, "sweep", &job->swept));
    json_object_foreach((json_t *)lists, key, values) {
        cs_swept_option *swept = &job->swept[job->n_swept++];
        CS_TRY(cs_job_find_option(job, key, &swept->option));
        CS_TRY(copy_texts(values, key, &swept->values, &swept->n));
    }
    return has_inner_last(job) ? CS_OK : fail_value("axes");
}

/* Values that were chosen while the sweep was trained are not in its description. */
static cs_status find_chosen(cs_swept_option *swept, const char *text, json_int_t *index) {
    *index = cs_job_find_value(swept, text);
    if (*index >= 0)
        return CS_OK;
    *index = swept->n;
    return cs_job_append_value(swept, text);
}

/* Reads the trial's value of each swept option, and the index of the value, from a plan line. Values that were chosen
 * after the start follow those that it has. */
static cs_status read_values(const json_t *plan, const cs_record *record, int number, cs_job *job) {
    const json_t *at = json_object_get(plan, "at"), *options = json_object_get(plan, "options");
    int t = record->index, *indices = job->value_indices + (size_t)t * (size_t)job->n_swept;
    bool chooses = job->method->suggest || job->scheduler.kind == CS_SCHEDULER_PBT;
    job->numbers[t] = number;
    for (int a = 0; a < job->n_swept; a++) {
        const cs_option *option = job->swept[a].option;
        const json_t *item = json_array_get(at, (size_t)a);
        json_int_t index = json_integer_value(item);
        const char *text = json_string_value(json_object_get(options, option->key));
        if (chooses && index >= 0 && text)
            CS_TRY(find_chosen(&job->swept[a], text, &index));
        if (!json_is_integer(item) || index < CS_NO_VALUE || index >= job->swept[a].n || !text)
            return cs_fail(CS_ERR_FORMAT, "the plan line of trial t%03d has no valid %s", number, option->key);
        indices[a] = (int)index;
        CS_TRY(cs_option_set(option, text, &job->trials[t]));
    }
    return CS_OK;
}

/* The name of the trial that is the phase before; the trials of a start have consecutive indices. */
static void read_before(const cs_journal *journal, const json_t *plan, const cs_record *record, cs_job *job) {
    const char *name = json_string_value(json_object_get(plan, "before"));
    size_t number = name ? strtoul(name + 1, NULL, 10) : journal->n;
    if (number < journal->n && journal->records[number].start == journal->starts &&
        journal->records[number].index > record->index)
        job->before[record->index] = journal->records[number].index;
    job->n_last += !json_is_false(json_object_get(plan, "last"));
}

static cs_status read_trial(const cs_journal *journal, const cs_record *record, int number, cs_job *job) {
    json_t *plan = json_loads(record->plan, 0, NULL);
    cs_status status = read_values(plan, record, number, job);
    read_before(journal, plan, record, job);
    json_decref(plan);
    return status;
}

static cs_status read_trials(const cs_journal *journal, cs_job *job) {
    size_t n = (size_t)journal->planned;
    job->n_trials = journal->planned;
    CS_TRY(cs_alloc(n * (size_t)(job->n_swept + 1), sizeof *job->value_indices, "trials", &job->value_indices));
    CS_TRY(cs_job_alloc_trials(job));
    for (size_t i = 0; i < journal->n; i++)
        if (journal->records[i].start == journal->starts)
            CS_TRY(read_trial(journal, &journal->records[i], (int)i, job));
    return CS_OK;
}

static cs_status read_job(const cs_journal *journal, cs_job *job) {
    const char *path = json_string_value(part_of(journal, "path"));
    CS_TRY(cs_path(job->path, sizeof job->path, "%s", path ? path : ""));
    CS_TRY(copy_texts(part_of(journal, "sets"), "sets", &job->sets, &job->n_sets));
    json_int_t phases = json_integer_value(part_of(journal, "phases"));
    job->n_phases = phases > 0 && phases < INT_MAX ? (int)phases : 1; /* earlier versions had none */
    CS_TRY(read_settings(part_of(journal, "settings"), job));
    CS_TRY(read_swept(part_of(journal, "axes"), job));
    return read_trials(journal, job);
}

cs_status cs_description_job(const cs_journal *journal, cs_job **out) {
    cs_job *job = NULL;
    CS_TRY(cs_alloc(1, sizeof *job, "job", &job));
    cs_status status = read_job(journal, job);
    if (status != CS_OK) {
        cs_job_free(job);
        return status;
    }
    *out = job;
    return CS_OK;
}

/* Sets the options of an object {key: text}. Its keys of the job as a whole, and of single phases, do not matter. */
static cs_status set_options(const json_t *texts, cs_trial_config *config) {
    size_t n;
    const cs_option *options = cs_options(&n);
    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_object_get(texts, options[i].key));
        if (text)
            CS_TRY(cs_option_set(&options[i], text, config));
    }
    return CS_OK;
}

cs_status cs_description_config(const cs_journal *journal, const cs_record *record, cs_trial_config *out) {
    size_t n;
    const cs_option *options = cs_options(&n);
    *out = (cs_trial_config){0};
    cs_model_config_init(&out->model);
    for (size_t i = 0; i < n; i++)
        if (options[i].fallback)
            CS_TRY(cs_option_set(&options[i], options[i].fallback, out));
    CS_TRY(set_options(part_of(journal, "settings"), out));
    json_t *plan = json_loads(record->plan, 0, NULL);
    cs_status status = set_options(json_object_get(plan, "options"), out);
    json_decref(plan);
    return status;
}
