/* The architectures, by name. To add one: a file in src/net/zoo/ and a row in src/net/zoo/zoo.c. */
#ifndef CNNSWEEP_ZOO_H
#define CNNSWEEP_ZOO_H

#include "cnnsweep/graph.h"

typedef struct cs_model_config {
    char arch[CS_NAME_MAX];
    int input_h, input_w, input_c;
    int classes; /* > 0: the head is added and ends in `classes` logits; 0: no head (no-top) */
    float alpha; /* width multiplier where the architecture has one, else 1 */
    /* The layers on top, in order, comma-separated: gap, flatten, dense:UNITS, dense:UNITS:relu, and last a plain
     * dense, which gets `classes` units. "" = the architecture's own. */
    char head[256];
} cs_model_config;

typedef struct cs_zoo_entry {
    const char *name;
    const char *doc;
    int min_size;                                                                 /* smallest height and width */
    cs_status (*build)(cs_graph *graph, const cs_model_config *config, int *top); /* *top = last layer built */
    const char *default_head;
} cs_zoo_entry;

const cs_zoo_entry *cs_zoo_entries(size_t *count);

/* Fills `config` with defaults: alpha 1, 224x224x3, no head. */
void cs_model_config_init(cs_model_config *config);

/* Builds the graph of `config`; unknown names, too small inputs and bad heads are CS_ERR_ARG. All layers trainable. */
CS_MUST_CHECK cs_status cs_model_build(const cs_model_config *config, cs_graph **out);

#endif
