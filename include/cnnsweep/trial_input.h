/* SPDX-License-Identifier: Apache-2.0 */
/* Single images as a trial's network gets them when the trial is tested: filtered, resized, augmented by
 * data.val_augment, and preprocessed or standardized. The numbers are those of the trainer. */
#ifndef CNNSWEEP_TRIAL_INPUT_H
#define CNNSWEEP_TRIAL_INPUT_H

#include "cnnsweep/train.h"

typedef struct cs_trial_input cs_trial_input;

/* All are borrowed. `dataset` is the one that the trial was trained on, the splits of its fold; NULL: images are
 * resized bilinearly, and a standardization by statistics of the training split is CS_ERR_ARG. */
CS_MUST_CHECK cs_status cs_trial_input_open(const cs_trial_config *trial, const cs_dataset *dataset,
                                            const cs_graph *graph, cs_trial_input **out);
void cs_trial_input_close(cs_trial_input *input); /* NULL-safe */

/* Sets `values` [H,W,3] to the network's input for a sample of the dataset, and `pixels` [H,W,3] to the image of which
 * it is made, before preprocessing. */
CS_MUST_CHECK cs_status cs_trial_input_sample(cs_trial_input *input, cs_split split, int64_t sample, uint8_t *pixels,
                                              float *values);
/* The same for an image file. It is decoded, filtered and resized as cnnsweep-pack did for the dataset before. */
CS_MUST_CHECK cs_status cs_trial_input_file(cs_trial_input *input, const char *path, uint8_t *pixels, float *values);

#endif
