/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the files about a finished trial's predictions, which the rank that trained it writes. The
 * coordinator never gets the predictions. */
#ifndef CNNSWEEP_TRIAL_FILES_H
#define CNNSWEEP_TRIAL_FILES_H

#include "cnnsweep/dataset.h"
#include "cnnsweep/job.h"

/* Writes details/<trial>.json and misclassified/<trial>.csv of every split that was evaluated, and of a fold
 * predictions/<trial>.csv of the held-out split. `evaluations` and `bootstrap` are [CS_SPLIT_COUNT]. A phase that
 * others go on from has none of these. When this returns, the files are on the disk. */
CS_MUST_CHECK cs_status cs_trial_files_write(const cs_job *job, const char *folder, int trial,
                                             const cs_evaluation *const *evaluations, const cs_bootstrap *bootstrap,
                                             const cs_dataset *dataset);

#endif
