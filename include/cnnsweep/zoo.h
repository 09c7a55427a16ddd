/* SPDX-License-Identifier: Apache-2.0 */
/* The architectures, by name. To add one: a file in src/net/zoo/ and a row in src/net/zoo/zoo.c. */
#ifndef CNNSWEEP_ZOO_H
#define CNNSWEEP_ZOO_H

#include "cnnsweep/head.h"

typedef struct cs_model_config {
    char arch[CS_NAME_MAX];
    cs_dialect dialect;
    int input_h, input_w, input_c;
    int classes; /* > 0: the head is added and ends in `classes` logits; 0: no head (no-top) */
    float alpha; /* width multiplier where the architecture has one, else 1 */
    /* The layers on top, in order, comma-separated: gap, flatten, dropout, dropout:RATE, dense:UNITS,
     * dense:UNITS:relu, and last a plain dense, which gets `classes` units. "top" alone = the classifier that the
     * architecture was published with, under its names. "" = the architecture's usual head. */
    char head[CS_HEAD_TEXT_MAX];
    float dropout;   /* rate of plain `dropout` layers of the head */
    float l2;        /* of the head's kernels, see cs_layer.l2 */
    bool pretrained; /* for ImageNet's weights: EfficientNet then rescales its input once more, as Keras has it */
} cs_model_config;

typedef struct cs_zoo_entry {
    const char *name;
    cs_dialect dialect; /* rows of one name and several dialects stand together, the default one first */
    const char *doc;
    int min_size;                                                                 /* smallest height and width */
    cs_status (*build)(cs_graph *graph, const cs_model_config *config, int *top); /* *top = last layer built */
    const char *default_head;
    cs_status (*add_top)(cs_graph *graph, int classes, int *x); /* head "top"; NULL: there is none */
} cs_zoo_entry;

const cs_zoo_entry *cs_zoo_entries(size_t *count);

/* Fills `config` with defaults: alpha 1, 224x224x3, no head, the architecture's first dialect. */
void cs_model_config_init(cs_model_config *config);

/* Builds the graph of `config`; unknown names, too small inputs and bad heads are CS_ERR_ARG. All layers trainable. */
CS_MUST_CHECK cs_status cs_model_build(const cs_model_config *config, cs_graph **out);

#endif
