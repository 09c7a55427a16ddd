/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/net: what graph.c asks of the table in layers.c. */
#ifndef CS_NET_LAYERS_IMPL_H
#define CS_NET_LAYERS_IMPL_H

#include "cnnsweep/graph.h"

enum { CS_DIMENSION_MAX = 65536 };

/* A layer about to be added: `layer` has the kind, the inputs and the settings; out.c has the filters or units. */
typedef struct cs_layer_draft {
    const char *name;
    cs_layer layer;
    cs_padding padding;
    int pad;
} cs_layer_draft;

/* One row a layer kind. */
typedef struct cs_layer_rule {
    const char *name; /* Keras' class */
    /* Checks the draft against layer.in and sets layer.out (and the padding of a window). */
    cs_status (*shape)(const cs_graph *graph, cs_layer_draft *draft);
    /* Appends the parameters with cs_graph_add_param. */
    cs_status (*params)(cs_graph *graph, const cs_layer *layer); /* optional */
    double (*macs)(const cs_layer *layer);                       /* optional: none */
} cs_layer_rule;

const cs_layer_rule *cs_layer_rule_of(cs_layer_kind kind);

/* Checks name and inputs, applies the rule of the draft's kind and appends the layer. */
CS_MUST_CHECK cs_status cs_graph_add_layer(cs_graph *graph, cs_layer_draft *draft, int *out);
/* A parameter of the layer being added; dims end at the first 0. */
CS_MUST_CHECK cs_status cs_graph_add_param(cs_graph *graph, cs_param_role role, const int dims[4]);

#endif
