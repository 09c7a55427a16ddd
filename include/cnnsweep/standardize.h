/* SPDX-License-Identifier: Apache-2.0 */
/* The standardizations of Keras' ImageDataGenerator and of torchvision's Normalize: how the pixels of every split
 * become the network's input, in place of the preprocessing that belongs to the architecture or to its weights.
 *
 * A pixel p in 0..255 becomes with Normalize, which torchvision applies after ToTensor, (p / 255 - mean) / std, with a
 * mean and a std for each channel. With the generator it becomes, in this order (keras 3.15,
 * legacy/preprocessing/image.py, standardize):
 *   x = p * rescale
 *   x -= the mean of this image                   samplewise_center
 *   x /= its standard deviation + 1e-6            samplewise_std_normalization
 *   x -= the mean of the channel                  featurewise_center
 *   x /= its standard deviation + 1e-6            featurewise_std_normalization
 *   the image, as a row of h*w*3 values, times the whitening matrix   zca_whitening
 * Those of a channel, and the matrix, are statistics of the training split alone, of images that are rescaled but
 * neither augmented nor standardized samplewise (fit, there). Standard deviations divide by the number of values. */
#ifndef CNNSWEEP_STANDARDIZE_H
#define CNNSWEEP_STANDARDIZE_H

#include "cnnsweep/status.h"

#include <stdbool.h>
#include <stddef.h>

enum { CS_STANDARDIZE_TEXT = 200 }; /* bytes that hold any text of this header */

/* What is asked for. {0}: nothing. */
typedef struct cs_standardize {
    float rescale; /* 0: pixels keep their values */
    bool samplewise_center, samplewise_std, featurewise_center, featurewise_std, zca;
    bool is_of_keras_2_8;
    float zca_epsilon;
    bool normalize; /* with these; nothing else is on then */
    float mean[3], std[3];
} cs_standardize;

bool cs_standardize_is_on(const cs_standardize *settings);
/* Writes what is asked for: "rescale 0.00392157, featurewise center"; "" if it is nothing. */
void cs_standardize_text(const cs_standardize *settings, char *out, size_t size);

/* What is asked for, with the statistics that it needs. */
typedef struct cs_standardization {
    cs_standardize settings;
    float mean[3], std[3];  /* of each channel of the training split, in 0..255; with featurewise_center */
    const float *whitening; /* [size,size] borrowed: the matrix for images of `size` values; with zca */
} cs_standardization;

/* Writes the same with the statistics. */
void cs_standardization_text(const cs_standardization *standardization, char *out, size_t size);
/* Whether all of it is x[c] = p[c] * multiply[c] + add[c]. */
bool cs_standardization_is_affine(const cs_standardization *standardization);
/* The part of it that comes first and is x[c] = p[c] * multiply[c] + add[c]. */
void cs_standardization_affine(const cs_standardization *standardization, float multiply[3], float add[3]);
/* Does the rest of it to n images of `size` values. What an image becomes does not depend on the others. `scratch` has
 * room for as many images; only zca uses it. */
void cs_standardization_apply(const cs_standardization *standardization, float *images, int n, size_t size,
                              float *scratch);

#endif
