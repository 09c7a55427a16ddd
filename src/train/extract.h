/* SPDX-License-Identifier: Apache-2.0 */
/* train.mode features: the frozen part of a network runs once over all images, and its outputs are kept in a file. */
#ifndef CNNSWEEP_EXTRACT_H
#define CNNSWEEP_EXTRACT_H

#include "cnnsweep/features.h"
#include "cnnsweep/train.h"

/* A trial's network, weights and images; all members are borrowed. */
typedef struct cs_base {
    const cs_trial_config *trial;
    const cs_dataset *dataset;
    const cs_graph *graph;
    const cs_params *params;
    const cs_standardization *standardization; /* of the trial's augmentation */
    const char *engine;                        /* cs_engine_label of the engine */
} cs_base;

/* Gets the outputs of the layers before cs_trial_cut: reads them from the file if it exists, else computes them and
 * writes the file. If several processes need the same features at once, one computes them and the others wait. */
CS_MUST_CHECK cs_status cs_extract(cs_engine *engine, const cs_base *base, const volatile sig_atomic_t *stop,
                                   cs_features **out);

#endif
