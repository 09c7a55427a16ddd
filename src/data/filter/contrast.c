/* SPDX-License-Identifier: Apache-2.0 */
/* Colour and contrast: gray world, CLAHE. */
#include "filters.h"

/* Scales each channel so that all have the same mean, that of all values. A value v becomes v * all / (3 * sum),
 * rounded; the sums are whole numbers. A channel that is 0 everywhere stays so. */
cs_status cs_gray_world_apply(const float *value, cs_filter_scratch *scratch, cs_image *image) {
    const size_t n = (size_t)image->h * (size_t)image->w;
    uint64_t sum[3] = {0}, all = 0;
    (void)value;
    (void)scratch;
    for (size_t i = 0; i < 3 * n; i++)
        sum[i % 3] += image->pixels[i];
    for (int c = 0; c < 3; c++)
        all += sum[c];
    for (int c = 0; c < 3; c++) {
        uint8_t table[256];
        for (uint64_t v = 0; v < 256; v++) {
            uint64_t scaled = sum[c] > 0 ? (2 * v * all + 3 * sum[c]) / (6 * sum[c]) : 0;
            table[v] = (uint8_t)(scaled < UINT8_MAX ? scaled : UINT8_MAX);
        }
        for (size_t i = 0; i < n; i++)
            image->pixels[3 * i + (size_t)c] = table[image->pixels[3 * i + (size_t)c]];
    }
    return CS_OK;
}

cs_status cs_clahe_apply(const float *value, cs_filter_scratch *scratch, cs_image *image) {
    const int tiles = (int)value[1];
    void *memory;
    CS_TRY(cs_scratch_take(scratch, cs_clahe_memory(tiles, tiles), 1, &memory));
    cs_clahe((double)value[0], tiles, tiles, image->h, image->w, memory, image->pixels);
    return CS_OK;
}
