/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: which trials of a job are equal by some key. */
#ifndef CNNSWEEP_DISTINCT_H
#define CNNSWEEP_DISTINCT_H

#include "cnnsweep/job.h"

/* index [n_trials]: trials with the same key get the same number. Numbers begin at 0 and follow the order of the first
 * trials that have them, so that they depend on which keys are equal and not on the keys. `n` is how many there are. */
CS_MUST_CHECK cs_status cs_number_distinct(const cs_job *job, uint64_t (*key)(const cs_trial_config *trial), int *index,
                                           int *n);

#endif
