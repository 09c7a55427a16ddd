/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a journal. A table has a reader for each event, which adds the event to the record of its trial. */
#define _GNU_SOURCE /* strptime, timegm */
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "history.h"
#include "job/chosen.h"
#include "job/column.h"
#include "origin.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static double number_of(const json_t *event, const char *key) {
    const json_t *value = json_object_get(event, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static int int_of(const json_t *event, const char *key) {
    json_int_t value = json_integer_value(json_object_get(event, key));
    return value < 0 || value > INT32_MAX ? 0 : (int)value;
}

static const char *text_of(const json_t *event, const char *key) {
    const char *text = json_string_value(json_object_get(event, key));
    return text ? text : "";
}

/* The time of an event, in seconds since 1970. An event that has none, as earlier versions wrote, has that of the start
 * before it. */
static double time_of(const cs_journal *journal, const json_t *event) {
    struct tm utc = {0};
    const char *rest = strptime(text_of(event, "time"), "%Y-%m-%dT%H:%M:%S", &utc);
    return rest ? (double)timegm(&utc) + (*rest == '.' ? strtod(rest, NULL) : 0) : journal->started;
}

static void copy_text(const json_t *event, const char *key, char *out, size_t size) {
    snprintf(out, size, "%s", text_of(event, key));
}

static cs_status fail_line(const char *what) {
    (void)cs_fail(CS_ERR_FORMAT, "%s", what);
    return CS_ERR_FORMAT;
}

/* The number in the name of a trial, such as "t007"; -1: it is no such name. */
static long number_in(const char *name) {
    char *end = NULL;
    const long number = name[0] == 't' && isdigit((unsigned char)name[1]) ? strtol(name + 1, &end, 10) : -1;
    return end && !*end ? number : -1;
}

const cs_record *cs_journal_find(const cs_journal *journal, const char *trial) {
    const long number = number_in(trial);
    return number >= 0 && (size_t)number < journal->n ? &journal->records[number] : NULL;
}

/* Finds or adds the record of the trial of a name. */
static cs_status record_named(cs_journal *journal, const json_t *trial, cs_record **out) {
    const long number = number_in(json_is_string(trial) ? json_string_value(trial) : "");
    /* A number from a damaged line must not allocate memory without limit. */
    if (number < 0 || (size_t)number > journal->n + CS_MAX_TRIALS)
        return fail_line("names no trial");
    size_t before = journal->n, need = (size_t)number + 1;
    if (need > before) {
        CS_TRY(cs_grow(&journal->records, &journal->capacity, need, sizeof *journal->records, "trials"));
        memset(journal->records + before, 0, (need - before) * sizeof *journal->records);
        journal->n = need;
    }
    *out = &journal->records[number];
    return CS_OK;
}

static cs_status record_of(cs_journal *journal, const json_t *event, cs_record **out) {
    return record_named(journal, json_object_get(event, "trial"), out);
}

/* Keeps the checksum of each weights file from the last start that names it. */
static cs_status read_files(cs_journal *journal, const json_t *files) {
    if (!journal->files)
        journal->files = json_object();
    if (!journal->files || (json_is_object(files) && json_object_update(journal->files, (json_t *)files) != 0))
        return cs_fail(CS_ERR_NO_MEMORY, "no memory for the names of files");
    return CS_OK;
}

static cs_status read_start(cs_journal *journal, const json_t *event) {
    if (journal->starts++ == 0)
        journal->checksum = strtoull(text_of(event, "checksum"), NULL, 16);
    journal->started = time_of(journal, event);
    if (journal->starts == 1)
        journal->first_start = journal->started;
    journal->trials = int_of(event, "trials");
    journal->ranks = int_of(event, "ranks");
    journal->threads = int_of(event, "threads");
    copy_text(event, "job", journal->job, sizeof journal->job);
    copy_text(event, "dataset", journal->dataset, sizeof journal->dataset);
    copy_text(event, "engine", journal->engine, sizeof journal->engine);
    copy_text(event, "precision", journal->precision, sizeof journal->precision);
    copy_text(event, "version", journal->version, sizeof journal->version);
    copy_text(event, "machine", journal->machine, sizeof journal->machine);
    journal->deterministic = json_is_true(json_object_get(event, "deterministic"));
    copy_text(event, "metric", journal->metric, sizeof journal->metric);
    journal->maximize = strcmp(text_of(event, "goal"), "minimize") != 0;
    journal->part = int_of(event, "part");
    journal->parts = int_of(event, "parts");
    journal->planned = 0;
    journal->announced = int_of(event, "planned");
    json_decref(journal->sweep);
    journal->sweep = json_incref(json_object_get(event, "sweep"));
    journal->format = int_of(event, "format");
    journal->ended[0] = '\0';
    snprintf(journal->last, sizeof journal->last, "start");
    return read_files(journal, json_object_get(event, "files"));
}

/* Prints {"train.lr": "0.01", ...} as "lr=0.01 ...". */
static cs_status describe(const json_t *options, char **out) {
    char text[CS_VALUE_MAX * 2] = "";
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)options, key, value) {
        const char *dot = strrchr(key, '.'), *shown = json_string_value(value);
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%s=%s", used ? " " : "", dot ? dot + 1 : key, shown ? shown : "");
    }
    return cs_strdup(text, out);
}

