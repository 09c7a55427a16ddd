/* SPDX-License-Identifier: Apache-2.0 */
#include "progress_file.h"
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/resources.h"
#include "folder.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char name[] = "progress.json";
enum { SIZE_MOST = 1 << 26, DIGITS = 15 };

/* JSON has no NaN. */
static json_t *number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static double number_of(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static int int_of(const json_t *object, const char *key) {
    const json_int_t value = json_integer_value(json_object_get(object, key));
    return value < 0 || value > INT32_MAX ? 0 : (int)value;
}

static void copy_text(const json_t *object, const char *key, char *out, size_t size) {
    const char *text = json_string_value(json_object_get(object, key));
    snprintf(out, size, "%s", text ? text : "");
}

void cs_progress_file_begin(cs_progress_file *out) {
    *out = (cs_progress_file){.time = cs_wall_seconds(), .seconds_left = NAN};
    cs_host_name(out->host, sizeof out->host);
}

void cs_progress_file_clear(cs_progress_file *progress) {
    free(progress->trials);
    *progress = (cs_progress_file){.seconds_left = NAN};
}

static json_t *json_of(const cs_progress_file *progress) {
    json_t *trials = json_array();
    for (int i = 0; i < progress->n; i++) {
        const cs_trial_progress *at = &progress->trials[i];
        json_array_append_new(trials,
                              json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:o, s:o}", "trial", at->trial, "rank",
                                        at->rank, "epoch", at->epoch, "epochs", at->epochs, "batch", at->batch,
                                        "batches", at->batches, "images_per_second", number(at->images_per_second),
                                        "seconds_left", number(at->seconds_left)));
    }
    return json_pack("{s:f, s:s, s:o, s:o}", "time", progress->time, "host", progress->host, "seconds_left",
                     number(progress->seconds_left), "running", trials);
}

cs_status cs_progress_file_write(const char *folder, const cs_progress_file *progress) {
    char path[CS_PATH_MAX];
    CS_TRY(cs_results_entry(folder, name, path));
    json_t *json = json_of(progress);
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS)) : NULL;
    json_decref(json);
    if (!text)
        return cs_fail(CS_ERR_NO_MEMORY, "no memory for %s", name);
    cs_status status = cs_file_replace(path, text, strlen(text));
    free(text);
    return status;
}

static cs_status take(const json_t *json, cs_progress_file *out) {
    const json_t *running = json_object_get(json, "running");
    const size_t n = json_array_size(running);
    CS_TRY(cs_alloc(n, sizeof *out->trials, "running trials", &out->trials));
    out->time = number_of(json, "time");
    out->seconds_left = number_of(json, "seconds_left");
    copy_text(json, "host", out->host, sizeof out->host);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(running, i);
        cs_trial_progress *at = &out->trials[out->n++];
        copy_text(item, "trial", at->trial, sizeof at->trial);
        at->rank = int_of(item, "rank");
        at->epoch = int_of(item, "epoch");
        at->epochs = int_of(item, "epochs");
        at->batch = int_of(item, "batch");
        at->batches = int_of(item, "batches");
        at->images_per_second = number_of(item, "images_per_second");
        at->seconds_left = number_of(item, "seconds_left");
    }
    return CS_OK;
}

cs_status cs_progress_file_read(const char *folder, cs_progress_file *out) {
    char path[CS_PATH_MAX], *text = NULL;
    size_t size;
    *out = (cs_progress_file){.seconds_left = NAN};
    CS_TRY(cs_results_entry(folder, name, path));
    if (!cs_file_exists(path) || cs_file_read(path, SIZE_MOST, &text, &size) != CS_OK)
        return CS_OK; /* the sweep may have ended in between */
    json_t *json = json_loadb(text, size, 0, NULL);
    free(text);
    cs_status status = json_is_object(json) && json_is_number(json_object_get(json, "time")) ? take(json, out) : CS_OK;
    json_decref(json);
    return status;
}

cs_status cs_progress_file_remove(const char *folder) {
    char path[CS_PATH_MAX];
    CS_TRY(cs_results_entry(folder, name, path));
    return cs_remove_all(path);
}
