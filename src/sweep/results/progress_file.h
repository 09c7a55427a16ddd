/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: progress.json, what a running sweep trains at the moment, for `cnnsweep status`. It has what
 * the journal cannot have, and nothing depends on it: it is replaced every other second, never synced, and removed when
 * the sweep ends. */
#ifndef CNNSWEEP_PROGRESS_FILE_H
#define CNNSWEEP_PROGRESS_FILE_H

#include "cnnsweep/job.h"

typedef struct cs_trial_progress {
    char trial[32];
    int rank;
    int epoch, epochs;        /* the epoch that it is in, from 1; its last one. 0: it has not begun */
    int batch, batches;       /* 0: not known yet */
    double images_per_second; /* 0: not known yet */
    double seconds_left;      /* NaN: not known yet */
} cs_trial_progress;

typedef struct cs_progress_file {
    double time; /* when it was written, in seconds since 1970 */
    char host[64];
    double seconds_left; /* of the sweep; NaN: not known yet */
    int n;
    cs_trial_progress *trials; /* [n] */
} cs_progress_file;

CS_MUST_CHECK cs_status cs_progress_file_write(const char *folder, const cs_progress_file *progress);
/* Makes an empty one that was written now on this host. */
void cs_progress_file_begin(cs_progress_file *out);
void cs_progress_file_clear(cs_progress_file *progress); /* frees the trials */
/* n is 0 and time 0 if there is no such file, or none that can be read. */
CS_MUST_CHECK cs_status cs_progress_file_read(const char *folder, cs_progress_file *out);
CS_MUST_CHECK cs_status cs_progress_file_remove(const char *folder);

#endif
