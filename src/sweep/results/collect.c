/* SPDX-License-Identifier: Apache-2.0 */
/* cnnsweep collect: merges folders of one sweep into one trials.csv and one table. */
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "description.h"
#include "job/column.h"
#include "pivot.h"
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What the journal of a folder says of a trial. */
typedef struct report {
    uint64_t key;
    int part, epochs; /* the part that trains it; how many epochs are done */
    cs_trial_state state;
    double value; /* OK: the value of the table's metric */
} report;

typedef struct folder {
    const char *path;
    struct stat info; /* to find the same folder under another name */
    int part, parts;
    report *trials; /* [job->n_trials] */
} folder;

typedef struct collection {
    folder *folders; /* [n] the folders in which a sweep has begun */
    int n;
    cs_journal *first; /* that of folders[0]; the others are compared with it */
    cs_job *job;
    const cs_column *metric; /* the metric of the table */
    cs_outcome *outcomes;    /* [job->n_trials] */
    cs_best_hits hits;
    int *from; /* [job->n_trials] the index of the folder whose outcome counts */
    int missing, duplicates;
    char out[CS_PATH_MAX];
} collection;

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
static cs_status begin(collection *c, const char *path, cs_journal *journal, const cs_collect_options *options) {
    c->first = journal;
    cs_status status = cs_description_job(journal, &c->job);
    if (status != CS_OK)
        return cs_context(status, "%s", path);
    CS_TRY(choose_table(c->job, options));
    CS_TRY(cs_column_find(c->job->table_value, &c->metric));
    CS_TRY(cs_alloc((size_t)c->job->n_trials, sizeof *c->outcomes, "results", &c->outcomes));
    return cs_alloc((size_t)c->job->n_trials, sizeof *c->from, "results", &c->from);
}

