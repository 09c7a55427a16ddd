/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/net/zoo: how layers get their names. */
#ifndef CS_NET_ZOO_BLOCK_H
#define CS_NET_ZOO_BLOCK_H

#include "cnnsweep/graph.h"

/* A group of layers whose names share a prefix. */
typedef struct cs_block {
    cs_graph *graph;
    char prefix[CS_NAME_MAX / 2]; /* such as "conv3_block1" */
    char layer[CS_NAME_MAX];      /* the name that cs_block_name returned last */
} cs_block;

/* Returns "conv3_block1_<part>"; valid until the next call. */
const char *cs_block_name(cs_block *block, const char *part);

/* Writes to `name` what Keras calls a layer that was given no name: "conv2d", then "conv2d_1", and so on. */
const char *cs_automatic_name(const cs_graph *graph, const char *base, char name[CS_NAME_MAX]);

#endif
