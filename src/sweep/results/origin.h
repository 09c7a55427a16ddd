/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: checks that a results folder and this run use the same files and settings. Files are compared
 * by their contents, because a path may be spelt differently, be a link or name a copy, and a file may be replaced
 * under its name. */
#ifndef CNNSWEEP_ORIGIN_H
#define CNNSWEEP_ORIGIN_H

#include "journal.h"

/* Makes the member `files` of a start event: {"w.h5": "0123456789abcdef"}, each weights file with its checksum
 * (cs_job_read_contents). NULL: no memory. */
struct json_t *cs_origin_of(const cs_job *job);
/* The checksum, as text, that the last start with this file gave for it; NULL: the journal has none. */
const char *cs_origin_checksum(const cs_journal *journal, const char *path);

/* Checks whether the job can go on with the journal of the folder. CS_ERR_ARG: a weights file that the journal names
 * had contents that no file of the job has now. Its trials would merely become new trials, because keys have the
 * checksum, but a user who replaced a file and gives --resume should know before hours of training. Files that were
 * renamed are found by their contents. CS_ERR_FORMAT: the journal has an earlier format. */
CS_MUST_CHECK cs_status cs_origin_check(const cs_journal *journal, const char *folder, const cs_job *job);
/* CS_ERR_ARG: the journal is of another dataset. */
CS_MUST_CHECK cs_status cs_origin_check_data(const cs_journal *journal, const char *folder, const cs_dataset *dataset);
/* Checks whether this run can go on with config->earlier. CS_ERR_ARG: it is of another part, dataset or precision.
 * Another engine or number of threads gives a warning. */
CS_MUST_CHECK cs_status cs_origin_check_run(const cs_results_config *config);

#endif
