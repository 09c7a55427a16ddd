/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the files about a finished trial's predictions, which the rank that trained it writes. The
 * coordinator never gets the predictions. */
#ifndef CNNSWEEP_TRIAL_FILES_H
#define CNNSWEEP_TRIAL_FILES_H

#include "cnnsweep/dataset.h"
#include "cnnsweep/job.h"

/* What the files are made of; all members are borrowed. */
typedef struct cs_finished_trial {
    int trial;
    double seconds;                          /* that it took */
    const cs_evaluation *const *evaluations; /* [CS_SPLIT_COUNT] NULL for splits that were not evaluated */
    const cs_bootstrap *bootstrap;           /* [CS_SPLIT_COUNT] of the same evaluations */
    const cs_dataset *dataset;
} cs_finished_trial;

/* Writes details/<trial>.json and misclassified/<trial>.csv of every split that was evaluated, and of a fold
 * predictions/<trial>.csv of the held-out split. A phase that others go on from has none of these. The files of a trial
 * of a second or more are then on the disk. */
CS_MUST_CHECK cs_status cs_trial_files_write(const cs_job *job, const char *folder, const cs_finished_trial *trial);

#endif
