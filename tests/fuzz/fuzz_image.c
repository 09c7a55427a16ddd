/* SPDX-License-Identifier: Apache-2.0 */
/* A libFuzzer harness: decodes any bytes as an image, by the default rules and by all others. */
#include "cnnsweep/image.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char name[] = "the image";

/* An error names the file, and reading is not refused for want of memory. */
static void check(cs_status status) {
    if (status != CS_OK && (status != CS_ERR_FORMAT || !strstr(cs_error_last()->text, name)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    enum { MOST_PIXELS = 1 << 20, TARGET = 16 };
    static const cs_decode_rules rules[] = {{.max_pixels = MOST_PIXELS},
                                            {.depth16 = CS_DEPTH16_SCALE,
                                             .blend = true,
                                             .background = {9, 99, 199},
                                             .exif = true,
                                             .max_pixels = MOST_PIXELS}};
    static cs_decoder *decoder;
    static cs_image image;
    int h, w;
    if (!decoder && cs_decoder_open(&decoder) != CS_OK)
        abort();
    check(cs_image_size(name, bytes, size, &h, &w));
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        cs_decoder_set_rules(decoder, &rules[i]);
        cs_error_clear();
        check(cs_decode_resized(decoder, name, bytes, size, (cs_resize){0}, i ? TARGET : 0, i ? TARGET : 0, &image));
    }
    return 0;
}
