/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/net/zoo: names of layers. */
#ifndef CS_NET_ZOO_BLOCK_H
#define CS_NET_ZOO_BLOCK_H

#include "cnnsweep/graph.h"

/* A group of layers that share the beginning of their names. */
typedef struct cs_block {
    cs_graph *graph;
    char prefix[CS_NAME_MAX / 2]; /* "conv3_block1" */
    char layer[CS_NAME_MAX];      /* the last name made */
} cs_block;

/* "conv3_block1_<part>"; valid until the next call. */
const char *cs_block_name(cs_block *block, const char *part);

/* What Keras calls a layer that was given no name: "conv2d", then "conv2d_1"; written to `name`. */
const char *cs_automatic_name(const cs_graph *graph, const char *base, char name[CS_NAME_MAX]);

#endif