/* A trial that had ended and is asked for more epochs has not ended. */
static void read_length(const json_t *event, cs_record *record) {
    uint64_t any_length = strtoull(text_of(event, "any_length"), NULL, 16);
    int epochs = int_of(event, "epochs");
    bool same = record->any_length == any_length && any_length != 0;
    if (same && epochs > record->planned_epochs && record->outcome.state == CS_TRIAL_OK) {
        record->extended = true;
        record->outcome = (cs_outcome){0};
    }
    record->any_length = any_length;
    record->planned_epochs = epochs;
    record->is_before = json_is_false(json_object_get(event, "last"));
}

static cs_status read_plan(cs_journal *journal, const json_t *event) {
    const char *key = text_of(event, "key");
    char *end;
    uint64_t value = strtoull(key, &end, 16);
    cs_record *record = NULL;
    if (!*key || *end)
        return fail_line("a trial without a key");
    CS_TRY(record_of(journal, event, &record));
    if (record->start != journal->starts)
        record->index = journal->planned++;
    read_length(event, record);
    record->start = journal->starts;
    record->key = value;
    record->part = json_object_get(event, "part") ? int_of(event, "part") : journal->part;
    free(record->plan);
    record->plan = json_dumps(event, JSON_COMPACT);
    if (!record->plan)
        return cs_fail(CS_ERR_NO_MEMORY, "no memory for a plan line");
    free(record->options); /* the files of this trial may have been renamed since */
    record->options = NULL;
    return describe(json_object_get(event, "options"), &record->options);
}

static cs_status read_group(cs_journal *journal, const json_t *event) {
    const json_t *names = json_object_get(event, "trials");
    size_t i;
    json_t *name;
    journal->groups++;
    json_array_foreach((json_t *)names, i, name) {
        cs_record *record = NULL;
        CS_TRY(record_named(journal, name, &record));
        record->group = journal->groups;
        record->group_rank = int_of(event, "rank");
        record->begun = time_of(journal, event);
        record->ended = 0;
    }
    return CS_OK;
}

static cs_status read_epoch(cs_journal *journal, const json_t *event) {
    const json_t *epoch = json_object_get(event, "epoch");
    size_t n;
    const cs_epoch_key *keys = cs_epoch_keys(&n);
    cs_record *record = NULL;
    if (!json_is_integer(epoch))
        return fail_line("an epoch without its number");
    CS_TRY(record_of(journal, event, &record));
    cs_epoch_row row = {
        .epoch = int_of(event, "epoch"), .seconds = number_of(event, "seconds"), .time = time_of(journal, event)};
    for (size_t i = 0; i < n; i++)
        cs_epoch_set(&keys[i], number_of(event, keys[i].name), &row);
    snprintf(journal->last, sizeof journal->last, "epoch %d of %.16s", row.epoch + 1, text_of(event, "trial"));
    if (record->n_epochs > 0 && record->epochs[record->n_epochs - 1].epoch >= row.epoch)
        return CS_OK;
    CS_TRY(cs_grow(&record->epochs, &record->epochs_capacity, record->n_epochs + 1, sizeof row, "epochs"));
    CS_TRY(cs_grow(&journal->arrivals, &journal->arrivals_capacity, journal->n_arrivals + 1, sizeof *journal->arrivals,
                   "epochs"));
    journal->arrivals[journal->n_arrivals++] = (int)(record - journal->records);
    record->epochs[record->n_epochs++] = row;
    return CS_OK;
}

