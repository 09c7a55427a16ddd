/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: files of which only those of the best trials are kept, such as weights. */
#ifndef CNNSWEEP_KEPT_FILES_H
#define CNNSWEEP_KEPT_FILES_H

#include "results.h"

typedef struct cs_kept_files {
    const char *entry, *suffix; /* of their folder and of their names */
    int most;
    int *trials; /* [n] those whose files are kept */
    int n;
} cs_kept_files;

/* Makes room for the trials of the job. */
CS_MUST_CHECK cs_status cs_kept_files_open(const cs_job *job, const char *entry, const char *suffix, int most,
                                           cs_kept_files *out);
void cs_kept_files_close(cs_kept_files *kept);
/* Adds a trial that has finished. If more than `most` are then kept, the file of the worst is removed. Phases that
 * others go on from do not count. */
CS_MUST_CHECK cs_status cs_kept_files_add(cs_kept_files *kept, const char *folder, const cs_job *job,
                                          const cs_outcome *outcomes, int trial);

#endif
