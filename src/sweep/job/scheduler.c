/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler.h"
#include "cnnsweep/memory.h"
#include "column.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The values of the trials that reached a milestone, ascending, larger is better. MEDIAN: the means of the trials that
 * reached an epoch. */
typedef struct rung {
    double milestone; /* epochs */
    double *values;
    int n;
} rung;

typedef struct bracket {
    rung *rungs;
    int n_rungs, n_trials;
} bracket;

typedef struct progress {
    int bracket;
    int handled;    /* how many of its epochs were handled */
    int stopped_at; /* epochs; 0: not stopped */
    int rung;       /* the rung at which it stopped; -1: at max_t */
    double value, cutoff;
    double best;    /* MEDIAN: the best of all epochs */
    double sum;     /* MEDIAN: the sum of the values from grace_period on */
    bool *recorded; /* [rungs of the bracket] */
} progress;

struct cs_scheduler {
    const cs_job *job;
    const cs_column *metric;
    bracket *brackets;
    progress *trials; /* [n_trials] */
    bool *recorded;   /* memory for `recorded` of all trials */
    rung *epochs;     /* MEDIAN: [n_epochs] */
    int n_epochs;     /* those of the longest trial */
};

static double milestone(const cs_scheduler_config *config, int level) {
    return config->grace_period * pow(config->reduction_factor, level);
}

/* The number of milestones up to max_t. */
static int count_levels(const cs_scheduler_config *config) {
    int levels = 0;
    while (milestone(config, levels) <= config->max_t)
        levels++;
    return levels;
}

cs_status cs_scheduler_complete(cs_scheduler_config *config, int longest) {
    const double asha_factor = 4, hyperband_factor = 3;
    bool hyperband = config->kind == CS_SCHEDULER_HYPERBAND;
    if (config->max_t == 0)
        config->max_t = longest;
    if (isnan(config->reduction_factor))
        config->reduction_factor = hyperband ? hyperband_factor : asha_factor;
    if (config->grace_period > config->max_t)
        return cs_fail(CS_ERR_ARG, "grace_period is %d epochs, more than max_t, %d", config->grace_period,
                       config->max_t);
    int levels = count_levels(config);
    if (config->brackets > levels)
        return cs_hint(cs_fail(CS_ERR_ARG, "brackets is %d, but only %d fit", config->brackets, levels),
                       "the milestones are grace_period * reduction_factor^k epochs, up to max_t = %d", config->max_t);
    if (config->brackets == 0)
        config->brackets = hyperband ? levels : 1;
    return CS_OK;
}

/* Assigns each trial to the bracket that is furthest behind its share. Bracket b of Hyperband begins s = levels-1-b
 * halvings before the end; its share is the number of trials that Hyperband starts with there. */
static cs_status assign_brackets(cs_scheduler *self, int levels) {
    const cs_scheduler_config *config = &self->job->scheduler;
    double *shares = NULL;
    CS_TRY(cs_alloc((size_t)config->brackets, sizeof *shares, "scheduler", &shares));
    for (int b = 0, s = levels - 1; b < config->brackets; b++, s--)
        shares[b] = ceil((double)levels / (s + 1) * pow(config->reduction_factor, s));
    for (int t = 0; t < self->job->n_trials; t++) {
        int next = 0;
        for (int b = 1; b < config->brackets; b++)
            if ((self->brackets[b].n_trials + 1) / shares[b] < (self->brackets[next].n_trials + 1) / shares[next])
                next = b;
        self->trials[t].bracket = next;
        self->brackets[next].n_trials++;
    }
    free(shares);
    return CS_OK;
}

static cs_status open_halving(cs_scheduler *self) {
    const cs_scheduler_config *config = &self->job->scheduler;
    int levels = count_levels(config);
    CS_TRY(cs_alloc((size_t)config->brackets, sizeof *self->brackets, "scheduler", &self->brackets));
    CS_TRY(assign_brackets(self, levels));
    for (int b = 0; b < config->brackets; b++) {
        bracket *own = &self->brackets[b];
        CS_TRY(cs_alloc((size_t)(levels - b), sizeof *own->rungs, "scheduler", &own->rungs));
        for (; own->n_rungs < levels - b; own->n_rungs++) {
            rung *next = &own->rungs[own->n_rungs];
            next->milestone = milestone(config, b + own->n_rungs);
            CS_TRY(cs_alloc((size_t)own->n_trials, sizeof *next->values, "scheduler", &next->values));
        }
    }
    CS_TRY(
        cs_alloc((size_t)self->job->n_trials * (size_t)levels, sizeof *self->recorded, "scheduler", &self->recorded));
    for (int t = 0; t < self->job->n_trials; t++)
        self->trials[t].recorded = self->recorded + (size_t)t * (size_t)levels;
    return CS_OK;
}

static cs_status open_median(cs_scheduler *self) {
    const cs_job *job = self->job;
    int longest = 0;
    for (int t = 0; t < job->n_trials; t++) {
        self->trials[t].best = -INFINITY;
        if (job->trials[t].train.epochs > longest)
            longest = job->trials[t].train.epochs;
    }
    CS_TRY(cs_alloc((size_t)longest, sizeof *self->epochs, "scheduler", &self->epochs));
    for (; self->n_epochs < longest; self->n_epochs++)
        CS_TRY(cs_alloc((size_t)job->n_trials, sizeof(double), "scheduler", &self->epochs[self->n_epochs].values));
    return CS_OK;
}

