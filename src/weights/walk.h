/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the weights room: the formats of weights files that can be read. walk.c has the table of formats.
 *
 * To add a format, add a file that defines a cs_format, and its name in the table of walk.c. If the format names
 * tensors in its own way, also add a cs_naming (tensor.h) and its matching in match.c. */
#ifndef CS_WEIGHTS_WALK_H
#define CS_WEIGHTS_WALK_H

#include "tensor.h"

#include <stdio.h>

typedef struct cs_format {
    /* A file has the format if it contains these bytes at the offset `at`; they must be within its first 16 bytes. */
    const char *bytes;
    size_t n_bytes, at;
    bool isolated; /* a damaged file may crash the library that reads it, so that only a child process may walk it */
    cs_status (*walk)(const char *path, const cs_visitor *visitor);
} cs_format;

/* Walks a file, whose format is found by its first bytes, in this process (but see isolated.h). */
CS_MUST_CHECK cs_status cs_weights_walk(const char *path, const cs_visitor *visitor);
/* Runs work(context, text), which walks the file, in a child process if the format needs that. What it writes to `text`
 * becomes *text, malloc'ed, or NULL if the work did not finish. A missing file is CS_ERR_NOT_FOUND, before any child is
 * started. */
CS_MUST_CHECK cs_status cs_weights_run(const char *path, cs_status (*work)(void *context, FILE *text), void *context,
                                       char **text);

#endif
