/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: what a sweep is, as the journal keeps it: enough to tell whether two folders are of the same
 * sweep, and to print its rows and its table without the job file. */
#ifndef CNNSWEEP_DESCRIPTION_H
#define CNNSWEEP_DESCRIPTION_H

#include "journal.h"

/* A new JSON object; NULL: no memory.
 *   path, sets  where the job came from
 *   settings    by key, as text: name, sweep.*, table.*, and every option that is not swept and that numbers depend on,
 *               but for where dataset and features lie
 *   axes        by key: the values in their order */
struct json_t *cs_description_of(const cs_job *job);

/* CS_ERR_ARG with the first key that differs, and both values. Weights files are compared by what they hold. */
CS_MUST_CHECK cs_status cs_description_compare(const cs_journal *a, const char *folder_a, const cs_journal *b,
                                               const char *folder_b);
/* The job that a journal's last start told of, with its trials and numbers, to print; not to train. */
CS_MUST_CHECK cs_status cs_description_job(const cs_journal *journal, cs_job **out);

#endif
