/* SPDX-License-Identifier: Apache-2.0 */
#include "chosen.h"
#include "population.h"
#include "sampler.h"

bool cs_job_chooses(const cs_job *job) {
    return job->sampler || job->population;
}

bool cs_job_is_open(const cs_job *job, int trial) {
    if (job->population)
        return cs_population_is_open(job->population, trial);
    return job->sampler && cs_sampler_is_open(job->sampler, trial);
}

bool cs_job_must_wait(const cs_job *job, int trial) {
    return job->population && cs_population_must_wait(job->population, trial);
}

cs_status cs_job_choose(const cs_job *job, int trial) {
    if (job->population)
        return cs_population_choose(job->population, trial);
    return job->sampler ? cs_sampler_choose(job->sampler, trial) : CS_OK;
}

void cs_job_tell(const cs_job *job, int trial, double result) {
    if (job->population)
        cs_population_ended(job->population, trial, result);
    if (job->sampler)
        cs_sampler_ended(job->sampler, trial, result);
}

void cs_job_get_chosen(const cs_job *job, int trial, cs_chosen *out) {
    *out = (cs_chosen){.before = job->before[trial], .phase = job->trials[trial].phase.before};
    if (job->population)
        cs_population_values(job->population, trial, out->values);
    if (job->sampler)
        cs_sampler_values(job->sampler, trial, out->values);
}

cs_status cs_job_set_chosen(const cs_job *job, int trial, const cs_chosen *chosen) {
    if (job->population)
        return cs_population_set(job->population, trial, chosen);
    return job->sampler ? cs_sampler_set(job->sampler, trial, chosen->values) : CS_OK;
}
