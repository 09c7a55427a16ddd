/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the training room: the statistics of the training split that a standardization needs, as Keras'
 * ImageDataGenerator.fit computes them. They are kept in files beside the features (kept.h), unless the dataset has
 * them. */
#ifndef CNNSWEEP_FIT_H
#define CNNSWEEP_FIT_H

#include "kept.h"

#include "cnnsweep/graph.h"

typedef struct cs_fitted {
    cs_standardization standardization;
    cs_features *whitening; /* what standardization.whitening is borrowed from, or NULL */
} cs_fitted;

/* Makes the standardization that the trial's augmentation asks for, with the statistics of training images of the
 * network's input size. Logs them (info). After a failure the caller still calls cs_fitted_close. */
CS_MUST_CHECK cs_status cs_fit(const cs_trial_config *trial, const cs_dataset *dataset, const cs_graph *graph,
                               const volatile sig_atomic_t *stop, cs_fitted *out);
void cs_fitted_close(cs_fitted *fitted);

#endif
