/* SPDX-License-Identifier: Apache-2.0 */
/* Artifacts: files that a finished trial leaves for people to look at, one table row for each kind. This room knows
 * only numbers: no journal, no MPI.
 *
 * To add an artifact: a function and a row in src/report/artifacts.c. Its file is written for every split that the
 * tested weights are evaluated on: <results>/<folder>/<trial>.<suffix> for test, <trial>.val.<suffix> for val and
 * <trial>.train.<suffix> for train. The folder is created, --force removes it, and what the artifact needs of the
 * evaluations is collected and sent. */
#ifndef CNNSWEEP_REPORT_H
#define CNNSWEEP_REPORT_H

#include "cnnsweep/metrics.h"

#include <stdio.h>

/* The input of an artifact; all members are borrowed. */
typedef struct cs_artifact_input {
    const char *title;          /* one line: the job and the values of the trial's swept options */
    const char *const *classes; /* their names */
    int n_classes;
    const char *split;               /* "test": which images were evaluated */
    const cs_evaluation *evaluation; /* of the tested weights; has what the artifact needs */
    cs_bootstrap bootstrap;          /* of the same evaluation */
    const char *history;             /* path of the trial's history/<trial>.csv, which has a row for each epoch */
} cs_artifact_input;

typedef struct cs_artifact {
    const char *name; /* for messages */
    const char *folder, *suffix;
    unsigned needs; /* of an evaluation: CS_NEEDS_* */
    /* Writes the whole file, text or bytes, to `out`, which is in memory. The file is then written to disk as a whole,
     * before the journal says that the trial is done. */
    cs_status (*write)(const cs_artifact_input *input, FILE *out);
} cs_artifact;

const cs_artifact *cs_artifacts(size_t *count);
/* What all artifacts together need: CS_NEEDS_*. */
unsigned cs_artifact_needs(void);

#endif
