/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: a text that is built in memory, so that it is written to its file whole or not at all. */
#ifndef CNNSWEEP_TEXT_BUFFER_H
#define CNNSWEEP_TEXT_BUFFER_H

#include "cnnsweep/status.h"

#include <stddef.h>
#include <stdio.h>

typedef struct cs_text_buffer {
    FILE *stream; /* print the text to this */
    char *text;   /* [size] after fflush(stream) */
    size_t size;
} cs_text_buffer;

CS_MUST_CHECK cs_status cs_text_open(cs_text_buffer *buffer);
/* Each of these closes the buffer, whatever it returns. The first appends the text to a file, which it creates if
 * needed. The second makes the text the contents of a file. The last drops the text after a failure, and returns the
 * code of the failure with its error. */
CS_MUST_CHECK cs_status cs_text_append(cs_text_buffer *buffer, const char *path);
CS_MUST_CHECK cs_status cs_text_replace(cs_text_buffer *buffer, const char *path);
CS_MUST_CHECK cs_status cs_text_drop(cs_text_buffer *buffer, cs_status failure);

#endif
