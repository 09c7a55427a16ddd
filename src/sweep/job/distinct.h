/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: which trials are equal by some key. */
#ifndef CNNSWEEP_DISTINCT_H
#define CNNSWEEP_DISTINCT_H

#include "cnnsweep/job.h"

/* index [n]: trials with the same key get the same number. Numbers begin at 0 and follow the order of the first trials
 * that have them, so that they depend on which keys are equal and not on the keys. `found` is how many there are. */
CS_MUST_CHECK cs_status cs_number_distinct(const uint64_t *keys, int n, int *index, int *found);
/* The same for the keys of a job's trials. */
CS_MUST_CHECK cs_status cs_number_trials(const cs_job *job, uint64_t (*key)(const cs_trial_config *trial), int *index,
                                         int *found);

#endif
