/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: which trials end early. Knows no MPI and no files.
 *
 * ASHA and HYPERBAND are the stopping variant of asynchronous successive halving (Li et al. 2018, arXiv:1810.05934)
 * with the cutoff of Ray Tune's AsyncHyperBandScheduler: at rungs of grace_period * reduction_factor^k epochs a trial's
 * value is compared with those that came to the rung before it; it stops when it is worse than their quantile 1 -
 * 1/reduction_factor (of the better ones 1/reduction_factor), and at max_t. Bracket b has no rung before k = b; the
 * trials are dealt out to the brackets in the proportions of Hyperband (Li et al. 2016, arXiv:1603.06560).
 * MEDIAN is Ray Tune's MedianStoppingRule: a trial stops when its best value so far is worse than the median of the
 * other trials' means over the same epochs. NaN is recorded nowhere. */
#ifndef CNNSWEEP_SCHEDULER_H
#define CNNSWEEP_SCHEDULER_H

#include "cnnsweep/job.h"

/* Puts numbers where the job says auto and checks that they go together; `longest`: most epochs of a trial. */
CS_MUST_CHECK cs_status cs_scheduler_complete(cs_scheduler_config *config, int longest);

typedef struct cs_scheduler cs_scheduler;
/* Of a job without a scheduler it never stops anything. */
CS_MUST_CHECK cs_status cs_scheduler_open(const cs_job *job, cs_scheduler **out);
void cs_scheduler_close(cs_scheduler *self); /* NULL-safe */

/* Has trial `index` had enough with this epoch? Then `reason` is filled. Epochs of a trial come in order; one that was
 * judged before (a trial that resumes) gets the same answer and is recorded once. */
bool cs_scheduler_judge(cs_scheduler *self, int index, const cs_epoch_row *row, char *reason, size_t size);

#endif
