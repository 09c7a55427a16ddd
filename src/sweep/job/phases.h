/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the phases of a job's trials. A phase is a trial of its own, which goes on from the tested
 * weights of the phase before. A phase that several trials have in common is trained once. */
#ifndef CNNSWEEP_PHASES_H
#define CNNSWEEP_PHASES_H

#include "job_reader.h"

/* An option of one phase: a copy of the row of the option, with a key of its own. */
typedef struct cs_phase_option {
    cs_option option;
    char key[CS_NAME_MAX];
    const cs_node *given; /* where the job file sweeps it; only while the file is read */
} cs_phase_option;

/* CS_ERR_ARG if the option is one for all phases. */
CS_MUST_CHECK cs_status cs_phase_check_option(const cs_option *option);
/* Reads phases: of a job file, a list of maps of options. */
CS_MUST_CHECK cs_status cs_job_read_phases(cs_job_reader *reader, const cs_node *key, const cs_node *value);
/* Sets what the map of the phase, from 1, says. Nothing if the job has no phases. */
CS_MUST_CHECK cs_status cs_phase_apply(const cs_job_reader *reader, int phase, cs_trial_config *trial);
/* The node that sets the option in that phase; NULL: it has the value of all phases. */
const cs_node *cs_phase_given(const cs_job_reader *reader, int phase, const cs_option *option);
/* Makes the phases before the last one trials of their own: job->trials has those of the last, [n_last]. `configure`
 * fills in the trial that is a given phase of one of these. */
typedef cs_status cs_configure_phase(const cs_job_reader *reader, int trial, int phase, cs_trial_config *out);
CS_MUST_CHECK cs_status cs_phases_make(cs_job_reader *reader, cs_configure_phase *configure);

#endif
