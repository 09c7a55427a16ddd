/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: a YAML file as a tree. Each node knows its position in the file, so that every error can name
 * it. */
#ifndef CNNSWEEP_NODE_H
#define CNNSWEEP_NODE_H

#include "cnnsweep/status.h"

#include <stdbool.h>

typedef enum cs_node_kind { CS_NODE_SCALAR, CS_NODE_LIST, CS_NODE_MAP } cs_node_kind;

typedef struct cs_node cs_node;
struct cs_node {
    cs_node_kind kind;
    char *source;     /* file name, or "--set key=value" */
    int line, column; /* from 1; 0 where the source is no file */
    char *text;       /* SCALAR: its text */
    bool plain;       /* SCALAR: it has no quotes, so that it may be null */
    int n;            /* LIST, MAP: the number of items */
    cs_node **items;  /* LIST: the items; MAP: the values */
    cs_node **keys;   /* MAP: scalars, all different */
};

/* Reads a file with one document whose root is a map. Aliases are copied, and merge keys (<<) are replaced by what they
 * merge, in the order and with the values of PyYAML's safe_load. More than 100000 values, more than 20 levels, and a
 * key that appears twice are errors. */
CS_MUST_CHECK cs_status cs_node_read(const char *path, cs_node **out);
/* Parses "key.key=value", with the value in YAML, and sets it in the tree. It is added, or replaces the value that the
 * tree has. */
CS_MUST_CHECK cs_status cs_node_assign(cs_node *root, const char *assignment);
/* Sets the value at "a.b.c" to what the text says in YAML. `source` names it in errors. */
CS_MUST_CHECK cs_status cs_node_set(cs_node *root, const char *key, const char *source, const char *text);
void cs_node_free(cs_node *node); /* NULL-safe */

/* The value of `key` in a map, or NULL. */
const cs_node *cs_node_get(const cs_node *map, const char *key);

/* Is the value null: ~, null, or nothing, without quotes? */
bool cs_node_is_null(const cs_node *node);
/* Writes a scalar's text; a whole number above 0 in decimal digits, however it is written. 010 is an error. */
CS_MUST_CHECK cs_status cs_node_text(const cs_node *scalar, char *out, size_t size);

/* Calls cs_fail with "<source>:<line>:<column>: " in front of the message. If the text has a character that is not seen
 * or looks like another one, such as a no-break space, that is said too. */
cs_status cs_node_fail(const cs_node *at, cs_status code, const char *fmt, ...) CS_PRINTF(3, 4);
/* Puts the same in front of the message of the last error. */
cs_status cs_node_context(const cs_node *at, cs_status code);

#endif
