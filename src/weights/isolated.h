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

/* Runs work(context, text) in a child. What it writes to `text` becomes *text, malloc'ed, never NULL after it ran (cut
 * at 4 MiB); its error becomes this thread's last one. A crash, and more time than reading a file of that size takes,
 * are CS_ERR_FORMAT naming `path`. */
CS_MUST_CHECK cs_status cs_isolated(const char *path, cs_status (*work)(void *context, FILE *text), void *context,
                                    char **text);

#endif
