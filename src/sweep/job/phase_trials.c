/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the trials of phases. */
#include "cnnsweep/memory.h"
#include "distinct.h"
#include "job_reader.h"
#include "phases.h"

#include <stdlib.h>
#include <string.h>

/* The phases of all trials while they are compared. */
typedef struct maker {
    cs_job_reader *reader;
    cs_configure_phase *configure;
    cs_trial_config *configs; /* [n_last] of one phase */
    uint64_t *before;         /* [n_last] cs_phase_key of the phase before that one; 0: there is none */
    uint64_t *keys;           /* [n_last] */
    int *nodes;               /* [n_phases,n_last] the number of each phase among the different ones of its kind */
    int *n_nodes;             /* [n_phases] */
} maker;

/* Fills in phase `phase` of trial t. */
static cs_status fill_config(maker *m, int t, int phase) {
    cs_trial_config *config = &m->configs[t];
    CS_TRY(m->configure(m->reader, t, phase, config));
    config->phase.before = m->before[t];
    return CS_OK;
}

/* Each trial has a phase of its own. */
static void number_apart(maker *m, int phase) {
    int n = m->reader->job->n_last, *nodes = m->nodes + (size_t)(phase - 1) * (size_t)n;
    for (int t = 0; t < n; t++)
        nodes[t] = t;
    m->n_nodes[phase - 1] = n;
}

/* Numbers the different ones of a phase before the last. Members of a population are all different. */
static cs_status number_phase(maker *m, int phase) {
    int n = m->reader->job->n_last;
    if (m->reader->job->scheduler.kind == CS_SCHEDULER_PBT) {
        number_apart(m, phase);
        return CS_OK;
    }
    for (int t = 0; t < n; t++)
        m->keys[t] = cs_trial_key(&m->configs[t]);
    return cs_number_distinct(m->keys, n, m->nodes + (size_t)(phase - 1) * (size_t)n, &m->n_nodes[phase - 1]);
}

/* The index in job->trials of the first trial of a phase: those of later phases come first. */
static int first_of(const maker *m, int phase) {
    int first = 0;
    for (int later = m->reader->job->n_phases; later > phase; later--)
        first += m->n_nodes[later - 1];
    return first;
}

/* Adds the trials of a phase, the values of whose options are those of the first trial that has it. */
static void add_trials(const maker *m, int phase) {
    cs_job *job = m->reader->job;
    size_t n = (size_t)job->n_last, swept = (size_t)job->n_swept;
    const int *nodes = m->nodes + (size_t)(phase - 1) * n, *before = nodes - n;
    for (int t = job->n_last - 1; t >= 0; t--) {
        int at = first_of(m, phase) + nodes[t];
        int *indices = job->value_indices + (size_t)at * swept;
        job->trials[at] = m->configs[t];
        job->before[at] = phase > 1 ? first_of(m, phase - 1) + before[t] : -1;
        memmove(indices, job->value_indices + (size_t)t * swept, swept * sizeof *indices);
        for (size_t i = 0; i < swept; i++)
            if (cs_option_phase(job->swept[i].option) > phase)
                indices[i] = CS_NO_VALUE;
    }
}

/* Goes through the phases up to `last`: to number them, or with `add` to add their trials. */
static cs_status go_through(maker *m, int last, bool add) {
    int n = m->reader->job->n_last;
    memset(m->before, 0, (size_t)n * sizeof *m->before);
    for (int phase = 1; phase <= last; phase++) {
        for (int t = 0; t < n; t++)
            CS_TRY(fill_config(m, t, phase));
        if (add)
            add_trials(m, phase);
        else
            CS_TRY(number_phase(m, phase));
        for (int t = 0; t < n && phase < m->reader->job->n_phases; t++)
            m->before[t] = cs_phase_key(&m->configs[t]);
    }
    return CS_OK;
}

static cs_status make(maker *m) {
    cs_job *job = m->reader->job;
    size_t n = (size_t)job->n_last, all = (size_t)job->n_phases, capacity = n * (size_t)job->n_swept;
    CS_TRY(cs_alloc(n, sizeof *m->configs, "phases", &m->configs));
    CS_TRY(cs_alloc(n, sizeof *m->before, "phases", &m->before));
    CS_TRY(cs_alloc(n, sizeof *m->keys, "phases", &m->keys));
    CS_TRY(cs_alloc(n * all, sizeof *m->nodes, "phases", &m->nodes));
    CS_TRY(cs_alloc(all, sizeof *m->n_nodes, "phases", &m->n_nodes));
    number_apart(m, job->n_phases);
    CS_TRY(go_through(m, job->n_phases - 1, false));
    job->n_trials = first_of(m, 0);
    CS_TRY(cs_grow(&job->value_indices, &capacity, (size_t)job->n_trials * (size_t)job->n_swept + 1,
                   sizeof *job->value_indices, "trials"));
    CS_TRY(cs_job_alloc_trials(job));
    return go_through(m, job->n_phases, true);
}

cs_status cs_phases_make(cs_job_reader *reader, cs_configure_phase *configure) {
    maker m = {.reader = reader, .configure = configure};
    reader->job->n_last = reader->job->n_trials;
    cs_status status = make(&m);
    free(m.configs);
    free(m.before);
    free(m.keys);
    free(m.nodes);
    free(m.n_nodes);
    return status;
}
