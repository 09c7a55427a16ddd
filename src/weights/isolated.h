/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/weights: work that a damaged file may crash, hang or bloat, done in a child process.
 *
 * HDF5 has no checksum of its own structure: on a few of a hundred randomly damaged files release 1.10 crashes or never
 * returns. The child only reads, and leaves by _exit: nothing of the parent (MPI, streams, other threads) is touched.
 * No other thread may be inside HDF5 when it starts. */
#ifndef CS_WEIGHTS_ISOLATED_H
#define CS_WEIGHTS_ISOLATED_H

#include "cnnsweep/status.h"

#include <stdio.h>

/* Memory that the child's writes come back in, zeroed. */
CS_MUST_CHECK cs_status cs_shared_alloc(size_t size, const char *what, void *out);
void cs_shared_free(void *memory, size_t size); /* NULL-safe */

/* What a child may use. */
typedef struct cs_limits {
    long cpu_seconds;
    double wall_seconds;
    size_t memory; /* bytes beyond what the parent has */
} cs_limits;
/* Far more than reading an honest file of this size takes. */
cs_limits cs_limits_of(const char *path);

/* Runs work(context, text) in a child that reads the HDF5 file `path`. What it writes to `text` becomes *text,
 * malloc'ed, never NULL after it ran (cut at CS_ISOLATED_TEXT_MAX); its error becomes this thread's last one. A crash,
 * and going beyond the limits, are CS_ERR_FORMAT naming `path`; being killed from outside is CS_ERR_NO_MEMORY, as it is
 * the system that does so when it runs short. */
enum { CS_ISOLATED_TEXT_MAX = 4 << 20 };
CS_MUST_CHECK cs_status cs_isolated(const char *path, cs_limits limits, cs_status (*work)(void *context, FILE *text),
                                    void *context, char **text);
/* The same in this process, without limits. */
CS_MUST_CHECK cs_status cs_not_isolated(cs_status (*work)(void *context, FILE *text), void *context, char **text);

#endif
