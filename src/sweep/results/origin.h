/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: what the numbers of a results folder come from, told by content: a path may be spelt
 * otherwise, be a link or name a copy, and a file may be replaced under its name. */
#ifndef CNNSWEEP_ORIGIN_H
#define CNNSWEEP_ORIGIN_H

#include "journal.h"

/* For the journal's start: {"w.h5": "0123456789abcdef"}, each weights file with its checksum (cs_job_read_contents);
 * NULL: no memory. */
struct json_t *cs_origin_of(const cs_job *job);
/* What a file held at the journal's last start that named it, as text; NULL: the journal does not say. */
const char *cs_origin_held(const cs_journal *journal, const char *path);

/* May the job go on with the journal of the folder? CS_ERR_ARG when a weights file that it names held something then
 * that no file of the job holds now. Its trials would only be other trials, as their keys have the contents; but who
 * replaces a file and says --resume is told so before hours of training. Files that changed their names are found again
 * by their contents. CS_ERR_FORMAT for a journal of an earlier format. */
CS_MUST_CHECK cs_status cs_origin_check(const cs_journal *journal, const char *folder, const cs_job *job);
/* CS_ERR_ARG when the dataset is another one. */
CS_MUST_CHECK cs_status cs_origin_check_data(const cs_journal *journal, const char *folder, const cs_dataset *dataset);
/* May config->earlier be gone on with in this run? CS_ERR_ARG for another part, dataset or precision; another engine or
 * number of threads is warned of. */
CS_MUST_CHECK cs_status cs_origin_check_run(const cs_results_config *config);

#endif
