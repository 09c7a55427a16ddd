/* SPDX-License-Identifier: Apache-2.0 */
/* What a finished trial leaves as files for people to look at, a row each. Knows numbers alone: no journal, no MPI.
 *
 * To add an artifact: a function and a row in src/report/artifacts.c. Its file is then
 * <results>/<folder>/<trial>.<suffix>; the folder is made, and removed by --force, and what the artifact needs of the
 * test split is collected and sent. */
#ifndef CNNSWEEP_REPORT_H
#define CNNSWEEP_REPORT_H

#include "cnnsweep/metrics.h"

#include <stdio.h>

/* What there is of a trial; all borrowed. */
typedef struct cs_artifact_input {
    const char *title;          /* the job and the trial's swept values, on one line */
    const char *const *classes; /* their names */
    int n_classes;
    const cs_evaluation *test; /* has what the artifact needs; NULL when there is no test split */
    const char *history;       /* path of the trial's history/<trial>.csv, with a row an epoch */
} cs_artifact_input;

typedef struct cs_artifact {
    const char *name; /* for messages */
    const char *folder, *suffix;
    unsigned needs; /* of the test split: CS_NEEDS_* */
    bool (*wanted)(const cs_artifact_input *input);
    /* The whole file, text or bytes, to `out`, which is memory: it reaches the disk as a whole, before the journal says
     * that the trial is done. */
    cs_status (*write)(const cs_artifact_input *input, FILE *out);
} cs_artifact;

const cs_artifact *cs_artifacts(size_t *count);
/* What all of them need: CS_NEEDS_*. */
unsigned cs_artifact_needs(void);

#endif
