/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the description of a sweep in the journal. It says whether two folders are of the same sweep,
 * and is enough to print the sweep's rows and table without the job file. */
#ifndef CNNSWEEP_DESCRIPTION_H
#define CNNSWEEP_DESCRIPTION_H

#include "journal.h"

/* A new JSON object; NULL: no memory.
 *   path, sets  the job file and the --set assignments
 *   settings    key: text, for name, sweep.*, table.*, and every option that is not swept and affects the numbers; the
 *               paths of dataset and features are left out
 *   axes        key: the list of values, for every swept option */
struct json_t *cs_description_of(const cs_job *job);

/* Checks that two journals are of the same sweep. CS_ERR_ARG names the first key that differs and both values. Weights
 * files are compared by their contents. */
CS_MUST_CHECK cs_status cs_description_compare(const cs_journal *a, const char *folder_a, const cs_journal *b,
                                               const char *folder_b);
/* Makes the job that the last start of a journal describes, with its trials and their numbers. It serves to print
 * results, not to train. */
CS_MUST_CHECK cs_status cs_description_job(const cs_journal *journal, cs_job **out);
/* The options of a trial, which has a plan line, as far as the description has them: augmentations by name, and no
 * paths of datasets. */
CS_MUST_CHECK cs_status cs_description_config(const cs_journal *journal, const cs_record *record, cs_trial_config *out);

#endif