cs_status cs_scheduler_open(const cs_job *job, cs_scheduler **out) {
    cs_scheduler *self = NULL;
    CS_TRY(cs_alloc(1, sizeof *self, "scheduler", &self));
    self->job = job;
    cs_scheduler_kind kind = job->scheduler.kind;
    cs_status status;
    CS_TRY_GOTO(cs_column_find(job->metric, &self->metric), failed);
    CS_TRY_GOTO(cs_alloc((size_t)job->n_trials, sizeof *self->trials, "scheduler", &self->trials), failed);
    if (kind == CS_SCHEDULER_ASHA || kind == CS_SCHEDULER_HYPERBAND)
        CS_TRY_GOTO(open_halving(self), failed);
    if (kind == CS_SCHEDULER_MEDIAN)
        CS_TRY_GOTO(open_median(self), failed);
    *out = self;
    return CS_OK;
failed:
    cs_scheduler_close(self);
    return status;
}

void cs_scheduler_close(cs_scheduler *self) {
    if (!self)
        return;
    for (int b = 0; self->brackets && b < self->job->scheduler.brackets; b++) {
        for (int k = 0; k < self->brackets[b].n_rungs; k++)
            free(self->brackets[b].rungs[k].values);
        free(self->brackets[b].rungs);
    }
    free(self->brackets);
    free(self->trials);
    free(self->recorded);
    for (int e = 0; e < self->n_epochs; e++)
        free(self->epochs[e].values);
    free(self->epochs);
    free(self);
}

/* Computes numpy.percentile of an ascending list, by linear interpolation and with the same rounding. */
static double percentile(const double *values, int n, double percent) {
    const double half = 0.5, hundred = 100;
    double at = percent / hundred * (n - 1), part = at - floor(at);
    int low = (int)at, high = low + 1 < n ? low + 1 : low;
    double difference = values[high] - values[low];
    return part < half ? values[low] + difference * part : values[high] - difference * (1 - part);
}

static void insert(rung *into, double value) {
    int low = 0, high = into->n++;
    size_t n = (size_t)high;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (into->values[middle] > value)
            high = middle;
        else
            low = middle + 1;
    }
    memmove(&into->values[low + 1], &into->values[low], (n - (size_t)low) * sizeof value);
    into->values[low] = value;
}

/* As _Bracket.on_result of Ray: looks at the highest milestone that was reached and not yet recorded. */
static bool decide_halving(const cs_scheduler *self, progress *trial, int epochs) {
    const cs_scheduler_config *config = &self->job->scheduler;
    const double hundred = 100;
    const bracket *own = &self->brackets[trial->bracket];
    trial->rung = -1;
    if (epochs >= config->max_t)
        return true;
    int k = own->n_rungs - 1;
    while (k >= 0 && (epochs < own->rungs[k].milestone || trial->recorded[k]))
        k--;
    if (k < 0)
        return false;
    rung *reached = &own->rungs[k];
    trial->rung = k;
    trial->recorded[k] = true;
    if (isnan(trial->value))
        return false;
    trial->cutoff =
        reached->n ? percentile(reached->values, reached->n, (1 - 1 / config->reduction_factor) * hundred) : -INFINITY;
    insert(reached, trial->value);
    return trial->value < trial->cutoff;
}

/* Compares with all trials that reached the epoch before; none of them is this trial, which reaches each epoch once. */
static bool decide_median(const cs_scheduler *self, progress *trial, int epochs) {
    const cs_scheduler_config *config = &self->job->scheduler;
    const double percent = 50;
    rung *others = &self->epochs[epochs - 1];
    trial->best = fmax(trial->best, trial->value);
    if (epochs < config->grace_period)
        return false;
    trial->sum += trial->value;
    int n = others->n;
    trial->cutoff = n ? percentile(others->values, n, percent) : -INFINITY;
    if (!isnan(trial->sum))
        insert(others, trial->sum / (epochs - config->grace_period + 1));
    if (n < config->min_samples_required)
        return false;
    trial->value = trial->best;
    return trial->best < trial->cutoff;
}

static void describe(const cs_scheduler *self, const progress *trial, char *out, size_t size) {
    const cs_job *job = self->job;
    const char *name = job->scheduler.kind == CS_SCHEDULER_ASHA ? "asha" : "hyperband";
    double sign = job->maximize ? 1 : -1;
    if (job->scheduler.kind == CS_SCHEDULER_MEDIAN)
        snprintf(out, size, "median: stopped after epoch %d, its best %s %.4g is worse than the median %.4g",
                 trial->stopped_at, job->metric, sign * trial->value, sign * trial->cutoff);
    else if (trial->rung < 0)
        snprintf(out, size, "%s: stopped after epoch %d, max_t", name, trial->stopped_at);
    else
        snprintf(out, size, "%s: stopped after epoch %d, rung %d: %s %.4g is worse than %.4g", name, trial->stopped_at,
                 trial->rung + 1, job->metric, sign * trial->value, sign * trial->cutoff);
}

bool cs_scheduler_decide(cs_scheduler *self, int index, const cs_epoch_row *row, char *reason, size_t size) {
    progress *trial = &self->trials[index];
    cs_scheduler_kind kind = self->job->scheduler.kind;
    int epochs = row->epoch + 1;
    if (kind == CS_SCHEDULER_NONE || kind == CS_SCHEDULER_PBT)
        return false;
    if (epochs > trial->handled && trial->stopped_at == 0) {
        double value = row->value[self->metric->in_epoch];
        trial->value = self->job->maximize ? value : -value;
        bool enough =
            kind == CS_SCHEDULER_MEDIAN ? decide_median(self, trial, epochs) : decide_halving(self, trial, epochs);
        trial->handled = epochs;
        /* A trial at its last epoch need not be stopped. */
        if (enough && epochs < self->job->trials[index].train.epochs)
            trial->stopped_at = epochs;
    }
    if (trial->stopped_at == 0 || epochs < trial->stopped_at)
        return false;
    describe(self, trial, reason, size);
    return true;
}
