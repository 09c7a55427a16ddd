/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the image files: an image format that is read. image.c has the table of them.
 *
 * To add a format: a file that defines a cs_codec, and its name in the table of image.c. */
#ifndef CNNSWEEP_CODEC_H
#define CNNSWEEP_CODEC_H

#include "image_impl.h"

typedef struct cs_codec {
    const char *name;  /* of the format, for people: "JPEG" */
    const char *kinds; /* of the format that one may not expect to be read, for --help; or NULL */
    bool (*recognises)(const uint8_t *bytes, size_t size); /* by the first bytes of a file */
    /* For the next two `name` is that of the file, for messages; bytes that are no good are CS_ERR_FORMAT. */
    cs_status (*size)(const char *name, const uint8_t *bytes, size_t size, int *h, int *w); /* by the header alone */
    /* As cs_decode: where target_h and target_w are above 0 the image may come out smaller than it is, but
     * CS_SCALED_DECODE_MARGIN times the target. It calls cs_image_check_size before it allocates. */
    cs_status (*decode)(cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size, int target_h,
                        int target_w, cs_image *image);
} cs_codec;

#endif
