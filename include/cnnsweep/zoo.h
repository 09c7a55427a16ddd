/* SPDX-License-Identifier: Apache-2.0 */
/* The architectures, by name. To add one: a file in src/net/zoo/ and a row in src/net/zoo/zoo.c. */
#ifndef CNNSWEEP_ZOO_H
#define CNNSWEEP_ZOO_H

#include "cnnsweep/head.h"

/* The kernels that are regularized: those of the head, or all. */
typedef enum cs_regularize { CS_REGULARIZE_HEAD, CS_REGULARIZE_ALL } cs_regularize;

typedef struct cs_model_config {
    char arch[CS_NAME_MAX];
    cs_dialect dialect;
    int input_h, input_w, input_c;
    int classes; /* > 0: the head is added and ends in `classes` logits; 0: no head (no-top) */
    float alpha; /* width multiplier where the architecture has one, else 1 */
    /* The layers on top, in order, separated by commas: gap, flatten, dropout, dropout:RATE, dense:UNITS,
     * dense:UNITS:relu, and last a plain dense, which gets `classes` units. "top" alone is the classifier that the
     * architecture was published with, under its own names. "" is the architecture's usual head. */
    char head[CS_HEAD_TEXT_MAX];
    float dropout;          /* rate of the head's plain `dropout` layers */
    float l1, l2, max_norm; /* for the kernels that `regularize` names, see cs_layer */
    cs_regularize regularize;
    bool pretrained; /* for ImageNet's weights: EfficientNet then rescales its input a second time, as in Keras */
} cs_model_config;

typedef struct cs_zoo_entry {
    const char *name;
    cs_dialect dialect; /* rows with the same name and different dialects are adjacent, the default dialect first */
    const char *doc;
    int min_size;                                                                 /* smallest height and width */
    cs_status (*build)(cs_graph *graph, const cs_model_config *config, int *top); /* *top = last layer built */
    const char *default_head;
    cs_status (*add_top)(cs_graph *graph, int classes, int *x); /* adds the head "top"; NULL: there is none */
} cs_zoo_entry;

const cs_zoo_entry *cs_zoo_entries(size_t *count);

/* The dialect of the network that cs_model_build would build; CS_DIALECT_ANY if it would fail. */
cs_dialect cs_model_dialect(const cs_model_config *config);
/* Fills `config` with the defaults: alpha 1, 224x224x3, no head, the architecture's first dialect. */
void cs_model_config_init(cs_model_config *config);

/* Builds the graph of `config`, with all layers trainable. Unknown names, inputs that are too small and bad heads are
 * CS_ERR_ARG. */
CS_MUST_CHECK cs_status cs_model_build(const cs_model_config *config, cs_graph **out);

#endif
