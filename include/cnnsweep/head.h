/* SPDX-License-Identifier: Apache-2.0 */
/* The head: the layers on top of a base network, which the option model.head writes as
 * "gap,dropout:0.5,dense:400:relu,dense". The last layer is the classifier: a plain dense, or "dense:1:sigmoid", the
 * binary head of a dataset with two classes. Only cs_head_parse reads that text; the code that builds, compares or
 * checks a head uses the parsed form.
 *
 * To add a kind of layer: a value in cs_head_kind, a row and a function in src/net/head_spec.c, and a row and a
 * function in src/net/zoo/head.c. */
#ifndef CNNSWEEP_HEAD_H
#define CNNSWEEP_HEAD_H

#include "cnnsweep/graph.h"

/* The longest text has CS_HEAD_TEXT_MAX - 1 bytes, and the shortest layer, "gap", takes 4 of them with its comma. */
enum { CS_HEAD_TEXT_MAX = 256, CS_HEAD_MAX = CS_HEAD_TEXT_MAX / 4 };

typedef enum cs_head_kind {
    CS_HEAD_GAP, /* global average pooling */
    CS_HEAD_FLATTEN,
    CS_HEAD_DROPOUT,
    CS_HEAD_DENSE
} cs_head_kind;

typedef struct cs_head_layer {
    cs_head_kind kind;
    bool plain; /* DROPOUT: the rate is model.dropout; DENSE: it is the classifier, with a unit for each class */
    float rate; /* DROPOUT that is not plain */
    int units;  /* DENSE that is not plain; 1 with CS_ACT_BINARY: the classifier of two classes */
    cs_activation activation; /* DENSE */
    int end;                  /* offset in the text after this layer */
} cs_head_layer;

typedef struct cs_head_spec {
    bool top; /* "top": the classifier that the network was published with; `layers` is empty */
    int n;
    cs_head_layer layers[CS_HEAD_MAX];
} cs_head_spec;

/* Parses a head; "" has no layers. A text that is not a head is CS_ERR_ARG with a hint. */
CS_MUST_CHECK cs_status cs_head_parse(const char *text, cs_head_spec *out);

#endif
