/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: population-based training (Jaderberg et al. 2017, arXiv:1711.09846), with the names and
 * defaults of Ray Tune's PopulationBasedTraining.
 *
 * The members of the population are trained for perturbation_interval epochs at a time, which is a phase (phases.h): a
 * generation. When all have ended a generation, they are ranked by job->metric. A member of the lowest
 * quantile_fraction goes on from the final state of one of the highest, drawn at random (exploit), with its values,
 * each of which is drawn anew with resample_probability, and else becomes 1.2 or 0.8 times as large, within its range,
 * or the next or previous of listed values (explore). So does a member that failed. The others go on as they are, and
 * the optimizer of all is kept. What is chosen is a function of the results and the seed, whatever the number of ranks,
 * as with Ray's synch=True. */
#ifndef CNNSWEEP_POPULATION_H
#define CNNSWEEP_POPULATION_H

#include "chosen.h"

struct cs_job_reader;
struct cs_node;
/* CS_ERR_ARG if the job has what a population cannot have. Otherwise divides the training of its trials into phases. */
CS_MUST_CHECK cs_status cs_population_prepare(struct cs_job_reader *reader);
/* Sets the epochs of a generation, and that it keeps the optimizer of the one before. */
void cs_generation_apply(const cs_job *job, int generation, cs_trial_config *trial);
/* Opens the population of reader->job, whose trials were made: those of a generation follow one another, the last
 * generation first. Takes over what the reader and `root` own, also if it fails, as the
 * job has the population. */
CS_MUST_CHECK cs_status cs_population_open(struct cs_job_reader *reader, struct cs_node *root, cs_population **out);
void cs_population_close(cs_population *population); /* NULL-safe */

/* The trial that is the member in a generation, from 1. */
int cs_population_trial(const cs_job *job, int member, int generation);

/* See chosen.h. CS_ERR_ARG: all members failed. */
bool cs_population_is_open(const cs_population *population, int trial);
bool cs_population_must_wait(const cs_population *population, int trial);
CS_MUST_CHECK cs_status cs_population_choose(cs_population *population, int trial);
void cs_population_ended(cs_population *population, int trial, double result);
void cs_population_values(const cs_population *population, int trial, double out[CS_SAMPLED_MAX]);
CS_MUST_CHECK cs_status cs_population_set(cs_population *population, int trial, const cs_chosen *chosen);

#endif
