/* SPDX-License-Identifier: Apache-2.0 */
/* What a source gives of one sample: the bytes of an image file, or pixels. */
#ifndef CNNSWEEP_PACK_CONTENT_H
#define CNNSWEEP_PACK_CONTENT_H

#include "cnnsweep/file.h"
#include "cnnsweep/image.h"

/* Used for one sample after the other: its memory grows to what the largest one needs. */
typedef struct pack_content {
    char name[CS_PATH_MAX]; /* where it lies, for messages */
    uint8_t *bytes;         /* of an image of a format that is read (JPEG, PNG) */
    size_t size, capacity;
    cs_image pixels; /* what a source that has no image files gives instead */
    bool is_pixels;
} pack_content;
void pack_content_clear(pack_content *content);

/* The whole file content->name as bytes. What is no file, or too large a one, is CS_ERR_FORMAT. */
CS_MUST_CHECK cs_status pack_content_read_file(pack_content *content);

#endif
