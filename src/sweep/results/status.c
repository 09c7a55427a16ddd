/* SPDX-License-Identifier: Apache-2.0 */
/* cnnsweep status: prints what the journal of a folder says, and whether a program is training into the folder. */
#include "cnnsweep/file.h"
#include "job/column.h"
#include "journal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

typedef struct counts {
    int done, failed, begun;
    size_t epochs;
    int best; /* the number of the best trial, or -1 */
    double best_value;
} counts;

static void count_record(const cs_journal *journal, const cs_column *metric, int number, counts *c) {
    const cs_record *record = &journal->records[number];
    c->done += record->outcome.state == CS_TRIAL_OK;
    c->failed += record->outcome.state == CS_TRIAL_FAILED;
    c->begun += record->outcome.state == CS_TRIAL_PENDING && record->n_epochs > 0;
    c->epochs += record->n_epochs;
    if (!metric || record->outcome.state != CS_TRIAL_OK || record->is_before)
        return;
    double value = cs_column_value(metric, &record->outcome.result);
    if (!cs_column_better(value, c->best_value, journal->maximize))
        return;
    c->best = number;
    c->best_value = value;
}

/* Counts the trials of the last start. Trials that are no longer in the job are left out. */
static counts count(const cs_journal *journal, const cs_column *metric) {
    counts c = {.best = -1, .best_value = NAN};
    for (size_t i = 0; i < journal->n; i++)
        if (journal->records[i].start == journal->starts)
            count_record(journal, metric, (int)i, &c);
    return c;
}

static void print_span(double seconds, char *out, size_t size) {
    static const struct {
        double seconds;
        const char *name;
    } units[] = {{86400, "days"}, {3600, "hours"}, {60, "minutes"}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (seconds >= 2 * units[i].seconds) {
            snprintf(out, size, "%.0f %s", floor(seconds / units[i].seconds), units[i].name);
            return;
        }
    }
    snprintf(out, size, "%.0f s", seconds);
}

static void print_state(const cs_journal *journal, bool running, FILE *out) {
    if (running)
        fprintf(out, "state    running\n");
    else if (strcmp(journal->ended, "done") == 0)
        fprintf(out, "state    done\n");
    else if (journal->ended[0])
        fprintf(out, "state    stopped (%s)\n", journal->ended);
    else
        fprintf(out, "state    stopped unexpectedly: it was killed, or the machine went down\n");
}

static void print_next(const char *folder, const cs_journal *journal, const counts *c, bool running, FILE *out) {
    bool over = c->done + c->failed >= journal->trials;
    char part[48] = "";
    if (journal->parts > 0)
        snprintf(part, sizeof part, " --part %d/%d", journal->part, journal->parts);
    if (running)
        fprintf(out, "next     wait; a signal (SIGTERM, SIGINT, SIGUSR2) stops it with checkpoints\n");
    else if (over && strcmp(journal->ended, "done") == 0 && c->failed == 0)
        fprintf(out, "next     nothing: the table is in %s/table.md\n", folder);
    else
        fprintf(out, "next     cnnsweep train JOB.yaml%s --out %s --resume%s\n", part, folder,
                over && c->failed ? " --retry-failed" : "");
}

static void print_journal(const char *folder, const cs_journal *journal, bool running, FILE *out) {
    const cs_column *metric = NULL;
    if (cs_column_find(journal->metric, &metric) != CS_OK)
        metric = NULL;
    counts c = count(journal, metric);
    char span[32];
    fprintf(out, "sweep    %s: %s, engine %s%s%s, %d rank%s\n", journal->job, journal->dataset, journal->engine,
            journal->precision[0] ? " " : "", journal->precision, journal->ranks, journal->ranks == 1 ? "" : "s");
    print_state(journal, running, out);
    fprintf(out, "trials   %d: %d done, %d failed, %d in progress, %d waiting\n", journal->trials, c.done, c.failed,
            c.begun, journal->trials - c.done - c.failed - c.begun);
    fprintf(out, "epochs   %zu\n", c.epochs);
    if (c.best >= 0) {
        const char *options = journal->records[c.best].options;
        fprintf(out, "best     %s %.*f: t%03d%s%s\n", metric->name, metric->decimals, c.best_value, c.best,
                options[0] ? " " : "", options);
    }
    print_span(difftime(time(NULL), journal->written), span, sizeof span);
    fprintf(out, "last     %s, %s ago\n", journal->last, span);
    print_next(folder, journal, &c, running, out);
}

cs_status cs_sweep_status(const char *folder, FILE *out) {
    char lock[CS_PATH_MAX];
    cs_journal *journal = NULL;
    CS_TRY(cs_path(lock, sizeof lock, "%s/" CS_SWEEP_LOCK, folder));
    bool running = cs_file_locked(lock);
    CS_TRY(cs_journal_read(folder, &journal));
    if (!journal)
        return cs_hint(cs_fail(CS_ERR_NOT_FOUND, "%s: no journal.jsonl, so no sweep", folder),
                       "give the results folder of a sweep, such as results/NAME");
    if (journal->starts == 0)
        fprintf(out, "%s: nothing has begun\n", folder);
    else
        print_journal(folder, journal, running, out);
    cs_journal_free(journal);
    return CS_OK;
}
