/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: a YAML file as a tree that knows where each value stands, so that every error can say so. */
#ifndef CNNSWEEP_NODE_H
#define CNNSWEEP_NODE_H

#include "cnnsweep/status.h"

typedef enum cs_node_kind { CS_NODE_SCALAR, CS_NODE_LIST, CS_NODE_MAP } cs_node_kind;

typedef struct cs_node cs_node;
struct cs_node {
    cs_node_kind kind;
    char *source;     /* file name, or "--set key=value" */
    int line, column; /* from 1; 0 where the source is no file */
    char *text;       /* SCALAR */
    int n;            /* LIST, MAP */
    cs_node **items;  /* LIST: the items; MAP: the values */
    cs_node **keys;   /* MAP: scalars, all different */
};

/* Reads the one document of a file whose root is a map. Aliases are copied; more than 100000 values or 20 levels is
 * an error, and so is a key that appears twice. */
CS_MUST_CHECK cs_status cs_node_read(const char *path, cs_node **out);
/* Parses "key.key=value" (the value in YAML) and puts it into the tree, replacing or adding. */
CS_MUST_CHECK cs_status cs_node_assign(cs_node *root, const char *assignment);
void cs_node_free(cs_node *node); /* NULL-safe */

/* The value of `key` in a map, or NULL. */
const cs_node *cs_node_get(const cs_node *map, const char *key);

/* cs_fail with "<source>:<line>:<column>: " in front. */
cs_status cs_node_fail(const cs_node *at, cs_status code, const char *fmt, ...) CS_PRINTF(3, 4);
/* Puts the same in front of the last error. */
cs_status cs_node_context(const cs_node *at, cs_status code);

#endif
