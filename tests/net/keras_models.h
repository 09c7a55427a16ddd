/* SPDX-License-Identifier: Apache-2.0 */
/* The contents of golden/keras_models.txt; golden/make_keras_models.py describes its lines. */
#ifndef CS_TESTS_KERAS_MODELS_H
#define CS_TESTS_KERAS_MODELS_H

#include "cnnsweep/zoo.h"

enum { KERAS_LAYERS_MAX = 640, KERAS_MODELS_MAX = 48, KERAS_CASES_MAX = 32 };

typedef struct keras_layer {
    char name[CS_NAME_MAX], class_name[CS_NAME_MAX], activation[CS_NAME_MAX];
    int rank, dims[3]; /* of the output */
    size_t params;
    int n_numbers;
    double numbers[4]; /* kernels: limit and deviation of each; dropout: rate, and 1 if it drops whole samples */
} keras_layer;

typedef struct keras_fine_tune {
    int n;
    size_t trainable;
} keras_fine_tune;

typedef struct keras_model {
    cs_model_config config;
    double epsilon, momentum; /* of all batch norms */
    int scale;
    keras_layer layers[KERAS_LAYERS_MAX];
    int n_layers;
    cs_param_counts totals;
    keras_fine_tune fine_tunes[KERAS_CASES_MAX];
    int n_fine_tunes;
} keras_model;

typedef struct keras_same {
    int in, kernel, stride, out, before, after;
} keras_same;

typedef struct keras_golden {
    keras_model models[KERAS_MODELS_MAX];
    int n_models;
    keras_same same[KERAS_CASES_MAX];
    int n_same;
} keras_golden;

/* Fails the test when the file is missing or has a wrong line. */
const keras_golden *keras_golden_load(void);

#endif
