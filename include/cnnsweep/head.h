/* SPDX-License-Identifier: Apache-2.0 */
/* The layers on top of a base network, as the option model.head writes them: "gap,dropout:0.5,dense:400:relu,dense".
 * The text is parsed here alone; who builds, compares or checks a head works on what was parsed.
 *
 * To add a kind of layer: a value here, a row and a function in src/net/head_spec.c, a row and a function in
 * src/net/zoo/head.c. */
#ifndef CNNSWEEP_HEAD_H
#define CNNSWEEP_HEAD_H

#include "cnnsweep/graph.h"

/* The longest text is CS_HEAD_TEXT_MAX - 1 bytes, and the shortest layer, "gap", takes 4 of them with its comma. */
enum { CS_HEAD_TEXT_MAX = 256, CS_HEAD_MAX = CS_HEAD_TEXT_MAX / 4 };

typedef enum cs_head_kind {
    CS_HEAD_GAP, /* global average pooling */
    CS_HEAD_FLATTEN,
    CS_HEAD_DROPOUT,
    CS_HEAD_DENSE
} cs_head_kind;

typedef struct cs_head_layer {
    cs_head_kind kind;
    bool plain; /* DROPOUT: its rate is that of model.dropout; DENSE: the classifier, always the last layer */
    float rate; /* DROPOUT, where it is not plain */
    int units;  /* DENSE, where it is not plain */
    cs_activation activation; /* DENSE */
    int end;                  /* offset in the text behind this layer */
} cs_head_layer;

typedef struct cs_head_spec {
    bool top; /* "top": the classifier that the network was published with; there are no layers */
    int n;
    cs_head_layer layers[CS_HEAD_MAX];
} cs_head_spec;

/* Parses a head; "" has no layers. What is not understood is CS_ERR_ARG with a hint. */
CS_MUST_CHECK cs_status cs_head_parse(const char *text, cs_head_spec *out);

#endif
