/* SPDX-License-Identifier: Apache-2.0 */
/* cnnsweep collect: merges folders of one sweep into one trials.csv and one table. */
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "collection.h"
#include "pivot.h"
#include "table.h"

#include <stdio.h>
#include <string.h>

static cs_status choose_out(const char *const *paths, int n, const char *wanted, char out[CS_PATH_MAX]) {
    char journal[CS_PATH_MAX];
    CS_TRY(wanted ? cs_path(out, CS_PATH_MAX, "%s", wanted) : cs_common_parent(paths, n, out));
    CS_TRY(cs_path(journal, sizeof journal, "%s/journal.jsonl", out));
    if (!cs_file_exists(journal))
        return cs_folder_create(out);
    return cs_hint(cs_fail(CS_ERR_ARG, "%s holds the results of a sweep itself", out),
                   "say where the merged ones go: --out ANOTHER_FOLDER");
}

static cs_status print_csv(const cs_collection *c, FILE *out) {
    cs_csv_print(c->job, c->outcomes, out);
    return CS_OK;
}

static cs_status print_table(const cs_collection *c, FILE *out) {
    return cs_table_print(c->job, c->outcomes, &c->hits, out);
}

static cs_status print_pivot(const cs_collection *c, cs_status (*print)(const cs_pivot *pivot, FILE *out), FILE *out) {
    cs_pivot pivot = {0};
    CS_TRY(cs_pivot_open(c->job, c->outcomes, &pivot));
    cs_status status = print(&pivot, out);
    cs_pivot_close(&pivot);
    return status;
}

static cs_status print_pivot_csv(const cs_collection *c, FILE *out) {
    return print_pivot(c, cs_pivot_csv, out);
}

static cs_status print_pivot_latex(const cs_collection *c, FILE *out) {
    return print_pivot(c, cs_pivot_latex, out);
}

static const struct product {
    const char *name;
    cs_status (*print)(const cs_collection *c, FILE *out);
    bool is_pivot;
} products[] = {
    {"trials.csv", print_csv, false},
    {"table.md", print_table, false},
    {"table.csv", print_pivot_csv, true},
    {"table.tex", print_pivot_latex, true},
};

static cs_status write_products(const cs_collection *c, const char *folder) {
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        char path[CS_PATH_MAX];
        cs_atomic_file *file = NULL;
        CS_TRY(cs_path(path, sizeof path, "%s/%s", folder, products[i].name));
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
static void print_missing(const cs_collection *c, int trial, FILE *out) {
    for (int i = 0; i < c->n; i++) {
        const cs_collected_folder *f = &c->folders[i];
        const cs_folder_trial *own = &f->trials[trial];
        if (own->part != f->part)
            continue;
        if (own->epochs > 0)
            fprintf(out, ": %d epochs in %s\n", own->epochs, f->path);
        else
            fprintf(out, ": has not begun in %s\n", f->path);
        return;
    }
    const cs_collected_folder *first = &c->folders[0];
    fprintf(out, ": is of part %d of %d, which is not here\n", first->trials[trial].part, first->parts);
}

static void print_duplicate(const cs_collection *c, int trial, FILE *out) {
    const char *separator = ": in ";
    for (int i = 0; i < c->n; i++) {
        const cs_folder_trial *own = &c->folders[i].trials[trial];
        if (own->state == CS_TRIAL_PENDING)
            continue;
        fprintf(out, "%s%s (", separator, c->folders[i].path);
        if (own->state == CS_TRIAL_OK)
            fprintf(out, "ok, %s %.9g", c->metric->name, own->value);
        else
            fputs("failed", out);
        fprintf(out, "%s)", i == c->trials[trial].from ? ", counts" : "");
        separator = ", ";
    }
    fputc('\n', out);
}

/* Prints the trials that several folders have (`several`), or those that none has. */
static void print_trials(const cs_collection *c, bool several, FILE *out) {
    enum { SHOWN = 100 };
    int all = 0;
    for (int t = 0; t < c->job->n_trials; t++) {
        char name[32], text[CS_VALUE_MAX * 2];
        int found = cs_collection_count_outcomes(c, t);
        if (several ? found < 2 : found > 0)
            continue;
        if (all++ >= SHOWN)
            continue;
        cs_job_trial_name(c->job, t, name, sizeof name);
        cs_job_describe_trial(c->job, t, text, sizeof text);
        fprintf(out, "%-9s  %s%s%s", several ? "duplicate" : "missing", name, text[0] ? " " : "", text);
        if (several)
            print_duplicate(c, t, out);
        else
            print_missing(c, t, out);
    }
    if (all > SHOWN)
        fprintf(out, "%-9s  and %d more\n", several ? "duplicate" : "missing", all - SHOWN);
}

static cs_status print_all(const cs_collection *c, const char *folder, FILE *out) {
    int missing = 0, duplicates = 0;
    for (int t = 0; t < c->job->n_trials; t++) {
        const int found = cs_collection_count_outcomes(c, t);
        missing += found == 0;
        duplicates += found > 1;
    }
    CS_TRY(print_table(c, out));
    fprintf(out, "\ncollected  %d of %d trials from %d folder%s, %d missing, %d more than once; in %s\n",
            c->job->n_trials - missing, c->job->n_trials, c->n, c->n == 1 ? "" : "s", missing, duplicates, folder);
    print_trials(c, false, out);
    print_trials(c, true, out);
    return CS_OK;
}

static cs_status collect(cs_collection *c, const char *const *paths, int n, const cs_collect_options *options,
                         FILE *out) {
    char folder[CS_PATH_MAX];
    CS_TRY(cs_collection_open(paths, n, options, c));
    CS_TRY(choose_out(paths, n, options->out, folder));
    CS_TRY(write_products(c, folder));
    return print_all(c, folder, out);
}

cs_status cs_sweep_collect(const char *const *folders, int n, const cs_collect_options *options, FILE *out) {
    cs_collection c;
    const cs_status status = collect(&c, folders, n, options, out);
    cs_collection_close(&c);
    return status;
}
