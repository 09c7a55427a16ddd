/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: where things are in a results folder. */
#ifndef CNNSWEEP_FOLDER_H
#define CNNSWEEP_FOLDER_H

#include "cnnsweep/file.h"
#include "cnnsweep/sweep.h"

/* The folder that the options want. */
CS_MUST_CHECK cs_status cs_results_folder(const cs_job *job, const cs_sweep_options *options, char out[CS_PATH_MAX]);
/* "trials.csv": <folder>/trials.csv */
CS_MUST_CHECK cs_status cs_results_entry(const char *folder, const char *entry, char out[CS_PATH_MAX]);
/* "history" and "csv": <folder>/history/t007.csv */
CS_MUST_CHECK cs_status cs_results_file(const char *folder, const cs_job *job, const char *entry, int trial,
                                        const char *suffix, char out[CS_PATH_MAX]);
/* Removes what a sweep left there, and nothing else; without `force` anything that it left is CS_ERR_ARG. */
CS_MUST_CHECK cs_status cs_results_clear(const char *folder, bool force);
/* Those of histories, checkpoints and artifacts. */
CS_MUST_CHECK cs_status cs_results_make_folders(const char *folder);

#endif
