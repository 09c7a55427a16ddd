/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the weights room: runs work in a child process because a damaged file may crash it, hang it or fill the
 * memory.
 *
 * HDF5 has no checksum of its own structure: of a hundred randomly damaged files a few crash release 1.10 or never let
 * it return. The child only reads and leaves by _exit, so that it changes nothing of the parent (MPI, streams, other
 * threads). No other thread may be inside HDF5 when the child starts. */
#ifndef CS_WEIGHTS_ISOLATED_H
#define CS_WEIGHTS_ISOLATED_H

#include "cnnsweep/status.h"

#include <stdio.h>

/* Allocates zeroed memory that the parent shares with the child. */
CS_MUST_CHECK cs_status cs_shared_alloc(size_t size, const char *what, void *out);
void cs_shared_free(void *memory, size_t size); /* NULL-safe */

/* The limits of a child. */
typedef struct cs_limits {
    long cpu_seconds;
    double wall_seconds;
    size_t memory; /* bytes in addition to those of the parent */
} cs_limits;
/* Limits that are far above what reading an intact file of this size takes. */
cs_limits cs_limits_of(const char *path);

/* Runs work(context, text) in a child that reads the HDF5 file `path`. What it writes to `text` becomes *text,
 * malloc'ed, cut at CS_ISOLATED_TEXT_MAX and never NULL after the work has run; its error becomes this thread's last
 * one. A crash or an exceeded limit is CS_ERR_FORMAT naming `path`. If the child is killed from outside, that is
 * CS_ERR_NO_MEMORY, as the system does so when it runs out of memory. */
enum { CS_ISOLATED_TEXT_MAX = 4 << 20 };
CS_MUST_CHECK cs_status cs_isolated(const char *path, cs_limits limits, cs_status (*work)(void *context, FILE *text),
                                    void *context, char **text);
/* Runs the work in this process, without limits. */
CS_MUST_CHECK cs_status cs_not_isolated(cs_status (*work)(void *context, FILE *text), void *context, char **text);

#endif
