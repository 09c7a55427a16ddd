/* SPDX-License-Identifier: Apache-2.0 */
/* The part of picture_sample.h for passes that look at neighbours of a pixel, and for those that add something. */

/* The index of a line of n pixels that shows what lies at `at`, if the image is mirrored without its last line. */
CS_SAMPLE int cs_sample_mirrored(int at, int n) {
    if (n == 1)
        return 0;
    while (at < 0 || at >= n)
        at = at < 0 ? -at : 2 * (n - 1) - at;
    return at;
}

/* Pillow's Image.blend of a byte of the image with a byte of a base: the base with factor 0, the image with 1. */
CS_SAMPLE uint8_t cs_sample_blend(int base, int value, float factor) {
    const float blended = (float)CS_SUM((float)base, (float)CS_PRODUCT(factor, (float)(value - base)));
    return (uint8_t)(blended <= 0 ? 0 : blended >= 255 ? 255 : blended);
}

/* Pillow's Sharpness of a value that is not at an edge of the image, whose lines have `stride` bytes. */
CS_SAMPLE uint8_t cs_sample_sharp(const uint8_t *at, size_t stride, float factor) {
    const uint8_t *above = at - stride, *below = at + stride;
    const int lines = above[-3] + above[0] + above[3] + below[-3] + below[0] + below[3];
    const int sum = lines + at[-3] + 5 * at[0] + at[3];
    return cs_sample_blend((2 * sum + 13) / 26, at[0], factor);
}

/* Adds a weighted value to a sum, as floats. */
CS_SAMPLE float cs_sample_add(float sum, float weight, float value) {
    return (float)CS_SUM(sum, (float)CS_PRODUCT(weight, value));
}

CS_SAMPLE uint8_t cs_sample_rounded(float value) {
    return (uint8_t)(value <= 0 ? 0 : value >= 255 ? 255 : rintf(value));
}

/* The three values of pixel (x, y) after a blur. */
CS_SAMPLE void cs_sample_blur(const cs_blur *blur, const uint8_t *source, int h, int w, int x, int y, uint8_t rgb[3]) {
    float sums[3] = {0, 0, 0};
    for (int i = -blur->across; i <= blur->across; i++) {
        if (blur->black_edges && (x + i < 0 || x + i >= w))
            continue;
        const size_t column = (size_t)cs_sample_mirrored(x + i, w);
        float column_sums[3] = {0, 0, 0};
        for (int j = -blur->down; j <= blur->down; j++) {
            if (blur->black_edges && (y + j < 0 || y + j >= h))
                continue;
            const uint8_t *at = source + ((size_t)cs_sample_mirrored(y + j, h) * (size_t)w + column) * 3;
            for (int c = 0; c < 3; c++)
                column_sums[c] = cs_sample_add(column_sums[c], blur->weight_down[j + blur->down], (float)at[c]);
        }
        for (int c = 0; c < 3; c++)
            sums[c] = cs_sample_add(sums[c], blur->weight_across[i + blur->across], column_sums[c]);
    }
    for (int c = 0; c < 3; c++)
        rgb[c] = cs_sample_rounded(sums[c]);
}

/* The three values of pixel (x, y) after the sums of a kernel. */
CS_SAMPLE void cs_sample_kernel(const cs_kernel *kernel, const uint8_t *source, int h, int w, int x, int y,
                                uint8_t rgb[3]) {
    float sums[3] = {0, 0, 0};
    for (int i = 0; i < kernel->n; i++) {
        const cs_kernel_point *point = &kernel->points[i];
        const size_t line = (size_t)cs_sample_mirrored(y + point->y, h) * (size_t)w;
        const uint8_t *at = source + (line + (size_t)cs_sample_mirrored(x + point->x, w)) * 3;
        for (int c = 0; c < 3; c++)
            sums[c] = cs_sample_add(sums[c], point->weight, (float)at[c]);
    }
    for (int c = 0; c < 3; c++)
        rgb[c] = cs_sample_rounded(sums[c]);
}

CS_SAMPLE bool cs_sample_is_inside(const cs_box *box, int x, int y) {
    return x >= box->left && x < box->left + box->w && y >= box->top && y < box->top + box->h;
}

/* The random words of pixel (x, y) in the stream `key`. */
CS_SAMPLE void cs_sample_words(uint32_t key, int x, int y, uint32_t words[4]) {
    const uint32_t counter[4] = {(uint32_t)x, (uint32_t)y, 0, 0}, keys[2] = {key, 0};
    CS_PHILOX(counter, keys, words);
}

CS_SAMPLE void cs_sample_patches(const cs_patches *patches, int x, int y, uint8_t rgb[3]) {
    uint32_t words[4] = {0};
    for (int i = 0; i < patches->n; i++) {
        if (!cs_sample_is_inside(&patches->boxes[i], x, y))
            continue;
        if (patches->random)
            cs_sample_words(patches->key, x, y, words);
        for (int c = 0; c < 3; c++)
            rgb[c] = patches->random ? (uint8_t)(words[c] >> 24) : patches->value[i][c];
    }
}

/* The number that the table of noise has for a random word: its first bit is the sign, the next 8 choose the column. */
CS_SAMPLE int cs_sample_noise_of(const uint32_t table[256], uint32_t word) {
    const uint32_t column = word >> 23 & 255, entry = table[column];
    const int k = (int)((word & 0x7fffff) < entry >> 8 ? column : entry & 255);
    return word >> 31 ? -k : k;
}

CS_SAMPLE void cs_sample_noise(const cs_noise *noise, int x, int y, uint8_t rgb[3]) {
    uint32_t words[4];
    if (!cs_sample_is_inside(&noise->box, x, y))
        return;
    cs_sample_words(noise->key, x, y, words);
    for (int c = 0; c < 3; c++) {
        const int value = rgb[c] + cs_sample_noise_of(noise->table, words[noise->is_grey ? 0 : c]);
        rgb[c] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
}
