/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: decides which trials end early. Knows no MPI and no files.
 *
 * ASHA and HYPERBAND are the stopping variant of asynchronous successive halving (Li et al. 2018, arXiv:1810.05934)
 * with the cutoff of Ray Tune's AsyncHyperBandScheduler. Rung k is at grace_period * reduction_factor^k epochs. At a
 * rung, a trial's value is compared with those of the trials that reached it before. The trial stops if it is worse
 * than their quantile 1 - 1/reduction_factor, so about one in reduction_factor goes on; every trial stops at max_t.
 * Bracket b has no rungs before k = b. The trials are divided over the brackets in the proportions of Hyperband (Li et
 * al. 2016, arXiv:1603.06560).
 * MEDIAN is Ray Tune's MedianStoppingRule: a trial stops if its best value so far is worse than the median of the other
 * trials' means over the same epochs. NaN is never recorded. */
#ifndef CNNSWEEP_SCHEDULER_H
#define CNNSWEEP_SCHEDULER_H

#include "cnnsweep/job.h"

/* Replaces `auto` by numbers and checks that they fit together. `longest` is the largest number of epochs of a
 * trial. */
CS_MUST_CHECK cs_status cs_scheduler_complete(cs_scheduler_config *config, int longest);

typedef struct cs_scheduler cs_scheduler;
/* For a job without a scheduler, no trial is ever stopped. */
CS_MUST_CHECK cs_status cs_scheduler_open(const cs_job *job, cs_scheduler **out);
void cs_scheduler_close(cs_scheduler *self); /* NULL-safe */

/* Decides whether trial `index` ends with this epoch; if so, `reason` says why. The epochs of a trial must come in
 * order. If a resumed trial repeats an epoch, the decision is the same, and the epoch is recorded once. */
bool cs_scheduler_decide(cs_scheduler *self, int index, const cs_epoch_row *row, char *reason, size_t size);

#endif
