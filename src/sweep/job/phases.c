/* SPDX-License-Identifier: Apache-2.0 */
#include "phases.h"
#include "cnnsweep/memory.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char prefix[] = "phases.";

int cs_option_phase(const cs_option *option) {
    bool one = strncmp(option->key, prefix, strlen(prefix)) == 0;
    return one ? (int)strtol(option->key + strlen(prefix), NULL, 10) : 0;
}

int cs_job_phase(const cs_job *job, int trial) {
    int phase = 1;
    while (job->before[trial] >= 0) {
        trial = job->before[trial];
        phase++;
    }
    return phase;
}

int cs_job_epochs(const cs_job *job, int trial) {
    int epochs = 0;
    for (; trial >= 0; trial = job->before[trial])
        epochs += job->trials[trial].train.epochs;
    return epochs;
}

bool cs_job_is_before(const cs_job *job, int trial) {
    return trial >= job->n_last;
}

bool cs_job_keeps_state(const cs_job *job, int trial) {
    return job->run.keep_state.most != 0 || cs_job_is_before(job, trial);
}

cs_status cs_job_alloc_trials(cs_job *job) {
    size_t n = (size_t)job->n_trials;
    CS_TRY(cs_alloc(n, sizeof *job->trials, "trials", &job->trials));
    CS_TRY(cs_alloc(n, sizeof *job->before, "trials", &job->before));
    CS_TRY(cs_alloc(n, sizeof *job->numbers, "trials", &job->numbers));
    CS_TRY(cs_alloc(n, sizeof *job->done, "trials", &job->done));
    CS_TRY(cs_alloc(n, sizeof *job->extended, "trials", &job->extended));
    CS_TRY(cs_alloc(n, sizeof *job->part_of, "trials", &job->part_of));
    for (size_t t = 0; t < n; t++) {
        job->before[t] = -1;
        job->numbers[t] = (int)t;
    }
    return CS_OK;
}

cs_status cs_phase_check_option(const cs_option *option) {
    if (cs_option_is_of_phase(option))
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_ARG, "%s is one for all phases of a trial", option->key),
                   "a phase may change what is trained and how, such as epochs, fine_tune, lr, schedule and augment");
}

/* Adds an option of one phase to those of the job. */
static cs_status add_option(cs_job *job, const cs_option *of_all, int phase, const cs_option **out) {
    size_t capacity = (size_t)job->n_phase_options;
    cs_phase_option *own = NULL;
    CS_TRY(cs_grow(&job->phase_options, &capacity, capacity + 1, sizeof *job->phase_options, "phases"));
    CS_TRY(cs_alloc(1, sizeof *own, "phases", &own));
    job->phase_options[job->n_phase_options++] = own;
    snprintf(own->key, sizeof own->key, "%s%d.%s", prefix, phase, cs_option_short_name(of_all));
    own->option = *of_all;
    own->option.key = own->key;
    own->option.whole_name = true;
    *out = &own->option;
    return CS_OK;
}

cs_status cs_job_find_option(cs_job *job, const char *name, const cs_option **out) {
    size_t length = strlen(prefix);
    char *end;
    if (strncmp(name, prefix, length) != 0)
        return cs_option_find(name, out);
    long phase = strtol(name + length, &end, 10);
    if (!isdigit((unsigned char)name[length]) || *end != '.')
        return cs_hint(cs_fail(CS_ERR_ARG, "'%s' is no option of a phase", name), "such as phases.2.lr");
    if (phase < 1 || phase > job->n_phases)
        return cs_fail(CS_ERR_ARG, "'%s': the trials of this job have %d phase%s, counted from 1", name, job->n_phases,
                       job->n_phases == 1 ? "" : "s");
    CS_TRY(cs_option_find(end + 1, out));
    CS_TRY(cs_phase_check_option(*out));
    for (int i = 0; i < job->n_phase_options; i++) {
        const cs_option *own = &job->phase_options[i]->option;
        if (own->offset == (*out)->offset && cs_option_phase(own) == phase) {
            *out = own;
            return CS_OK;
        }
    }
    return add_option(job, *out, (int)phase, out);
}
