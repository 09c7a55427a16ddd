/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/net: the table of layer rules in layers.c, which graph.c uses. */
#ifndef CS_NET_LAYERS_IMPL_H
#define CS_NET_LAYERS_IMPL_H

#include "cnnsweep/graph.h"

enum { CS_DIMENSION_MAX = 65536 };

/* A layer that is being added: `layer` has the kind, the inputs and the settings; out.c is the number of filters or
 * units. */
typedef struct cs_layer_draft {
    const char *name;
    cs_layer layer;
    cs_padding padding;
    int pad;
} cs_layer_draft;

/* The rule of a layer kind, a row of the table. */
typedef struct cs_layer_rule {
    const char *name; /* the name of Keras' class */
    /* Checks the draft against layer.in and sets layer.out (and the padding of a window). */
    cs_status (*shape)(const cs_graph *graph, cs_layer_draft *draft);
    /* Appends the parameters with cs_graph_add_param. */
    cs_status (*params)(cs_graph *graph, const cs_layer *layer); /* may be NULL: no parameters */
    double (*macs)(const cs_layer *layer);                       /* may be NULL: no multiply-adds */
} cs_layer_rule;

const cs_layer_rule *cs_layer_rule_of(cs_layer_kind kind);

/* Checks name and inputs, applies the rule of the draft's kind and appends the layer. */
CS_MUST_CHECK cs_status cs_graph_add_layer(cs_graph *graph, cs_layer_draft *draft, int *out);
/* Adds a parameter of the layer that is being added; dims end at the first 0. */
CS_MUST_CHECK cs_status cs_graph_add_param(cs_graph *graph, cs_param_role role, const int dims[4]);

#endif
