/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/weights: the formats of weights files that are read. walk.c has the table of them.
 *
 * To add a format: a file that defines a cs_format, and its name in the table of walk.c. If it names tensors in a way
 * of its own, a cs_naming (tensor.h) and what match.c makes of it. */
#ifndef CS_WEIGHTS_WALK_H
#define CS_WEIGHTS_WALK_H

#include "tensor.h"

#include <stdio.h>

typedef struct cs_format {
    /* A file is of the format if these bytes stand at this place, which is within its first 16 bytes. */
    const char *bytes;
    size_t n_bytes, at;
    bool isolated; /* a damaged file may crash the library that reads it: only a child process may walk it */
    cs_status (*walk)(const char *path, const cs_visitor *visitor);
} cs_format;

/* Walks a file of the format that its first bytes tell. It is walked in this process: see isolated.h. */
CS_MUST_CHECK cs_status cs_weights_walk(const char *path, const cs_visitor *visitor);
/* Runs work(context, text), which walks the file: in a child process where the format asks for that. What is written to
 * `text` becomes *text, malloc'ed; NULL when the work did not come to its end. A file that is not there is
 * CS_ERR_NOT_FOUND, said before a child is started. */
CS_MUST_CHECK cs_status cs_weights_run(const char *path, cs_status (*work)(void *context, FILE *text), void *context,
                                       char **text);

#endif
