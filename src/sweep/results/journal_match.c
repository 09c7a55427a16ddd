/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the trials of a job in the journal of an earlier run. */
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/schedule.h"
#include "folder.h"
#include "job/chosen.h"
#include "job/column.h"
#include "job/method.h"
#include "job/population.h"
#include "journal.h"
#include "origin.h"

#include <math.h>
#include <stdlib.h>

typedef struct key_entry {
    uint64_t key;
    int number;
} key_entry;

static int by_key(const void *a, const void *b) {
    const key_entry *p = a, *q = b;
    if (p->key != q->key)
        return p->key < q->key ? -1 : 1;
    return p->number - q->number;
}

/* The first index of `key`, or of the next larger key. */
static size_t find_key(const key_entry *entries, size_t n, uint64_t key) {
    size_t low = 0;
    while (low < n) {
        size_t middle = low + (n - low) / 2;
        if (entries[middle].key < key)
            low = middle + 1;
        else
            n = middle;
    }
    return low;
}

/* The keys by which trials are found: exactly, or whatever the number of epochs is. */
typedef struct key_kind {
    uint64_t (*of_trial)(const cs_trial_config *trial);
    bool any_length;
} key_kind;

/* Lists the records that no trial has yet. */
static cs_status list_records(const cs_journal *journal, const bool *taken, const key_kind *kind, key_entry **out,
                              size_t *n) {
    CS_TRY(cs_alloc(journal->n, sizeof **out, "keys", out));
    *n = 0;
    for (size_t i = 0; i < journal->n; i++) {
        const cs_record *record = &journal->records[i];
        uint64_t key = kind->any_length ? record->any_length : record->key;
        if (record->start > 0 && !taken[i] && !(kind->any_length && key == 0))
            (*out)[(*n)++] = (key_entry){key, (int)i};
    }
    qsort(*out, *n, sizeof **out, by_key);
    return CS_OK;
}

/* Finds records for the trials that have no number yet. Equal trials, which a random sweep may draw, get the records of
 * their key one after the other. */
static cs_status find_records(const cs_journal *journal, const key_kind *kind, bool *taken, cs_job *job) {
    key_entry *entries = NULL;
    size_t n;
    cs_status status = list_records(journal, taken, kind, &entries, &n);
    for (int t = 0; status == CS_OK && t < job->n_trials; t++) {
        if (job->numbers[t] >= 0 || cs_job_is_open(job, t))
            continue;
        uint64_t key = kind->of_trial(&job->trials[t]);
        size_t at = find_key(entries, n, key);
        while (at < n && entries[at].key == key && entries[at].number < 0)
            at++;
        if (at == n || entries[at].key != key)
            continue;
        int number = entries[at].number;
        if (kind->any_length && journal->records[number].planned_epochs >= job->trials[t].train.epochs)
            continue;
        job->numbers[t] = number;
        taken[number] = true;
        entries[at].number = -1;
    }
    free(entries);
    return status;
}

static void drop_late_epochs(cs_record *record, int epochs) {
    while (record->n_epochs > 0 && record->epochs[record->n_epochs - 1].epoch >= epochs)
        record->n_epochs--;
}

static bool has_state(const cs_job *job, const char *folder, int trial) {
    char path[CS_PATH_MAX];
    return cs_results_file(folder, job, "states", trial, "state", path) == CS_OK && cs_file_exists(path);
}

/* The trials that are asked for more epochs than they ended with. */
typedef struct extension {
    int going_on; /* how many go on from their final states */
    int stay;     /* how many have none, and keep their results */
    int last;     /* one that goes on */
} extension;

/* Decides what becomes of a trial that has a record. */
static void settle(cs_record *record, const char *folder, const cs_sweep_options *options, cs_job *job, int trial,
                   extension *extended) {
    cs_trial_state state = record->outcome.state;
    bool asks_more = record->planned_epochs > 0 && record->planned_epochs < job->trials[trial].train.epochs;
    bool ended = state == CS_TRIAL_OK || (state == CS_TRIAL_FAILED && !options->retry_failed);
    job->extended[trial] = (record->extended || (asks_more && state == CS_TRIAL_OK)) && has_state(job, folder, trial);
    job->done[trial] = ended && !job->extended[trial];
    if (asks_more && job->done[trial]) {
        job->trials[trial].train.epochs = record->planned_epochs;
        extended->stay++;
    }
    if (job->extended[trial]) {
        extended->going_on++;
        extended->last = trial;
    }
    drop_late_epochs(record, cs_job_epochs(job, trial));
}

/* A trial whose schedule is spread over its epochs would have had other rates from the beginning. */
static void warn_of_schedule(const cs_job *job, int trial) {
    char length[CS_VALUE_MAX];
    const cs_train_config *train = &job->trials[trial].train;
    if (!cs_schedule_keep_length(train, length, sizeof length) || length[0])
        cs_log(CS_LOG_WARN,
               "%s: schedule %s is spread over train.epochs: from here on its rates are those of %d epochs, so the "
               "results are not those of a trial that had as many from the beginning",
               job->name, cs_schedule_name(train->schedule.kind), train->epochs);
}

/* Says which trials go on, and which cannot because their final states were not kept. */
static cs_status report_extension(const cs_job *job, const extension *extended) {
    if (extended->going_on > 0)
        warn_of_schedule(job, extended->last);
    if (extended->stay > 0 && extended->going_on == 0)
        return cs_hint(cs_fail(CS_ERR_ARG,
                               "%s: --extend, but no final state of these trials was kept, so none can go on",
                               job->name),
                       "keep_state: all (or best N) keeps them; --resume trains them anew");
    if (extended->going_on > 0)
        cs_log(CS_LOG_INFO, "%s: %d trial%s for more epochs%s", job->name, extended->going_on,
               extended->going_on == 1 ? " goes on" : "s go on",
               extended->stay ? "; those without a final state keep their results" : "");
    return CS_OK;
}

