/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: trials whose values are chosen while the sweep is trained, by a method that learns (sampler.h)
 * or in a population (population.h). Such a trial is open until it is handed out to a rank. */
#ifndef CNNSWEEP_CHOSEN_H
#define CNNSWEEP_CHOSEN_H

#include "cnnsweep/job.h"

/* The most options whose values can be chosen, so that they fit into a message. */
enum { CS_SAMPLED_MAX = 64 };

/* What was chosen for a trial. */
typedef struct cs_chosen {
    int before;                    /* the trial that it goes on from; -1: none */
    uint64_t phase;                /* cs_phase_key of that one, which another process may not know */
    double values[CS_SAMPLED_MAX]; /* a row (row.h) */
} cs_chosen;

/* Are values of some trials of the job chosen while it is trained? */
bool cs_job_chooses(const cs_job *job);
bool cs_job_is_open(const cs_job *job, int trial);
/* True if a trial must end before the values of this one can be chosen. */
bool cs_job_must_wait(const cs_job *job, int trial);
/* Chooses the values of the trial if it is open, and makes it. An error other than CS_ERR_NO_MEMORY means that it
 * cannot be trained. Nothing if no values are chosen. */
CS_MUST_CHECK cs_status cs_job_choose(const cs_job *job, int trial);
/* The trial has ended. `result` is its value of job->metric; NaN if it failed. */
void cs_job_tell(const cs_job *job, int trial, double result);
/* What was chosen for a trial that is not open, for another process, which gives it to the trial if it is open there.
 */
void cs_job_get_chosen(const cs_job *job, int trial, cs_chosen *out);
CS_MUST_CHECK cs_status cs_job_set_chosen(const cs_job *job, int trial, const cs_chosen *chosen);

#endif
