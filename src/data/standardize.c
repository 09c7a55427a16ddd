/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/standardize.h"
#include "cnnsweep/text.h"
#include "cnnsweep/whitening.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double tiny = 1e-6; /* Keras adds it to every standard deviation */

bool cs_standardize_is_on(const cs_standardize *settings) {
    return settings->rescale != 0 || settings->samplewise_center || settings->featurewise_center || settings->normalize;
}

typedef struct writer {
    char *out;
    size_t size, used;
} writer;

static void put(writer *to, const char *text) {
    if (to->used < to->size)
        to->used += (size_t)snprintf(to->out + to->used, to->size - to->used, "%s", text);
}

/* Appends an item to a list with commas, if it is on: a name and n numbers. */
static void append(writer *to, bool is_on, const char *name, const float *numbers, int n) {
    if (!is_on)
        return;
    put(to, to->used > 0 ? ", " : "");
    put(to, name);
    for (int i = 0; i < n; i++) {
        char number[16];
        cs_float_text(numbers[i], number, sizeof number);
        put(to, " ");
        put(to, number);
    }
}

/* `n` is 3 with the statistics of the channels, and 0 without. */
static void write_text(const cs_standardization *standardization, int n, char *out, size_t size) {
    const cs_standardize *settings = &standardization->settings;
    writer to = {out, size, 0};
    out[0] = '\0';
    append(&to, settings->normalize, "normalize mean", settings->mean, 3);
    append(&to, settings->normalize, "std", settings->std, 3);
    append(&to, settings->rescale != 0, "rescale", &settings->rescale, 1);
    append(&to, settings->samplewise_center, "samplewise center", NULL, 0);
    append(&to, settings->samplewise_std, "samplewise std", NULL, 0);
    append(&to, settings->featurewise_center, "featurewise center", standardization->mean, n);
    append(&to, settings->featurewise_std, "featurewise std", standardization->std, n);
    append(&to, settings->zca, settings->is_of_keras_2_8 ? "keras2.8 zca epsilon" : "zca epsilon",
           &settings->zca_epsilon, 1);
}

void cs_standardize_text(const cs_standardize *settings, char *out, size_t size) {
    const cs_standardization standardization = {.settings = *settings};
    write_text(&standardization, 0, out, size);
}

void cs_standardization_text(const cs_standardization *standardization, char *out, size_t size) {
    write_text(standardization, 3, out, size);
}

bool cs_standardization_is_affine(const cs_standardization *standardization) {
    return !standardization->settings.samplewise_center && !standardization->settings.zca;
}

/* Centres and scales the channels: x[c] = x[c] * multiply[c] + add[c] of images that were rescaled before. */
static void featurewise(const cs_standardization *standardization, float multiply[3], float add[3]) {
    const cs_standardize *settings = &standardization->settings;
    const double rescale = settings->rescale != 0 ? (double)settings->rescale : 1;
    for (int c = 0; c < 3; c++) {
        double divide = settings->featurewise_std ? rescale * (double)standardization->std[c] + tiny : 1;
        double mean = settings->featurewise_center ? rescale * (double)standardization->mean[c] : 0;
        multiply[c] = (float)(1 / divide);
        add[c] = (float)(0 - mean / divide);
    }
}

/* In floats, so that ImageNet's mean and std give what cs_preprocess_of(CS_PREPROCESS_TORCH) gives. */
static void normalize(const cs_standardize *settings, float multiply[3], float add[3]) {
    for (int c = 0; c < 3; c++) {
        multiply[c] = 1 / (255 * settings->std[c]);
        add[c] = -settings->mean[c] / settings->std[c];
    }
}

void cs_standardization_affine(const cs_standardization *standardization, float multiply[3], float add[3]) {
    const float rescale = standardization->settings.rescale;
    if (standardization->settings.normalize) {
        normalize(&standardization->settings, multiply, add);
        return;
    }
    for (int c = 0; c < 3; c++) {
        multiply[c] = 1;
        add[c] = 0;
    }
    if (cs_standardization_is_affine(standardization))
        featurewise(standardization, multiply, add);
    for (int c = 0; c < 3 && rescale != 0; c++)
        multiply[c] *= rescale;
}

static double mean_of(const float *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i];
    return sum / (double)n;
}

static double std_of(const float *x, size_t n) {
    const double mean = mean_of(x, n);
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += ((double)x[i] - mean) * ((double)x[i] - mean);
    return sqrt(sum / (double)n);
}

static void samplewise(const cs_standardize *settings, float *x, size_t n) {
    const float mean = (float)mean_of(x, n);
    for (size_t i = 0; i < n; i++)
        x[i] -= mean;
    const float divide = settings->samplewise_std ? (float)(std_of(x, n) + tiny) : 1;
    for (size_t i = 0; i < n; i++)
        x[i] /= divide;
}

void cs_standardization_apply(const cs_standardization *standardization, float *images, int n, size_t size,
                              float *scratch) {
    const cs_standardize *settings = &standardization->settings;
    float multiply[3], add[3];
    featurewise(standardization, multiply, add);
    for (float *image = images; image < images + (size_t)n * size; image += size) {
        if (settings->samplewise_center)
            samplewise(settings, image, size);
        for (size_t i = 0; i < size; i += 3)
            for (size_t c = 0; c < 3; c++)
                image[i + c] = image[i + c] * multiply[c] + add[c];
    }
    if (settings->zca) {
        cs_whitening_apply(standardization->whitening, size, images, n, scratch);
        memcpy(images, scratch, (size_t)n * size * sizeof *images);
    }
}
