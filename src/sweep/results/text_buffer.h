/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: a text built up in memory, so that it reaches its file whole or not at all. */
#ifndef CNNSWEEP_TEXT_BUFFER_H
#define CNNSWEEP_TEXT_BUFFER_H

#include "cnnsweep/status.h"

#include <stddef.h>
#include <stdio.h>

typedef struct cs_text_buffer {
    FILE *stream; /* what is printed here is the text */
    char *text;   /* [size] after fflush(stream) */
    size_t size;
} cs_text_buffer;

CS_MUST_CHECK cs_status cs_text_open(cs_text_buffer *buffer);
/* Each of these ends the buffer, whatever it returns: as the end of a file, which is created if it is not there; as the
 * file; or as nothing, after a failure whose code it returns, with its error. */
CS_MUST_CHECK cs_status cs_text_append(cs_text_buffer *buffer, const char *path);
CS_MUST_CHECK cs_status cs_text_replace(cs_text_buffer *buffer, const char *path);
CS_MUST_CHECK cs_status cs_text_drop(cs_text_buffer *buffer, cs_status failure);

#endif