static void number_new(const cs_journal *journal, cs_job *job) {
    int next = (int)journal->n, known = 0;
    for (int t = 0; t < job->n_trials; t++) {
        known += job->numbers[t] >= 0 || (cs_job_is_open(job, t) && !cs_job_is_open(job, 0));
        if (job->numbers[t] < 0)
            job->numbers[t] = next++;
    }
    /* Explains why trials may be trained again that an earlier run finished. */
    if (known < job->n_trials)
        cs_log(CS_LOG_INFO,
               "%s: %d of %d trials are in the journal, the others begin anew; one with another setting, or with other "
               "weights, is another trial, and one with more epochs goes on only with --extend",
               job->name, known, job->n_trials);
}

/* A phase begins from the final state of the one before. Where that is gone, as when new trials are added to a sweep
 * that was complete, the phase before is trained once more. */
static void train_lost_phases(const char *folder, cs_job *job) {
    for (int t = 0; t < job->n_trials; t++) {
        int before = job->before[t];
        if (before < 0 || job->done[t] || !job->done[before] || has_state(job, folder, before))
            continue;
        job->done[before] = false;
        cs_log(CS_LOG_INFO, "%s: t%03d is trained again, as its final state is no longer there and t%03d needs it",
               job->name, job->numbers[before], job->numbers[t]);
    }
}

/* Tells the population what came of a trial. */
static cs_status tell(const cs_journal *journal, const cs_job *job, int trial) {
    const cs_outcome *outcome = &journal->records[trial].outcome;
    const cs_column *metric = NULL;
    CS_TRY(cs_column_find(job->metric, &metric));
    cs_job_tell(job, trial, outcome->state == CS_TRIAL_OK ? cs_column_value(metric, &outcome->result) : (double)NAN);
    return CS_OK;
}

/* Finds the record of a member of a population. If it was chosen differently, which results from other machines could
 * explain, it begins anew. */
static cs_status match_member(cs_journal *journal, const char *folder, const cs_sweep_options *options, cs_job *job,
                              int trial) {
    cs_record *record = (size_t)trial < journal->n ? &journal->records[trial] : NULL;
    extension none = {0};
    if (!record || record->start == 0)
        return CS_OK;
    if (record->key == cs_trial_key(&job->trials[trial])) {
        settle(record, folder, options, job, trial, &none);
        return job->done[trial] ? tell(journal, job, trial) : CS_OK;
    }
    if (job->before[trial] < 0)
        return cs_hint(cs_fail(CS_ERR_ARG, "%s: the population in %s has other settings", job->name, folder),
                       "use --out ANOTHER_FOLDER");
    record->n_epochs = 0;
    record->outcome = (cs_outcome){0};
    return CS_OK;
}

/* The members of a population keep their numbers. Where a generation has ended, what was chosen for the next one
 * follows from its results. */
static cs_status match_population(cs_journal *journal, const char *folder, const cs_sweep_options *options,
                                  cs_job *job) {
    for (int t = 0; t < job->n_trials; t++)
        job->numbers[t] = t;
    for (int generation = 1; generation <= job->n_phases; generation++) {
        for (int m = 0; m < job->n_last; m++) {
            int t = cs_population_trial(job, m, generation);
            if (cs_job_must_wait(job, t) || cs_job_choose(job, t) != CS_OK)
                return CS_OK;
        }
        for (int m = 0; m < job->n_last; m++)
            CS_TRY(match_member(journal, folder, options, job, cs_population_trial(job, m, generation)));
    }
    return CS_OK;
}

static cs_status match(cs_journal *journal, const char *folder, const cs_sweep_options *options, bool *taken,
                       cs_job *job) {
    static const key_kind exact = {cs_trial_key, false}, any_length = {cs_trial_key_of_any_length, true};
    extension extended = {0};
    for (int t = 0; t < job->n_trials; t++)
        job->numbers[t] = -1;
    CS_TRY(find_records(journal, &exact, taken, job));
    if (options->extend)
        CS_TRY(find_records(journal, &any_length, taken, job));
    for (int t = job->n_trials - 1; t >= 0; t--)
        if (job->numbers[t] >= 0)
            settle(&journal->records[job->numbers[t]], folder, options, job, t, &extended);
    if (options->extend)
        CS_TRY(report_extension(job, &extended));
    number_new(journal, job);
    train_lost_phases(folder, job);
    return CS_OK;
}

cs_status cs_journal_match(cs_journal *journal, const char *folder, const cs_sweep_options *options, cs_job *job) {
    bool *taken = NULL;
    if (job->population)
        return match_population(journal, folder, options, job);
    CS_TRY(cs_alloc(journal->n, sizeof *taken, "trials", &taken));
    cs_status status = match(journal, folder, options, taken, job);
    free(taken);
    return status;
}

cs_status cs_journal_resume(const char *folder, const cs_sweep_options *options, cs_job *job, cs_journal **out) {
    *out = NULL;
    if (!options->resume)
        return CS_OK;
    CS_TRY(cs_journal_read(folder, CS_LOG_WARN, out));
    if (!*out)
        return CS_OK;
    CS_TRY(cs_origin_check(*out, folder, job));
    if (options->extend && cs_job_chooses(job))
        return cs_fail(CS_ERR_ARG, "%s: --extend, but the values of trials were chosen by results after fewer epochs",
                       job->name);
    CS_TRY(cs_journal_restore_values(*out, job));
    return cs_journal_match(*out, folder, options, job);
}
