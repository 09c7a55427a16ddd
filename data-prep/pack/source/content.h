/* SPDX-License-Identifier: Apache-2.0 */
/* The content that a source returns for one sample: the bytes of an image file, or pixels. */
#ifndef CNNSWEEP_PACK_CONTENT_H
#define CNNSWEEP_PACK_CONTENT_H

#include "cnnsweep/file.h"
#include "cnnsweep/image.h"

/* Used for one sample after another, so that its memory grows to what the largest one needs. */
typedef struct pack_content {
    char name[CS_PATH_MAX]; /* path of the sample, for messages; cut off if it is too long */
    uint8_t *bytes;         /* an image file of a format that can be read (JPEG, PNG) */
    size_t size, capacity;
    cs_image pixels; /* the pixels, from a source that has no image files */
    bool is_pixels;
    bool is_stored; /* it comes from the dataset that is written again, and is stored as it is */
} pack_content;
void pack_content_clear(pack_content *content);

/* Writes the folder of a path, "." if it names none. */
CS_MUST_CHECK cs_status pack_parent_folder(const char *path, char out[CS_PATH_MAX]);
/* Reads `size` bytes of an open file from `offset` on; `name` is for messages. A file that ends before is CS_ERR_IO. */
CS_MUST_CHECK cs_status pack_read_at(int file, const char *name, void *out, size_t size, uint64_t offset);
/* Reads a part of an open file as the bytes of the image content->name. More bytes than the limit are CS_ERR_FORMAT. */
enum { PACK_FILE_LIMIT = 1 << 30 };
CS_MUST_CHECK cs_status pack_content_read_part(pack_content *content, int file, uint64_t offset, uint64_t size);
/* Reads the whole file content->name as bytes. If it is no regular file or is too large, that is CS_ERR_FORMAT. */
CS_MUST_CHECK cs_status pack_content_read_file(pack_content *content);

#endif
