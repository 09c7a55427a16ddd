/* SPDX-License-Identifier: Apache-2.0 */
#include "collection.h"
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "description.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Finds the swept option of a name; "none" gives "". */
static cs_status choose_option(const cs_job *job, const char *what, const char *name, char *key, size_t size) {
    const cs_option *option = NULL;
    char names[CS_VALUE_MAX] = "";
    snprintf(key, size, "%s", "");
    if (strcmp(name, "none") == 0)
        return CS_OK;
    cs_status known = cs_option_find(name, &option);
    if (known != CS_OK)
        return cs_context(known, "%s", what);
    for (int i = 0; i < job->n_swept; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", cs_option_short_name(job->swept[i].option));
        if (job->swept[i].option == option)
            snprintf(key, size, "%s", option->key);
    }
    return key[0] ? CS_OK
                  : cs_hint(cs_fail(CS_ERR_ARG, "%s: %s is not swept", what, name), "swept are: %s; or none",
                            names[0] ? names : "nothing");
}

/* Rows and columns are different options: if --rows asks for the option of the columns, the table has no columns, and
 * likewise for --columns. */
static cs_status choose_table(cs_job *job, const cs_collect_options *options) {
    const cs_column *metric = NULL;
    char rows[CS_NAME_MAX], columns[CS_NAME_MAX];
    snprintf(rows, sizeof rows, "%s", job->table_rows);
    snprintf(columns, sizeof columns, "%s", job->table_columns);
    if (options->rows)
        CS_TRY(choose_option(job, "--rows", options->rows, rows, sizeof rows));
    if (options->columns)
        CS_TRY(choose_option(job, "--columns", options->columns, columns, sizeof columns));
    if (rows[0] && strcmp(rows, columns) == 0) {
        if (options->rows && options->columns)
            return cs_fail(CS_ERR_ARG, "--rows and --columns are both %s", options->rows);
        (options->rows ? columns : rows)[0] = '\0';
    }
    snprintf(job->table_rows, sizeof job->table_rows, "%s", rows);
    snprintf(job->table_columns, sizeof job->table_columns, "%s", columns);
    job->table_best = options->best;
    if (!options->value)
        return CS_OK;
    CS_TRY(cs_column_find(options->value, &metric));
    if (!cs_column_is_in(metric, &job->metrics))
        return cs_hint(cs_fail(CS_ERR_ARG, "--value %s: the sweep did not write it", metric->name),
                       "train with train.metrics: [%s]", metric->name);
    snprintf(job->table_value, sizeof job->table_value, "%s", metric->name);
    return CS_OK;
}

/* Takes the job from the first folder. Takes ownership of the journal. */
static cs_status begin(cs_collection *c, const char *path, cs_journal *journal, const cs_collect_options *options) {
    c->first = journal;
    cs_status status = cs_description_job(journal, &c->job);
    if (status != CS_OK)
        return cs_context(status, "%s", path);
    CS_TRY(choose_table(c->job, options));
    CS_TRY(cs_column_find(c->job->table_value, &c->metric));
    CS_TRY(cs_alloc((size_t)c->job->n_trials, sizeof *c->outcomes, "results", &c->outcomes));
    return cs_alloc((size_t)c->job->n_trials, sizeof *c->trials, "results", &c->trials);
}

static cs_status compare(const cs_collection *c, const char *path, const cs_journal *journal) {
    const char *first = c->folders[0].path;
    if (journal->format != c->first->format)
        return cs_fail(CS_ERR_FORMAT,
                       "%s was trained by another version of the program than %s: formats %d and %d of the "
                       "journal do not compare",
                       path, first, journal->format, c->first->format);
    CS_TRY(cs_description_compare(c->first, first, journal, path));
    if (journal->checksum != c->first->checksum)
        return cs_hint(cs_fail(CS_ERR_ARG,
                               "%s was trained on other samples than %s: data.path %s has checksum %016llx, "
                               "there %s %016llx",
                               path, first, journal->dataset, (unsigned long long)journal->checksum, c->first->dataset,
                               (unsigned long long)c->first->checksum),
                       "the dataset changed between them: train the earlier one again");
    if (journal->planned != c->job->n_trials)
        return cs_fail(CS_ERR_ARG, "%s is of another sweep than %s: it has %d trials, there %d", path, first,
                       journal->planned, c->job->n_trials);
    if (journal->threads != c->first->threads)
        cs_log(CS_LOG_WARN,
               "%s was trained with %d thread%s a rank and %s with %d: numbers differ in their last digits; with "
               "threads: N in the job all parts take the same",
               path, journal->threads, journal->threads == 1 ? "" : "s", first, c->first->threads);
    return CS_OK;
}

