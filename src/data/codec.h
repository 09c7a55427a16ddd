/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the data room: an image format that can be read. image.c has the table of formats.
 *
 * To add a format, add a file that defines a cs_codec, and its name in the table of image.c. */
#ifndef CNNSWEEP_CODEC_H
#define CNNSWEEP_CODEC_H

#include "image_impl.h"

typedef struct cs_codec {
    const char *name;  /* name of the format, for people: "JPEG" */
    const char *kinds; /* variants of the format that a user may not expect to be supported, for --help; or NULL */
    bool (*recognises)(const uint8_t *bytes, size_t size); /* recognises the format by the first bytes of a file */
    /* In the next two functions `name` is the name of the file, for messages. A damaged image is CS_ERR_FORMAT. */
    cs_status (*size)(const char *name, const uint8_t *bytes, size_t size, int *h, int *w); /* reads only the header */
    /* Decodes as cs_decode does: if target_h and target_w are above 0, the image may come out at a reduced scale, but
     * at least CS_SCALED_DECODE_MARGIN times the target. It must call cs_image_check_size before it allocates. */
    cs_status (*decode)(cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size, int target_h,
                        int target_w, cs_image *image);
    /* (optional) Finds the EXIF data of a file, in the form of a TIFF file; NULL if there are none. */
    const uint8_t *(*exif)(const uint8_t *bytes, size_t size, size_t *exif_size);
} cs_codec;

/* Says which kind of file it is that no codec reads, and what to do about it. `formats` names those that are read. */
cs_status cs_fail_unknown(const char *name, const uint8_t *bytes, size_t size, const char *formats);

#endif
