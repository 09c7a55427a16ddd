/* SPDX-License-Identifier: Apache-2.0 */
/* ask_tell RANKS JOB.yaml [KEY=VALUE...]: a search without training. Prints the values of each trial when it is handed
 * out, as "fine_tune=4 augment=none", and reads its result from standard input: job->metric, or nan for a failed trial.
 * So many trials are under way at a time as there are ranks; the first of them ends first. */
#include "cnnsweep/job.h"
#include "cnnsweep/log.h"
#include "sampler.h"

#include <stdio.h>
#include <stdlib.h>

static cs_status hand_out(cs_job *job, int trial) {
    char text[CS_VALUE_MAX * 2];
    if (job->sampler)
        CS_TRY(cs_sampler_choose(job->sampler, trial));
    cs_job_describe_trial(job, trial, text, sizeof text);
    puts(text);
    return fflush(stdout) == 0 ? CS_OK : cs_fail_errno("standard output");
}

static cs_status end(cs_job *job, int trial) {
    char text[64];
    if (scanf("%63s", text) != 1)
        return cs_fail(CS_ERR_IO, "no result of trial %d", trial);
    if (job->sampler)
        cs_sampler_ended(job->sampler, trial, strtod(text, NULL));
    return CS_OK;
}

static cs_status search(cs_job *job, int ranks) {
    int ended = 0;
    for (int t = 0; t < job->n_trials; t++) {
        if (t - ended == ranks)
            CS_TRY(end(job, ended++));
        CS_TRY(hand_out(job, t));
    }
    while (ended < job->n_trials)
        CS_TRY(end(job, ended++));
    return CS_OK;
}

int main(int argc, char **argv) {
    cs_job *job = NULL;
    if (argc < 3)
        return 2;
    cs_status status = cs_job_read(argv[2], (const char *const *)argv + 3, argc - 3, &job);
    if (status == CS_OK)
        status = search(job, (int)strtol(argv[1], NULL, 10));
    if (status != CS_OK)
        cs_log_error_last();
    cs_job_free(job);
    return status == CS_OK ? 0 : 1;
}