static bool is_better(const cs_outcome *a, const cs_outcome *b) {
    return a->state == CS_TRIAL_OK ? b->state != CS_TRIAL_OK : b->state == CS_TRIAL_PENDING && a->state != b->state;
}

/* Takes the epochs out of the record. */
static void keep_course(const cs_collection *c, size_t number, cs_record *record, cs_collected_trial *trial) {
    free(trial->epochs);
    *trial = (cs_collected_trial){.from = c->n - 1,
                                  .number = (int)number,
                                  .group = record->group,
                                  .group_rank = record->group_rank,
                                  .begun = record->begun,
                                  .ended = record->ended,
                                  .epochs = record->epochs,
                                  .n_epochs = record->n_epochs};
    record->epochs = NULL;
    record->n_epochs = 0;
}

/* If several folders trained a trial, the first in which it finished counts, else the first in which it failed. */
static cs_status take_trial(cs_collection *c, cs_journal *journal, size_t number) {
    cs_record *record = &journal->records[number];
    cs_collected_folder *f = &c->folders[c->n - 1];
    const cs_outcome *outcome = &record->outcome;
    cs_folder_trial *own = &f->trials[record->index];
    *own = (cs_folder_trial){.key = record->key, .part = record->part, .state = outcome->state};
    if (record->n_epochs > 0)
        own->epochs = record->epochs[record->n_epochs - 1].epoch + 1;
    if (outcome->state == CS_TRIAL_OK)
        own->value = cs_column_value(c->metric, &outcome->result);
    cs_collected_trial *trial = &c->trials[record->index];
    if (!is_better(outcome, &c->outcomes[record->index])) {
        if (outcome->state == CS_TRIAL_PENDING && c->outcomes[record->index].state == CS_TRIAL_PENDING &&
            own->epochs > 0)
            keep_course(c, number, record, trial);
        return CS_OK;
    }
    c->outcomes[record->index] = *outcome;
    keep_course(c, number, record, trial);
    return cs_best_hits_offer(&c->hits, c->job, c->outcomes, record->index, record->hits);
}

/* The plan lines of a journal's last start are in the order of the job. Keys also cover settings that the options do
 * not name, such as what an augmentation does. */
static cs_status take_trials(cs_collection *c, cs_journal *journal) {
    cs_collected_folder *f = &c->folders[c->n - 1];
    CS_TRY(cs_alloc((size_t)c->job->n_trials, sizeof *f->trials, "trials", &f->trials));
    for (size_t i = 0; i < journal->n; i++) {
        const cs_record *record = &journal->records[i];
        if (record->start != journal->starts)
            continue;
        CS_TRY(take_trial(c, journal, i));
        if (record->key != c->folders[0].trials[record->index].key)
            return cs_hint(cs_fail(CS_ERR_ARG, "%s is of another sweep than %s: its trial %s differs", f->path,
                                   c->folders[0].path, record->options),
                           "augmentations: or the order of the trials; collect the parts of one job file");
    }
    return CS_OK;
}

