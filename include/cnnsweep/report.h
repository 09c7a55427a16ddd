/* SPDX-License-Identifier: Apache-2.0 */
/* Artifacts: files that a finished trial leaves for people to look at, one table row for each kind. This room knows
 * only numbers: no journal, no MPI.
 *
 * To add an artifact: a function and a row in src/report/artifacts.c. Its file is then
 * <results>/<folder>/<trial>.<suffix>. The folder is created, --force removes it, and what the artifact needs of the
 * test split is collected and sent. */
#ifndef CNNSWEEP_REPORT_H
#define CNNSWEEP_REPORT_H

#include "cnnsweep/metrics.h"

#include <stdio.h>

/* The input of an artifact; all members are borrowed. */
typedef struct cs_artifact_input {
    const char *title;          /* one line: the job and the values of the trial's swept options */
    const char *const *classes; /* their names */
    int n_classes;
    const cs_evaluation *test; /* has what the artifact needs; NULL when there is no test split */
    const char *history;       /* path of the trial's history/<trial>.csv, which has a row for each epoch */
} cs_artifact_input;

typedef struct cs_artifact {
    const char *name; /* for messages */
    const char *folder, *suffix;
    unsigned needs; /* of the test split: CS_NEEDS_* */
    bool (*wanted)(const cs_artifact_input *input);
    /* Writes the whole file, text or bytes, to `out`, which is in memory. The file is then written to disk as a whole,
     * before the journal says that the trial is done. */
    cs_status (*write)(const cs_artifact_input *input, FILE *out);
} cs_artifact;

const cs_artifact *cs_artifacts(size_t *count);
/* What all artifacts together need: CS_NEEDS_*. */
unsigned cs_artifact_needs(void);

#endif
