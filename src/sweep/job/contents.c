/* SPDX-License-Identifier: Apache-2.0 */
#include "contents.h"
#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

/* Finds the trial with the same file among `firsts` [n], one trial for each file so far. NULL: there is none. */
static const cs_trial_config *find_same(const cs_job *job, const int *firsts, int n, const cs_trial_config *trial) {
    for (int i = 0; i < n; i++)
        if (strcmp(job->trials[firsts[i]].weights, trial->weights) == 0)
            return &job->trials[firsts[i]];
    return NULL;
}

cs_status cs_job_read_contents(cs_job *job) {
    int *firsts = NULL, n = 0;
    CS_TRY(cs_alloc((size_t)job->n_trials, sizeof *firsts, "weights files", &firsts));
    for (int t = 0; t < job->n_trials; t++) {
        cs_trial_config *trial = &job->trials[t];
        const cs_trial_config *same = find_same(job, firsts, n, trial);
        trial->weights_checksum = same ? same->weights_checksum : 0;
        if (same)
            continue;
        firsts[n++] = t;
        if (trial->weights[0] && cs_checksum_file(trial->weights, &trial->weights_checksum) != CS_OK)
            trial->weights_checksum = 0;
    }
    free(firsts);
    return CS_OK;
}

void cs_job_read_content(cs_job *job, int trial) {
    cs_trial_config *own = &job->trials[trial];
    own->weights_checksum = 0;
    for (int t = 0; t < job->n_trials && own->weights[0]; t++) {
        if (t == trial || strcmp(job->trials[t].weights, own->weights) != 0)
            continue;
        own->weights_checksum = job->trials[t].weights_checksum;
        return;
    }
    if (own->weights[0] && cs_checksum_file(own->weights, &own->weights_checksum) != CS_OK)
        own->weights_checksum = 0;
}

static cs_status check_dataset(const cs_trial_config *trial) {
    cs_dataset *dataset = NULL;
    CS_TRY(cs_dataset_open(trial->data.path, &dataset));
    cs_status status = cs_trial_check_data(trial, dataset);
    cs_dataset_close(dataset);
    return status;
}

cs_status cs_job_check_contents(const cs_job *job) {
    int *firsts = NULL, n = 0;
    CS_TRY(cs_alloc((size_t)job->n_trials, sizeof *firsts, "weights files", &firsts));
    cs_status status = check_dataset(&job->trials[0]);
    for (int t = 0; t < job->n_trials && status == CS_OK; t++) {
        if (find_same(job, firsts, n, &job->trials[t]))
            continue;
        firsts[n++] = t;
        status = cs_trial_check_weights(&job->trials[t]);
    }
    free(firsts);
    return status;
}