static cs_status read_trial(cs_journal *journal, const json_t *event) {
    const char *status = text_of(event, "status");
    bool ok = strcmp(status, "ok") == 0;
    cs_outcome outcome = {
        .state = ok ? CS_TRIAL_OK : CS_TRIAL_FAILED, .rank = int_of(event, "rank"), .time = time_of(journal, event)};
    cs_record *record = NULL;
    size_t n;
    const cs_column *metrics = cs_columns(&n);
    if (!ok && strcmp(status, "failed") != 0)
        return fail_line("a trial without its status");
    for (size_t i = 0; ok && i < n; i++)
        cs_column_set(&metrics[i], number_of(event, metrics[i].name), &outcome.result);
    copy_text(event, "reason", outcome.reason, sizeof outcome.reason);
    snprintf(outcome.engine, sizeof outcome.engine, "%s", journal->engine);
    CS_TRY(record_of(journal, event, &record));
    record->outcome = outcome;
    record->ended = outcome.time;
    const char *hits = json_string_value(json_object_get(event, "test_hits"));
    free(record->hits);
    record->hits = NULL;
    if (hits)
        CS_TRY(cs_strdup(hits, &record->hits));
    snprintf(journal->last, sizeof journal->last, "%.16s %s", text_of(event, "trial"), ok ? "done" : "failed");
    return CS_OK;
}

static cs_status read_end(cs_journal *journal, const json_t *event) {
    copy_text(event, "status", journal->ended, sizeof journal->ended);
    snprintf(journal->last, sizeof journal->last, "end (%s)", journal->ended);
    return CS_OK;
}

static const struct reader {
    const char *event;
    cs_status (*read)(cs_journal *journal, const json_t *event);
} readers[] = {
    {"start", read_start}, {"plan", read_plan},   {"group", read_group},
    {"epoch", read_epoch}, {"trial", read_trial}, {"end", read_end},
};

/* CS_ERR_FORMAT: the line is damaged. An event of an unknown name was written by a newer program and is ignored. */
static cs_status read_line(cs_journal *journal, const char *line, size_t length) {
    json_error_t error;
    json_t *event = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
    if (!event)
        return fail_line(error.text);
    const char *name = text_of(event, "event");
    cs_status status = name[0] ? CS_OK : fail_line("not an event");
    for (size_t i = 0; status == CS_OK && i < sizeof readers / sizeof *readers; i++)
        if (strcmp(name, readers[i].event) == 0)
            status = readers[i].read(journal, event);
    if (status == CS_OK)
        journal->last_time = fmax(journal->last_time, time_of(journal, event));
    json_decref(event);
    return status;
}

static cs_status read_lines(cs_journal *journal, const char *path, cs_log_level damage, FILE *file) {
    enum { NAMED = 20 };
    char *line = NULL;
    size_t capacity = 0;
    int damaged = 0;
    ssize_t length;
    cs_status status = CS_OK;
    while (status == CS_OK && (length = getline(&line, &capacity, file)) > 0) {
        if (line[length - 1] != '\n')
            break; /* incomplete */
        journal->lines++;
        status = read_line(journal, line, (size_t)length);
        if (status == CS_ERR_FORMAT) {
            if (damaged++ < NAMED)
                cs_log(damage, "%s:%d: a damaged line is passed over: %s", path, journal->lines, cs_error_last()->text);
            status = CS_OK;
        }
        journal->complete += length;
    }
    if (damaged > NAMED)
        cs_log(damage, "%s: %d more damaged lines are passed over", path, damaged - NAMED);
    if (status == CS_OK && ferror(file))
        status = cs_fail_errno("%s: cannot read", path);
    free(line);
    return status;
}

