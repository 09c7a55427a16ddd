/* SPDX-License-Identifier: Apache-2.0 */
#include "origin.h"
#include "cnnsweep/log.h"
#include "json_text.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { HEX = 17 };

static void print_hex(uint64_t value, char out[HEX]) {
    snprintf(out, HEX, "%016llx", (unsigned long long)value);
}

json_t *cs_origin_of(const cs_job *job) {
    json_t *files = json_object();
    for (int t = 0; t < job->n_trials; t++) {
        const cs_trial_config *trial = &job->trials[t];
        json_t *path = cs_json_text(trial->weights);
        char sum[HEX];
        print_hex(trial->weights_checksum, sum);
        if (trial->weights[0])
            json_object_set_new(files, json_string_value(path), json_string(sum));
        json_decref(path);
    }
    return files;
}

const char *cs_origin_checksum(const cs_journal *journal, const char *path) {
    json_t *text = cs_json_text(path);
    const char *checksum = json_string_value(json_object_get(journal->files, json_string_value(text)));
    json_decref(text);
    return checksum;
}

static cs_status check_format(const cs_journal *journal, const char *folder) {
    if (journal->format == CS_JOURNAL_FORMAT)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_FORMAT,
                           "%s: its journal is of format %d, and this program goes on with format %d alone: earlier "
                           "versions had other keys for trials and drew other augmentations",
                           folder, journal->format, CS_JOURNAL_FORMAT),
                   "go on with the version that began it, use --out ANOTHER_FOLDER, or replace the results with "
                   "--force");
}

/* The checksums of the job's weights files: {"0123456789abcdef": true}. */
static json_t *contents_of(const cs_job *job) {
    json_t *contents = json_object();
    for (int t = 0; t < job->n_trials; t++) {
        char sum[HEX];
        print_hex(job->trials[t].weights_checksum, sum);
        json_object_set_new(contents, sum, json_true());
    }
    return contents;
}

static cs_status check_trial(const cs_journal *journal, const char *folder, const cs_trial_config *trial,
                             const json_t *contents) {
    const char *before = cs_origin_checksum(journal, trial->weights);
    if (!before || trial->weights_checksum == 0 || json_object_get(contents, before))
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_ARG, "%s was begun when %s held other weights: its checksum was %s, and is %016llx",
                           folder, trial->weights, before, (unsigned long long)trial->weights_checksum),
                   "put the earlier file back, use --out ANOTHER_FOLDER for the new one, or replace the results with "
                   "--force");
}

cs_status cs_origin_check(const cs_journal *journal, const char *folder, const cs_job *job) {
    if (journal->starts == 0)
        return CS_OK;
    CS_TRY(check_format(journal, folder));
    json_t *contents = contents_of(job);
    cs_status status = CS_OK;
    for (int t = 0; t < job->n_trials && status == CS_OK; t++)
        status = check_trial(journal, folder, &job->trials[t], contents);
    json_decref(contents);
    return status;
}

cs_status cs_origin_check_data(const cs_journal *journal, const char *folder, const cs_dataset *dataset) {
    uint64_t now = cs_dataset_checksum(dataset);
    if (journal->starts == 0 || journal->checksum == now)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_ARG,
                           "%s was trained on %s as it was then, checksum %016llx; %s now holds other samples, "
                           "checksum %016llx",
                           folder, journal->dataset, (unsigned long long)journal->checksum, cs_dataset_path(dataset),
                           (unsigned long long)now),
                   "use --out ANOTHER_FOLDER for another dataset, or replace the results with --force");
}

/* Writes "part 1 of 3 (from 0)", or "a whole sweep". */
static void print_part(int part, int parts, char *out, size_t size) {
    if (parts > 0)
        snprintf(out, size, "part %d of %d (from 0)", part, parts);
    else
        snprintf(out, size, "a whole sweep");
}

/* All rows of a table must be comparable. Journals written before the precision could be set do not have it. */
static cs_status check_numbers(const cs_results_config *config) {
    const cs_run_config *run = &config->job->run;
    const cs_journal *earlier = config->earlier;
    const char *before = earlier->precision[0] ? earlier->precision : cs_precision_name(CS_PRECISION_FP32);
    const char *now = cs_precision_name(run->precision);
    if (strcmp(before, now) == 0 && earlier->deterministic == run->deterministic)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_ARG, "%s was begun with precision %s%s, this is precision %s%s", config->folder,
                           before, earlier->deterministic ? ", deterministic" : "", now,
                           run->deterministic ? ", deterministic" : ""),
                   "go on as it was begun, or use --out ANOTHER_FOLDER");
}

/* A sweep may be divided into other parts only in new folders: trials would otherwise be trained twice. */
static cs_status check_part(const cs_results_config *config) {
    const cs_job *job = config->job;
    const cs_journal *earlier = config->earlier;
    char before[64], now[64];
    if (earlier->part == job->part && earlier->parts == job->parts)
        return CS_OK;
    print_part(earlier->part, earlier->parts, before, sizeof before);
    print_part(job->part, job->parts, now, sizeof now);
    return cs_hint(cs_fail(CS_ERR_ARG, "%s holds %s, this is %s", config->folder, before, now),
                   "go on as it was begun, or use --out ANOTHER_FOLDER");
}

cs_status cs_origin_check_run(const cs_results_config *config) {
    const cs_journal *earlier = config->earlier;
    if (earlier->starts == 0)
        return CS_OK;
    CS_TRY(check_part(config));
    CS_TRY(cs_origin_check_data(earlier, config->folder, config->dataset));
    CS_TRY(check_numbers(config));
    if (strcmp(earlier->engine, config->engine) != 0)
        cs_log(CS_LOG_WARN, "%s was begun with engine %s and goes on with %s: numbers differ in their last digits",
               config->folder, earlier->engine, config->engine);
    if (earlier->threads > 0 && earlier->threads != config->threads)
        cs_log(CS_LOG_WARN,
               "%s was begun with %d thread%s a rank and goes on with %d: numbers differ in their last digits; "
               "threads: %d keeps them",
               config->folder, earlier->threads, earlier->threads == 1 ? "" : "s", config->threads, earlier->threads);
    return CS_OK;
}
