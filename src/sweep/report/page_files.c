/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* realpath */
#include "page_files.h"
#include "cnnsweep/file.h"
#include "results/description.h"
#include "results/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The file of a trial's split in the folder that trained it, which may number its trials otherwise. */
static cs_status name_file(const cs_collection *c, int t, const char *entry, cs_split split, const char *suffix,
                           char out[CS_PATH_MAX]) {
    const cs_collected_trial *from = &c->trials[t];
    return cs_results_split_file(c->folders[from->from].path, entry, from->number, split, suffix, out);
}

/* Bytes other than letters, digits and these have another meaning in an address, or none (RFC 3986, 2.1 and 2.3). */
static void print_address(FILE *out, const char *path) {
    for (; *path; path++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~/", *path))
            fputc(*path, out);
        else
            fprintf(out, "%%%02X", (unsigned char)*path);
}

/* Prints the way from a folder to a file. Both are absolute paths without "." and "..". */
static void print_way(FILE *out, const char *folder, const char *path) {
    size_t i = 0, common = 0; /* the first `common` bytes are the folders that both are in, and the slash behind them */
    for (; folder[i] && folder[i] == path[i]; i++)
        common = folder[i] == '/' ? i + 1 : common;
    if (!folder[i] && path[i] == '/')
        common = i + 1;
    for (const char *at = folder + common; common <= i && *at; at = strchr(at, '/') ? strchr(at, '/') + 1 : "")
        fputs("../", out);
    print_address(out, path + common);
}

/* The address of a file, seen from the page in `folder`. There is none of a file that does not exist. */
static cs_status find_address(cs_page_memory *memory, const char *folder, const char *path, const char **out) {
    char *from = realpath(folder, NULL), *to = realpath(path, NULL), *text = NULL;
    size_t size;
    FILE *stream = from && to ? open_memstream(&text, &size) : NULL;
    cs_status status = CS_OK;
    if (stream) {
        print_way(stream, from, to);
        fclose(stream);
        status = text ? cs_page_text(memory, text, out) : CS_OK;
    }
    free(from);
    free(to);
    free(text);
    return status;
}

/* Did the sweep evaluate the split, as far as is known? */
static cs_status is_evaluated(const cs_collection *c, const cs_dataset *dataset, int t, cs_split split, bool *out) {
    cs_trial_config config;
    *out = false;
    if (!dataset || cs_dataset_count(dataset, split) == 0)
        return CS_OK;
    CS_TRY(cs_description_config(c->first, &c->first->records[c->job->numbers[t]], &config));
    *out = cs_trial_evaluates(&config.train, split);
    return CS_OK;
}

/* A trial whose details of test are lost is shown without any, not with those of val among others with those of test.
 */
cs_status cs_page_files(cs_page_memory *memory, const cs_collection *c, const cs_dataset *dataset, const char *folder,
                        int t, cs_page_trial *trial, bool *is_lost) {
    static const cs_split shown[] = {CS_SPLIT_TEST, CS_SPLIT_VAL};
    *is_lost = false;
    for (size_t i = 0; i < sizeof shown / sizeof *shown && !*is_lost; i++) {
        const cs_split split = shown[i];
        char path[CS_PATH_MAX];
        CS_TRY(name_file(c, t, "details", split, "json", path));
        if (cs_file_exists(path)) {
            CS_TRY(cs_page_text(memory, path, &trial->details[split]));
            CS_TRY(name_file(c, t, "misclassified", split, "csv", path));
            return find_address(memory, folder, path, &trial->misclassified);
        }
        CS_TRY(is_evaluated(c, dataset, t, split, is_lost));
    }
    return CS_OK;
}
