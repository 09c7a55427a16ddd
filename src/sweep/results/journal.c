/* SPDX-License-Identifier: Apache-2.0 */
#include "journal.h"
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/resources.h"
#include "cnnsweep/version.h"
#include "description.h"
#include "history.h"
#include "job/chosen.h"
#include "job/column.h"
#include "json_text.h"
#include "origin.h"
#include "text_buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* JSON has no NaN and no infinity, so these are null. */
static json_t *number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static cs_status print_lines(const json_t *events, FILE *out) {
    size_t i;
    json_t *event;
    json_array_foreach((json_t *)events, i, event) {
        if (json_dumpf(event, out, JSON_COMPACT | JSON_REAL_PRECISION(17)) != 0 || fputc('\n', out) == EOF)
            return cs_fail(CS_ERR_NO_MEMORY, "no memory for a journal line");
    }
    return CS_OK;
}

/* Appends each event as a line, all in one write. Takes ownership of the array; NULL means that memory ran out. */
static cs_status append_events(const char *folder, json_t *events) {
    char path[CS_PATH_MAX];
    cs_text_buffer buffer;
    if (!events)
        return cs_fail(CS_ERR_NO_MEMORY, "no memory for a journal line");
    cs_status status = cs_text_open(&buffer);
    if (status == CS_OK) {
        status = print_lines(events, buffer.stream);
        if (status == CS_OK)
            status = cs_path(path, sizeof path, "%s/journal.jsonl", folder);
        status = status == CS_OK ? cs_text_append(&buffer, path) : cs_text_drop(&buffer, status);
    }
    json_decref(events);
    return status;
}

/* Takes ownership of the event. */
static cs_status append_event(const char *folder, json_t *event) {
    return append_events(folder, json_pack("[o]", event));
}

cs_status cs_journal_sync(const char *folder) {
    char path[CS_PATH_MAX];
    CS_TRY(cs_path(path, sizeof path, "%s/journal.jsonl", folder));
    return cs_file_sync(path);
}

static json_t *options_of(const cs_job *job, int trial) {
    json_t *options = json_object();
    for (int i = 0; i < job->n_swept; i++) {
        char text[CS_VALUE_MAX * 2];
        cs_option_get(job->swept[i].option, &job->trials[trial], text, sizeof text);
        bool has_value = cs_job_has_value(job, trial, i);
        json_object_set_new(options, job->swept[i].option->key,
                            cs_json_text(has_value ? cs_job_value(job, trial, i) : text));
    }
    return options;
}

/* "2026-12-01T08:30:05.250Z" */
static void add_time(json_t *event, double seconds) {
    char date[32], text[48];
    time_t whole = (time_t)seconds;
    struct tm utc;
    gmtime_r(&whole, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text, sizeof text, "%s.%03dZ", date, (int)((seconds - (double)whole) * 1000));
    json_object_set_new(event, "time", json_string(text));
}

static json_t *hex(uint64_t value) {
    char text[17];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)value);
    return json_string(text);
}

/* The index of the trial's value of each swept option. */
static json_t *indices_of(const cs_job *job, int trial) {
    json_t *indices = json_array();
    for (int i = 0; i < job->n_swept; i++)
        json_array_append_new(indices, json_integer(job->value_indices[trial * job->n_swept + i]));
    return indices;
}

static json_t *plan_of(const cs_job *job, int trial) {
    char name[32];
    cs_job_trial_name(job, trial, name, sizeof name);
    json_t *plan = json_pack("{s:s, s:s, s:o, s:o, s:o}", "event", "plan", "trial", name, "key",
                             hex(cs_trial_key(&job->trials[trial])), "options", options_of(job, trial), "at",
                             indices_of(job, trial));
    json_object_set_new(plan, "any_length", hex(cs_trial_key_of_any_length(&job->trials[trial])));
    json_object_set_new(plan, "epochs", json_integer(job->trials[trial].train.epochs));
    if (job->before[trial] >= 0) {
        cs_job_trial_name(job, job->before[trial], name, sizeof name);
        json_object_set_new(plan, "before", json_string(name));
    }
    if (cs_job_is_before(job, trial))
        json_object_set_new(plan, "last", json_false());
    if (cs_job_in_other_part(job, trial))
        json_object_set_new(plan, "part", json_integer(job->part_of[trial]));
    return plan;
}

/* The members of a population have their numbers from the beginning; what is chosen for them changes their lines. */
static bool is_planned(const cs_job *job, int trial) {
    return job->population || !cs_job_is_open(job, trial);
}

