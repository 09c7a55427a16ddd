/* SPDX-License-Identifier: Apache-2.0 */
/* train.mode features: the frozen part of a network runs once over all images, and what it gives is kept in a file. */
#ifndef CNNSWEEP_EXTRACT_H
#define CNNSWEEP_EXTRACT_H

#include "cnnsweep/features.h"
#include "cnnsweep/train.h"

/* CS_ERR_INTERRUPTED when the flag (may be NULL) is set. */
CS_MUST_CHECK cs_status cs_check_stop(const volatile sig_atomic_t *stop);

/* A trial's network, its weights and its images; all borrowed. */
typedef struct cs_base {
    const cs_trial_config *trial;
    const cs_dataset *dataset;
    const cs_graph *graph;
    const cs_params *params;
    const char *engine; /* its label */
} cs_base;

/* The features of the layers before cs_trial_cut: those of the file if it is there, else they are computed. Of several
 * processes that want the same ones at once, one computes and the others wait. */
CS_MUST_CHECK cs_status cs_extract(cs_engine *engine, const cs_base *base, const volatile sig_atomic_t *stop,
                                   cs_features **out);

#endif