/* Drops a journal if the file is not the one that it was read from. */
static void drop_other(cs_journal **journal, const struct stat *info) {
    if (*journal && ((*journal)->file == info->st_ino && (*journal)->complete <= info->st_size))
        return;
    cs_journal_free(*journal);
    *journal = NULL;
}

static cs_status read_file(const char *path, cs_log_level damage, FILE *file, cs_journal **journal) {
    struct stat info;
    if (fstat(fileno(file), &info) != 0)
        return cs_fail_errno("%s: cannot read", path);
    drop_other(journal, &info);
    if (!*journal)
        CS_TRY(cs_alloc(1, sizeof **journal, "journal", journal));
    (*journal)->file = info.st_ino;
    if (fseeko(file, (off_t)(*journal)->complete, SEEK_SET) != 0)
        return cs_fail_errno("%s: cannot read", path);
    CS_TRY(read_lines(*journal, path, damage, file));
    if (fstat(fileno(file), &info) == 0)
        (*journal)->written = info.st_mtime;
    return CS_OK;
}

cs_status cs_journal_read_on(const char *folder, cs_log_level damage, cs_journal **journal) {
    char path[CS_PATH_MAX];
    FILE *file = NULL;
    cs_status status = cs_path(path, sizeof path, "%s/journal.jsonl", folder);
    const bool exists = status == CS_OK && cs_file_exists(path);
    if (exists) {
        file = fopen(path, "r");
        status = file ? read_file(path, damage, file, journal) : cs_fail_errno("%s: cannot open", path);
    }
    if (file)
        fclose(file);
    if (status != CS_OK || !exists) {
        cs_journal_free(*journal);
        *journal = NULL;
    }
    return status;
}

cs_status cs_journal_read(const char *folder, cs_log_level damage, cs_journal **out) {
    *out = NULL;
    return cs_journal_read_on(folder, damage, out);
}

void cs_journal_free(cs_journal *journal) {
    if (!journal)
        return;
    for (size_t i = 0; i < journal->n; i++) {
        free(journal->records[i].plan);
        free(journal->records[i].options);
        free(journal->records[i].hits);
        free(journal->records[i].epochs);
    }
    json_decref(journal->sweep);
    json_decref(journal->files);
    free(journal->records);
    free(journal->arrivals);
    free(journal);
}

cs_status cs_journal_repair(const char *folder, const cs_journal *journal) {
    char path[CS_PATH_MAX];
    CS_TRY(cs_path(path, sizeof path, "%s/journal.jsonl", folder));
    return truncate(path, (off_t)journal->complete) == 0 ? CS_OK : cs_fail_errno("%s: cannot write", path);
}

const cs_record *cs_journal_record(const cs_journal *journal, const cs_job *job, int trial) {
    size_t number = (size_t)job->numbers[trial];
    return journal && number < journal->n ? &journal->records[number] : NULL;
}

cs_status cs_journal_replay(const cs_journal *journal, const cs_job *job,
                            void (*epoch)(void *context, int trial, const cs_epoch_row *row), void *context) {
    int *trials = NULL; /* [n] the index in the job of each number; -1: not in the job */
    size_t *next = NULL;
    cs_status status;
    CS_TRY_GOTO(cs_alloc(journal->n, sizeof *trials, "trials", &trials), done);
    CS_TRY_GOTO(cs_alloc(journal->n, sizeof *next, "trials", &next), done);
    for (size_t i = 0; i < journal->n; i++)
        trials[i] = -1;
    for (int t = 0; t < job->n_trials; t++)
        if ((size_t)job->numbers[t] < journal->n)
            trials[job->numbers[t]] = t;
    for (size_t i = 0; i < journal->n_arrivals; i++) {
        int number = journal->arrivals[i];
        const cs_record *record = &journal->records[number];
        size_t row = next[number]++;
        if (trials[number] >= 0 && row < record->n_epochs)
            epoch(context, trials[number], &record->epochs[row]);
    }
done:
    free(trials);
    free(next);
    return status;
}
