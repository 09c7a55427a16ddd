/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: chooses the values of trials while the sweep is trained, for methods that learn.
 *
 * Before training, each trial has the values that method random draws, so that the plan checks and estimates what may
 * come. A trial is open until it is handed out, and then gets the values that it is trained with. Those of the first
 * trials are the drawn ones. The values are a function of the seed, the trial, and what is known of other trials then.
 *
 * No two cells (job.h) have the same values. A method that suggests those of an earlier cell is
 * asked again, and in the end a cell takes drawn values that no other has. Optuna would train such a cell twice; here
 * the result would have the same bits.
 *
 * A cell is under way until all its trials have ended; its result is their mean. */
#ifndef CNNSWEEP_SAMPLER_H
#define CNNSWEEP_SAMPLER_H

#include "chosen.h"

struct cs_job_reader;
struct cs_node;
/* Opens the sampler of reader->job, whose trials have been drawn. Takes over what the reader and `root` own, unless it
 * fails. */
CS_MUST_CHECK cs_status cs_sampler_open(struct cs_job_reader *reader, struct cs_node *root, cs_sampler **out);
void cs_sampler_close(cs_sampler *sampler); /* NULL-safe */

/* True if the values of the trial are still to be chosen. */
bool cs_sampler_is_open(const cs_sampler *sampler, int trial);
/* Chooses the values of the trial if it is open, and makes the trial in the job. It is then under way. An error other
 * than CS_ERR_NO_MEMORY means that these values cannot be trained. */
CS_MUST_CHECK cs_status cs_sampler_choose(cs_sampler *sampler, int trial);
/* The trial has ended. `result` is its value of job->metric; NaN if it failed. */
void cs_sampler_ended(cs_sampler *sampler, int trial, double result);

/* Copies the values of a trial that is not open, for another process. */
void cs_sampler_values(const cs_sampler *sampler, int trial, double out[CS_SAMPLED_MAX]);
/* Gives the trial values that another process chose, if it is open. */
CS_MUST_CHECK cs_status cs_sampler_set(cs_sampler *sampler, int trial, const double values[CS_SAMPLED_MAX]);
/* Gives an open trial the values that an earlier run chose: a text for each of job->swept, NULL for none. `fits`: the
 * job still has these values, and the trial has that cs_trial_key. Else it stays open. */
CS_MUST_CHECK cs_status cs_sampler_restore(cs_sampler *sampler, int trial, const char *const *texts, uint64_t key,
                                           bool *fits);

#endif