static cs_status add_journal(cs_collection *c, cs_collected_folder *next, cs_journal *journal,
                             const cs_collect_options *options) {
    if (!journal->sweep)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: its journal does not describe the sweep", next->path),
                       "an earlier version wrote it: the trials.csv and table.md beside it are all there is");
    if (journal->planned < journal->announced)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: its journal has the plan lines of %d trials, but announces %d",
                               next->path, journal->planned, journal->announced),
                       "if it is only just starting call again; else `cnnsweep train JOB.yaml --resume` writes the "
                       "plan anew");
    CS_TRY(c->first ? compare(c, next->path, journal) : begin(c, next->path, journal, options));
    next->part = journal->part;
    next->parts = journal->parts;
    next->ranks = journal->ranks;
    next->groups = journal->groups;
    next->first_start = journal->first_start;
    next->last_time = journal->last_time;
    c->folders[c->n++] = *next;
    return take_trials(c, journal);
}

/* Only this journal and the first are in memory: a sweep may have many parts and many trials. */
static cs_status add_folder(cs_collection *c, const char *path, const cs_collect_options *options) {
    cs_collected_folder next = {.path = path};
    cs_journal *journal = NULL;
    const char *hint = "give results folders of `cnnsweep train`, such as results/NAME/part-0-of-3";
    if (stat(path, &next.info) != 0)
        return cs_hint(cs_fail_errno("%s", path), "%s", hint);
    for (int i = 0; i < c->n; i++)
        if (c->folders[i].info.st_ino == next.info.st_ino && c->folders[i].info.st_dev == next.info.st_dev)
            return cs_fail(CS_ERR_ARG, "%s is the same folder as %s", path, c->folders[i].path);
    if (!S_ISDIR(next.info.st_mode))
        return cs_hint(cs_fail(CS_ERR_ARG, "%s: is not a folder", path), "%s", hint);
    CS_TRY(cs_journal_read(path, options->again ? CS_LOG_DEBUG : CS_LOG_WARN, &journal));
    if (!journal)
        return cs_hint(cs_fail(CS_ERR_NOT_FOUND, "%s: no journal.jsonl, so no results of a sweep", path), "%s", hint);
    cs_status status = CS_OK;
    if (journal->starts == 0)
        cs_log(CS_LOG_WARN, "%s: nothing has begun there", path);
    else
        status = add_journal(c, &next, journal, options);
    if (journal != c->first)
        cs_journal_free(journal);
    return status;
}

int cs_collection_count_outcomes(const cs_collection *collection, int trial) {
    int n = 0;
    for (int i = 0; i < collection->n; i++)
        n += collection->folders[i].trials[trial].state != CS_TRIAL_PENDING;
    return n;
}

cs_status cs_common_parent(const char *const *paths, int n, char out[CS_PATH_MAX]) {
    CS_TRY(cs_path(out, CS_PATH_MAX, "%s", paths[0]));
    size_t length = strlen(out);
    while (length > 1 && out[length - 1] == '/')
        length--;
    for (;;) {
        while (length > 0 && out[length - 1] != '/')
            length--;
        bool common = true;
        for (int i = 1; i < n && common; i++)
            common = strncmp(paths[i], out, length) == 0;
        if (common)
            break;
        length--;
    }
    while (length > 1 && out[length - 1] == '/')
        length--;
    out[length] = '\0';
    return length ? CS_OK : cs_path(out, CS_PATH_MAX, ".");
}

cs_status cs_collection_open(const char *const *paths, int n, const cs_collect_options *options, cs_collection *out) {
    *out = (cs_collection){0};
    CS_TRY(cs_alloc((size_t)n, sizeof *out->folders, "folders", &out->folders));
    for (int i = 0; i < n; i++)
        CS_TRY(add_folder(out, paths[i], options));
    return out->n ? CS_OK : cs_fail(CS_ERR_NOT_FOUND, "%s: nothing has begun there", paths[0]);
}

void cs_collection_close(cs_collection *collection) {
    for (int t = 0; collection->trials && t < collection->job->n_trials; t++)
        free(collection->trials[t].epochs);
    for (int i = 0; i < collection->n; i++)
        free(collection->folders[i].trials);
    free(collection->folders);
    cs_journal_free(collection->first);
    free(collection->outcomes);
    free(collection->trials);
    cs_best_hits_drop(&collection->hits);
    cs_job_free(collection->job);
}