static cs_status compare(const collection *c, const char *path, const cs_journal *journal) {
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

/* If several folders trained a trial, the first in which it finished counts, else the first in which it failed. */
static cs_status take_trial(collection *c, const cs_record *record) {
    folder *f = &c->folders[c->n - 1];
    const cs_outcome *outcome = &record->outcome;
    report *own = &f->trials[record->index];
    *own = (report){.key = record->key, .part = record->part, .state = outcome->state};
    if (record->n_epochs > 0)
        own->epochs = record->epochs[record->n_epochs - 1].epoch + 1;
    if (outcome->state == CS_TRIAL_OK)
        own->value = cs_column_value(c->metric, &outcome->result);
    if (!is_better(outcome, &c->outcomes[record->index]))
        return CS_OK;
    c->outcomes[record->index] = *outcome;
    c->from[record->index] = c->n - 1;
    return cs_best_hits_offer(&c->hits, c->job, c->outcomes, record->index, record->hits);
}

/* The plan lines of a journal's last start are in the order of the job. Keys also cover settings that the options do
 * not name, such as what an augmentation does. */
static cs_status take_trials(collection *c, const cs_journal *journal) {
    folder *f = &c->folders[c->n - 1];
    CS_TRY(cs_alloc((size_t)c->job->n_trials, sizeof *f->trials, "trials", &f->trials));
    for (size_t i = 0; i < journal->n; i++) {
        const cs_record *record = &journal->records[i];
        if (record->start != journal->starts)
            continue;
        CS_TRY(take_trial(c, record));
        if (record->key != c->folders[0].trials[record->index].key)
            return cs_hint(cs_fail(CS_ERR_ARG, "%s is of another sweep than %s: its trial %s differs", f->path,
                                   c->folders[0].path, record->options),
                           "augmentations: or the order of the trials; collect the parts of one job file");
    }
    return CS_OK;
}

static cs_status add_journal(collection *c, folder *next, cs_journal *journal, const cs_collect_options *options) {
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
    c->folders[c->n++] = *next;
    return take_trials(c, journal);
}

/* Only this journal and the first are in memory: a sweep may have many parts and many trials. */
static cs_status add_folder(collection *c, const char *path, const cs_collect_options *options) {
    folder next = {.path = path};
    cs_journal *journal = NULL;
    const char *hint = "give results folders of `cnnsweep train`, such as results/NAME/part-0-of-3";
    if (stat(path, &next.info) != 0)
        return cs_hint(cs_fail_errno("%s", path), "%s", hint);
    for (int i = 0; i < c->n; i++)
        if (c->folders[i].info.st_ino == next.info.st_ino && c->folders[i].info.st_dev == next.info.st_dev)
            return cs_fail(CS_ERR_ARG, "%s is the same folder as %s", path, c->folders[i].path);
    if (!S_ISDIR(next.info.st_mode))
        return cs_hint(cs_fail(CS_ERR_ARG, "%s: is not a folder", path), "%s", hint);
    CS_TRY(cs_journal_read(path, &journal));
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

/* The deepest folder that contains all paths, as they are written. */
static cs_status common_parent(const char *const *paths, int n, char out[CS_PATH_MAX]) {
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

static cs_status choose_out(collection *c, const char *const *paths, int n, const char *wanted) {
    char journal[CS_PATH_MAX];
    CS_TRY(wanted ? cs_path(c->out, sizeof c->out, "%s", wanted) : common_parent(paths, n, c->out));
    CS_TRY(cs_path(journal, sizeof journal, "%s/journal.jsonl", c->out));
    if (!cs_file_exists(journal))
        return cs_folder_create(c->out);
    return cs_hint(cs_fail(CS_ERR_ARG, "%s holds the results of a sweep itself", c->out),
                   "say where the merged ones go: --out ANOTHER_FOLDER");
}

static cs_status print_csv(const collection *c, FILE *out) {
    cs_csv_print(c->job, c->outcomes, out);
    return CS_OK;
}

static cs_status print_table(const collection *c, FILE *out) {
    return cs_table_print(c->job, c->outcomes, &c->hits, out);
}

static cs_status print_pivot(const collection *c, cs_status (*print)(const cs_pivot *pivot, FILE *out), FILE *out) {
    cs_pivot pivot = {0};
    CS_TRY(cs_pivot_open(c->job, c->outcomes, &pivot));
    cs_status status = print(&pivot, out);
    cs_pivot_close(&pivot);
    return status;
}

static cs_status print_pivot_csv(const collection *c, FILE *out) {
    return print_pivot(c, cs_pivot_csv, out);
}

static cs_status print_pivot_latex(const collection *c, FILE *out) {
    return print_pivot(c, cs_pivot_latex, out);
}

static const struct product {
    const char *name;
    cs_status (*print)(const collection *c, FILE *out);
    bool is_pivot;
} products[] = {
    {"trials.csv", print_csv, false},
    {"table.md", print_table, false},
    {"table.csv", print_pivot_csv, true},
    {"table.tex", print_pivot_latex, true},
};

static cs_status write_products(const collection *c) {
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        char path[CS_PATH_MAX];
        cs_atomic_file *file = NULL;
        CS_TRY(cs_path(path, sizeof path, "%s/%s", c->out, products[i].name));
        if (products[i].is_pivot && cs_table_is_leaderboard(c->job)) {
            cs_log(CS_LOG_INFO, "no %s: a leaderboard is no pivot; --rows and --columns make one", path);
            CS_TRY(cs_remove_all(path)); /* the file of an earlier call would look like a result of this one */
            continue;
        }
        CS_TRY(cs_atomic_open(path, &file));
        cs_status status = products[i].print(c, cs_atomic_stream(file));
        if (status != CS_OK) {
            cs_atomic_abort(&file);
            return status;
        }
        CS_TRY(cs_atomic_commit(&file));
    }
    return CS_OK;
}

/* Prints why a trial has no outcome: how far the folder of its part is with it, or which part is missing. */
static void print_missing(const collection *c, int trial, FILE *out) {
    for (int i = 0; i < c->n; i++) {
        const folder *f = &c->folders[i];
        const report *own = &f->trials[trial];
        if (own->part != f->part)
            continue;
        if (own->epochs > 0)
            fprintf(out, ": %d epochs in %s\n", own->epochs, f->path);
        else
            fprintf(out, ": has not begun in %s\n", f->path);
        return;
    }
    const folder *first = &c->folders[0];
    fprintf(out, ": is of part %d of %d, which is not here\n", first->trials[trial].part, first->parts);
}

static void print_duplicate(const collection *c, int trial, FILE *out) {
    const char *separator = ": in ";
    for (int i = 0; i < c->n; i++) {
        const report *own = &c->folders[i].trials[trial];
        if (own->state == CS_TRIAL_PENDING)
            continue;
        fprintf(out, "%s%s (", separator, c->folders[i].path);
        if (own->state == CS_TRIAL_OK)
            fprintf(out, "ok, %s %.9g", c->metric->name, own->value);
        else
            fputs("failed", out);
        fprintf(out, "%s)", i == c->from[trial] ? ", counts" : "");
        separator = ", ";
    }
    fputc('\n', out);
}

static int count_outcomes(const collection *c, int trial) {
    int n = 0;
    for (int i = 0; i < c->n; i++)
        n += c->folders[i].trials[trial].state != CS_TRIAL_PENDING;
    return n;
}

/* Prints the trials that several folders have (`several`), or those that none has. */
static void print_trials(const collection *c, bool several, FILE *out) {
    enum { SHOWN = 100 };
    int all = several ? c->duplicates : c->missing, shown = 0;
    for (int t = 0; t < c->job->n_trials && shown < SHOWN; t++) {
        char name[32], text[CS_VALUE_MAX * 2];
        int found = count_outcomes(c, t);
        if (several ? found < 2 : found > 0)
            continue;
        cs_job_trial_name(c->job, t, name, sizeof name);
        cs_job_describe_trial(c->job, t, text, sizeof text);
        fprintf(out, "%-9s  %s%s%s", several ? "duplicate" : "missing", name, text[0] ? " " : "", text);
        if (several)
            print_duplicate(c, t, out);
        else
            print_missing(c, t, out);
        shown++;
    }
    if (all > shown)
        fprintf(out, "%-9s  and %d more\n", several ? "duplicate" : "missing", all - shown);
}

static cs_status print_all(const collection *c, FILE *out) {
    CS_TRY(print_table(c, out));
    fprintf(out, "\ncollected  %d of %d trials from %d folder%s, %d missing, %d more than once; in %s\n",
            c->job->n_trials - c->missing, c->job->n_trials, c->n, c->n == 1 ? "" : "s", c->missing, c->duplicates,
            c->out);
    print_trials(c, false, out);
    print_trials(c, true, out);
    return CS_OK;
}

static cs_status collect(collection *c, const char *const *paths, int n, const cs_collect_options *options, FILE *out) {
    CS_TRY(cs_alloc((size_t)n, sizeof *c->folders, "folders", &c->folders));
    for (int i = 0; i < n; i++)
        CS_TRY(add_folder(c, paths[i], options));
    if (c->n == 0)
        return cs_fail(CS_ERR_NOT_FOUND, "%s: nothing has begun there", paths[0]);
    for (int t = 0; t < c->job->n_trials; t++) {
        int found = count_outcomes(c, t);
        c->missing += found == 0;
        c->duplicates += found > 1;
    }
    CS_TRY(choose_out(c, paths, n, options->out));
    CS_TRY(write_products(c));
    return print_all(c, out);
}

cs_status cs_sweep_collect(const char *const *folders, int n, const cs_collect_options *options, FILE *out) {
    collection c = {0};
    cs_status status = collect(&c, folders, n, options, out);
    for (int i = 0; i < c.n; i++)
        free(c.folders[i].trials);
    free(c.folders);
    cs_journal_free(c.first);
    free(c.outcomes);
    cs_best_hits_drop(&c.hits);
    free(c.from);
    cs_job_free(c.job);
    return status;
}
