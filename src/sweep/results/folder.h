/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the paths in a results folder. */
#ifndef CNNSWEEP_FOLDER_H
#define CNNSWEEP_FOLDER_H

#include "cnnsweep/file.h"
#include "cnnsweep/sweep.h"

/* The results folder by the options, or the default one. */
CS_MUST_CHECK cs_status cs_results_folder(const cs_job *job, const cs_sweep_options *options, char out[CS_PATH_MAX]);
/* Joins a folder and an entry: "trials.csv" gives <folder>/trials.csv. */
CS_MUST_CHECK cs_status cs_results_entry(const char *folder, const char *entry, char out[CS_PATH_MAX]);
/* The file of a trial in a subfolder: "history" and "csv" give <folder>/history/t007.csv. */
CS_MUST_CHECK cs_status cs_results_file(const char *folder, const cs_job *job, const char *entry, int trial,
                                        const char *suffix, char out[CS_PATH_MAX]);
/* The file about a split of the trial of a number: <folder>/details/t007.json for test, t007.val.json and
 * t007.train.json for the others. */
CS_MUST_CHECK cs_status cs_results_split_file(const char *folder, const char *entry, int number, cs_split split,
                                              const char *suffix, char out[CS_PATH_MAX]);
/* Removes the files of an earlier sweep from the folder, and nothing else. Without `force`, any such file is
 * CS_ERR_ARG. */
CS_MUST_CHECK cs_status cs_results_clear(const char *folder, bool force);
/* Creates the subfolders that every sweep has. */
CS_MUST_CHECK cs_status cs_results_make_folders(const char *folder);

#endif
