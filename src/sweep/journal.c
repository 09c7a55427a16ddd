#include "journal.h"
#include "cnnsweep/file.h"
#include "metric.h"
#include "option_text.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static cs_status write_all(int file, const char *path, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t written = write(file, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return cs_fail_errno("%s: cannot write", path);
        bytes += written;
        size -= (size_t)written;
    }
    return CS_OK;
}

cs_status cs_append(const char *path, const char *bytes, size_t size, bool sync) {
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (file < 0)
        return cs_fail_errno("%s: cannot write", path);
    off_t before = lseek(file, 0, SEEK_END);
    cs_status status = write_all(file, path, bytes, size);
    if (status == CS_OK && sync && fsync(file) != 0 && errno != EINVAL)
        status = cs_fail_errno("%s: cannot sync", path);
    /* A line cut short would spoil the file for its readers; the first error is the one to tell. */
    bool spoilt = status != CS_OK && before >= 0 && ftruncate(file, before) != 0;
    bool closed = close(file) == 0;
    if (status == CS_OK && !closed)
        return cs_fail_errno("%s: cannot write", path);
    return spoilt ? cs_context(status, "the last line of %s is cut short", path) : status;
}

/* JSON has no NaN: null. */
static json_t *number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

/* JSON is UTF-8, paths and reasons need not be: other bytes become '?'. */
static json_t *text_of(const char *value) {
    json_t *text = json_string(value);
    if (text)
        return text;
    char plain[CS_VALUE_MAX * 2];
    snprintf(plain, sizeof plain, "%s", value);
    for (char *at = plain; *at; at++)
        if ((unsigned char)*at >= 0x80)
            *at = '?';
    return json_string(plain);
}

/* Takes the event over. */
static cs_status append_event(const char *folder, json_t *event, bool sync) {
    char path[CS_PATH_MAX];
    char *text = event ? json_dumps(event, JSON_COMPACT) : NULL;
    json_decref(event);
    if (!text)
        return cs_fail(CS_ERR_NO_MEMORY, "no memory for a journal line");
    cs_status status = cs_path(path, sizeof path, "%s/journal.jsonl", folder);
    size_t length = strlen(text);
    text[length] = '\n'; /* over the NUL: the size goes along */
    if (status == CS_OK)
        status = cs_append(path, text, length + 1, sync);
    free(text);
    return status;
}

static void add_time(json_t *event) {
    char text[32];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    json_object_set_new(event, "time", json_string(text));
}

cs_status cs_journal_start(const char *folder, const cs_results_config *config) {
    json_t *event = json_pack("{s:s, s:s, s:o, s:i, s:i, s:i, s:s}", "event", "start", "job", config->job->name,
                              "dataset", text_of(config->job->base.data.path), "trials", config->job->n_trials, "ranks",
                              config->ranks, "threads", config->threads, "engine", config->engine);
    add_time(event);
    return append_event(folder, event, true);
}

cs_status cs_journal_epoch(const char *folder, const char *trial, int rank, const cs_epoch_row *row) {
    json_t *event =
        json_pack("{s:s, s:s, s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "event", "epoch", "trial", trial, "rank", rank,
                  "epoch", row->epoch, "accuracy", number(row->accuracy), "learning_rate", number(row->learning_rate),
                  "loss", number(row->loss), "val_accuracy", number(row->val_accuracy), "val_loss",
                  number(row->val_loss), "seconds", number(row->seconds));
    /* A written line outlives every process; only the machine's own end can take it. Waiting for the disk after each
     * epoch of a few milliseconds would cost more than training it again. */
    const double worth_a_sync = 1; /* second */
    return append_event(folder, event, row->seconds >= worth_a_sync);
}

cs_status cs_journal_trial(const char *folder, const char *name, const cs_job *job, int trial,
                           const cs_outcome *outcome) {
    size_t n;
    const cs_metric *metrics = cs_metrics(&n);
    bool ok = outcome->state == CS_TRIAL_OK;
    json_t *event = json_pack("{s:s, s:s, s:i, s:s, s:o}", "event", "trial", "trial", name, "rank", outcome->rank,
                              "status", ok ? "ok" : "failed", "reason", text_of(outcome->reason));
    json_t *options = json_object();
    for (int i = 0; i < job->n_axes; i++) {
        char text[CS_VALUE_MAX * 2];
        cs_option_get(job->axes[i].option, &job->trials[trial], text, sizeof text);
        json_object_set_new(options, job->axes[i].option->key, text_of(text));
    }
    json_object_set_new(event, "options", options);
    for (size_t i = 0; ok && i < n; i++) {
        double value = cs_metric_value(&metrics[i], &outcome->result);
        json_object_set_new(event, metrics[i].name,
                            metrics[i].type == CS_METRIC_DOUBLE ? number(value) : json_integer((json_int_t)value));
    }
    return append_event(folder, event, true);
}

cs_status cs_journal_end(const char *folder, const char *how) {
    json_t *event = json_pack("{s:s, s:s}", "event", "end", "status", how);
    add_time(event);
    return append_event(folder, event, true);
}
