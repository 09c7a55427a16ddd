/* SPDX-License-Identifier: Apache-2.0 */
#include "image.h"

#include "cnnsweep/vector.h"

/* Blocks of 48 bytes are 16 whole pixels, so each lane has the same channel in every block, and the inner loop becomes
 * vector instructions. */
enum { LANES = 48, MOST_BLOCKS = 256 }; /* 256 * 255 fits in 16 bits */

CS_VECTOR static void add_blocks(const uint8_t *pixels, size_t n, cs_pixel_sums *sums) {
    uint16_t sum[LANES] = {0};
    uint32_t square[LANES] = {0};
    for (size_t block = 0; block < n; block++, pixels += LANES)
        for (int i = 0; i < LANES; i++) {
            sum[i] = (uint16_t)(sum[i] + pixels[i]);
            square[i] += (uint16_t)(pixels[i] * pixels[i]);
        }
    for (int i = 0; i < LANES; i++) {
        sums->sum[i % 3] += sum[i];
        sums->square[i % 3] += square[i];
    }
}

void pack_sum_pixels(const cs_image *image, cs_pixel_sums *sums) {
    const uint8_t *pixels = image->pixels;
    const size_t pixel_count = (size_t)image->h * (size_t)image->w, rest = pixel_count * 3 % LANES;
    *sums = (cs_pixel_sums){.pixels = pixel_count};
    for (size_t blocks = pixel_count * 3 / LANES; blocks > 0;) {
        const size_t n = blocks < MOST_BLOCKS ? blocks : MOST_BLOCKS;
        add_blocks(pixels, n, sums);
        pixels += n * LANES;
        blocks -= n;
    }
    for (size_t i = 0; i < rest; i++) {
        sums->sum[i % 3] += pixels[i];
        sums->square[i % 3] += (uint64_t)pixels[i] * pixels[i];
    }
}