cs_status cs_journal_start(const char *folder, const cs_results_config *config) {
    const cs_job *job = config->job;
    char machine[256];
    json_t *event = json_pack(
        "{s:s, s:s, s:o, s:o, s:s, s:s, s:i, s:i, s:i, s:s, s:s, s:b, s:s}", "event", "start", "job", job->name,
        "dataset", cs_json_text(job->base.data.path), "checksum", hex(cs_dataset_checksum(config->dataset)), "metric",
        job->metric, "goal", job->maximize ? "maximize" : "minimize", "trials", cs_job_part_trials(job), "ranks",
        config->ranks, "threads", config->threads, "engine", config->engine, "precision",
        cs_precision_name(job->run.precision), "deterministic", job->run.deterministic, "version", CNNSWEEP_VERSION);
    cs_machine_text(machine, sizeof machine);
    json_object_set_new(event, "machine", cs_json_text(machine));
    json_object_set_new(event, "format", json_integer(CS_JOURNAL_FORMAT));
    json_object_set_new(event, "files", cs_origin_of(job));
    json_object_set_new(event, "part", json_integer(job->part));
    json_object_set_new(event, "parts", json_integer(job->parts));
    json_object_set_new(event, "sweep", cs_description_of(job));
    int planned = 0;
    for (int t = 0; t < job->n_trials; t++)
        planned += is_planned(job, t);
    json_object_set_new(event, "planned", json_integer(planned));
    add_time(event, cs_wall_seconds());
    json_t *events = json_pack("[o]", event);
    for (int t = 0; events && t < job->n_trials; t++) {
        if (is_planned(job, t) && json_array_append_new(events, plan_of(job, t)) != 0) {
            json_decref(events);
            events = NULL;
        }
    }
    CS_TRY(append_events(folder, events));
    return cs_journal_sync(folder);
}

cs_status cs_journal_plan(const char *folder, const cs_job *job, int trial) {
    return append_event(folder, plan_of(job, trial));
}

cs_status cs_journal_group(const char *folder, const cs_job *job, int rank, const int *trials, int n) {
    json_t *names = json_array();
    for (int i = 0; i < n; i++) {
        char name[32];
        cs_job_trial_name(job, trials[i], name, sizeof name);
        json_array_append_new(names, json_string(name));
    }
    json_t *event = json_pack("{s:s, s:o, s:i}", "event", "group", "trials", names, "rank", rank);
    add_time(event, cs_wall_seconds());
    return append_event(folder, event);
}

cs_status cs_journal_epoch(const char *folder, const char *trial, int rank, const cs_epoch_row *row,
                           const cs_metric_set *metrics) {
    size_t n;
    const cs_epoch_key *keys = cs_epoch_keys(&n);
    json_t *event =
        json_pack("{s:s, s:s, s:i, s:i}", "event", "epoch", "trial", trial, "rank", rank, "epoch", row->epoch);
    for (size_t i = 0; i < n; i++)
        if (cs_epoch_key_is_in(&keys[i], metrics))
            json_object_set_new(event, keys[i].name, number(cs_epoch_value(&keys[i], row)));
    json_object_set_new(event, "seconds", number(row->seconds));
    add_time(event, row->time);
    return append_event(folder, event);
}

cs_status cs_journal_trial(const char *folder, const char *name, const cs_job *job, int trial,
                           const cs_outcome *outcome, const char *hits) {
    size_t n;
    const cs_column *metrics = cs_columns(&n);
    bool ok = outcome->state == CS_TRIAL_OK;
    json_t *event = json_pack("{s:s, s:s, s:i, s:s, s:o}", "event", "trial", "trial", name, "rank", outcome->rank,
                              "status", ok ? "ok" : "failed", "reason", cs_json_text(outcome->reason));
    json_object_set_new(event, "options", options_of(job, trial));
    for (size_t i = 0; ok && i < n; i++) {
        double value = cs_column_value(&metrics[i], &outcome->result);
        if (cs_column_is_in(&metrics[i], &job->metrics))
            json_object_set_new(event, metrics[i].name,
                                metrics[i].type == CS_COLUMN_DOUBLE ? number(value) : json_integer((json_int_t)value));
    }
    add_time(event, outcome->time);
    if (hits)
        json_object_set_new(event, "test_hits", json_string(hits));
    return append_event(folder, event);
}

cs_status cs_journal_end(const char *folder, const char *how) {
    json_t *event = json_pack("{s:s, s:s}", "event", "end", "status", how);
    add_time(event, cs_wall_seconds());
    CS_TRY(append_event(folder, event));
    return cs_journal_sync(folder);
}
