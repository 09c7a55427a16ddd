/* SPDX-License-Identifier: Apache-2.0 */
/* A libFuzzer harness: decodes any bytes as an image, by the default rules and by others, and resizes it. */
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
    enum { MOST_PIXELS = 1 << 20 };
    static const struct {
        cs_decode_rules decode;
        cs_resize resize;
        int size; /* 0: the image keeps its own */
    } ways[] = {{.decode = {.max_pixels = MOST_PIXELS}},
                {{CS_DEPTH16_SCALE, true, {9, 99, 199}, true, MOST_PIXELS}, {CS_BILINEAR, CS_ASPECT_CROP}, 16},
                {{CS_DEPTH16_CLIP, false, {0}, true, MOST_PIXELS}, {CS_LANCZOS, CS_ASPECT_PAD}, 9}};
    static cs_decoder *decoder;
    static cs_image image;
    int h, w;
    if (!decoder && cs_decoder_open(&decoder) != CS_OK)
        abort();
    check(cs_image_size(name, bytes, size, &h, &w));
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const int side = ways[i].size;
        cs_decoder_set_rules(decoder, &ways[i].decode);
        cs_error_clear();
        check(cs_decode_resized(decoder, name, bytes, size, ways[i].resize, side, side, &image));
    }
    return 0;
}
