/* SPDX-License-Identifier: Apache-2.0 */
#include "hash.h"

#include "cnnsweep/file.h"

#include <math.h>

/* An image of less pixels, or with a smaller standard deviation of its gray values (0 to 255), has no perceptual hash.
 */
enum { LEAST_SIDE = 16, LEAST_DEVIATION = 2 };

typedef float gray_image[PACK_HASH_SIDE][PACK_HASH_SIDE];
typedef float coefficients[PACK_HASH_ORDER][PACK_HASH_WIDTH];

void pack_fill_cosines(pack_cosines *cosines) {
    for (int x = 0; x < PACK_HASH_SIDE; x++)
        for (int u = 0; u < PACK_HASH_WIDTH; u++)
            cosines->at[x][u] = (float)cos(acos(-1) * u * (2 * x + 1) / (2 * PACK_HASH_SIDE));
}

static cs_status make_gray(cs_decoder *decoder, const cs_image *image, gray_image gray) {
    uint8_t small[PACK_HASH_SIDE * PACK_HASH_SIDE * 3];
    const uint8_t *pixels = image->pixels;
    if (image->h != PACK_HASH_SIDE || image->w != PACK_HASH_SIDE) {
        CS_TRY(cs_resize_image(decoder, image, (cs_resize){0}, PACK_HASH_SIDE, PACK_HASH_SIDE, small));
        pixels = small;
    }
    for (int y = 0; y < PACK_HASH_SIDE; y++)
        for (int x = 0; x < PACK_HASH_SIDE; x++, pixels += 3)
            gray[y][x] = 0.299F * (float)pixels[0] + 0.587F * (float)pixels[1] + 0.114F * (float)pixels[2];
    return CS_OK;
}

static bool has_contrast(gray_image gray) {
    enum { N = PACK_HASH_SIDE * PACK_HASH_SIDE };
    float sum = 0, square = 0;
    for (int y = 0; y < PACK_HASH_SIDE; y++)
        for (int x = 0; x < PACK_HASH_SIDE; x++) {
            sum += gray[y][x];
            square += gray[y][x] * gray[y][x];
        }
    return square / N - sum / N * (sum / N) >= LEAST_DEVIATION * LEAST_DEVIATION;
}

/* The cosine transform (DCT-II) of the image, without the factors, which are above 0. */
static void transform(const pack_cosines *cosines, gray_image gray, coefficients out) {
    for (int u = 0; u < PACK_HASH_ORDER; u++)
        for (int v = 0; v < PACK_HASH_WIDTH; v++)
            out[u][v] = 0;
    for (int y = 0; y < PACK_HASH_SIDE; y++) {
        float row[PACK_HASH_WIDTH] = {0};
        for (int x = 0; x < PACK_HASH_SIDE; x++)
            for (int v = 0; v < PACK_HASH_WIDTH; v++)
                row[v] += gray[y][x] * cosines->at[x][v];
        for (int u = 0; u < PACK_HASH_ORDER; u++)
            for (int v = 0; v < PACK_HASH_WIDTH; v++)
                out[u][v] += cosines->at[y][u] * row[v];
    }
}

/* Visits the coefficients of the bits in their order: true, and *bit counts up, while there is a next (*u, *v). Begins
 * with 0, 0, which is no bit. */
static bool next_bit(int *bit, int *u, int *v) {
    if (++*v == PACK_HASH_ORDER - *u) {
        *v = 0;
        ++*u;
    }
    ++*bit;
    return *u < PACK_HASH_ORDER;
}

cs_status pack_hash_image(cs_decoder *decoder, const pack_cosines *cosines, const cs_image *image, pack_hash *out) {
    gray_image gray;
    coefficients found;
    const int size[] = {image->h, image->w};
    const uint64_t sums[] = {cs_checksum(size, sizeof size),
                             cs_checksum(image->pixels, (size_t)image->h * (size_t)image->w * 3)};
    *out = (pack_hash){.pixels = cs_checksum(sums, sizeof sums), .known = true};
    if (image->h < LEAST_SIDE || image->w < LEAST_SIDE)
        return CS_OK;
    CS_TRY(make_gray(decoder, image, gray));
    out->has_sign = has_contrast(gray);
    transform(cosines, gray, found);
    for (int bit = -1, u = 0, v = 0; next_bit(&bit, &u, &v);)
        out->signs.words[bit / 64] |= (uint64_t)(found[u][v] > 0) << bit % 64;
    return CS_OK;
}

pack_signs pack_mirror_signs(pack_signs signs) {
    for (int bit = -1, u = 0, v = 0; next_bit(&bit, &u, &v);)
        signs.words[bit / 64] ^= (uint64_t)(v % 2) << bit % 64;
    return signs;
}

int pack_sign_distance(pack_signs a, pack_signs b) {
    return __builtin_popcountll(a.words[0] ^ b.words[0]) + __builtin_popcountll(a.words[1] ^ b.words[1]);
}
