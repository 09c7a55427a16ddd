/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: what the journals of one or several results folders of a sweep say together. The folders may
 * be those of its parts, and programs may still be training into them. */
#ifndef CNNSWEEP_COLLECTION_H
#define CNNSWEEP_COLLECTION_H

#include "hits.h"
#include "job/column.h"
#include "journal.h"

#include <sys/stat.h>

/* What the journal of one folder says of a trial. */
typedef struct cs_folder_trial {
    uint64_t key;
    int part, epochs; /* the part that trains it; how many epochs are done */
    cs_trial_state state;
    double value; /* OK: the value of the table's metric */
} cs_folder_trial;

typedef struct cs_collected_folder {
    const char *path; /* borrowed */
    struct stat info; /* to find the same folder under another name */
    int part, parts, ranks, groups;
    cs_folder_trial *trials;       /* [job->n_trials] */
    double first_start, last_time; /* as in cs_journal */
} cs_collected_folder;

/* The course of a trial in the folder whose outcome counts, or, before it has one, in which it has epochs. */
typedef struct cs_collected_trial {
    int from;   /* the index of the folder */
    int number; /* that of its files in that folder */
    int group, group_rank;
    double begun, ended; /* these four are as in cs_record */
    cs_epoch_row *epochs;
    size_t n_epochs;
} cs_collected_trial;

typedef struct cs_collection {
    cs_collected_folder *folders; /* [n] the folders in which a sweep has begun */
    int n;
    cs_journal *first; /* that of folders[0]; the others are compared with it */
    cs_job *job;
    const cs_column *metric;    /* the metric of the table */
    cs_outcome *outcomes;       /* [job->n_trials] */
    cs_collected_trial *trials; /* [job->n_trials] */
    cs_best_hits hits;
} cs_collection;

/* Reads the folders. A folder of another job file, of other samples or of no sweep is an error. To be closed also after
 * a failure. */
CS_MUST_CHECK cs_status cs_collection_open(const char *const *paths, int n, const cs_collect_options *options,
                                           cs_collection *out);
void cs_collection_close(cs_collection *collection);
/* In how many folders the trial has ended. */
int cs_collection_count_outcomes(const cs_collection *collection, int trial);
/* The deepest folder that contains all paths, as they are written. */
CS_MUST_CHECK cs_status cs_common_parent(const char *const *paths, int n, char out[CS_PATH_MAX]);

#endif
