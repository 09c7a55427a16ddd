/* SPDX-License-Identifier: Apache-2.0 */
#include "hash.h"
#include "hash_kernels.h"

#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* An image of less pixels, or with a smaller standard deviation of its gray values (0 to 255), has no perceptual hash.
 */
enum { LEAST_SIDE = 16, LEAST_DEVIATION = 2 };
/* The weights of the lines that become one are whole numbers with this sum, so that 16 bits hold their sum. */
enum { WEIGHTS = 256 };

typedef float gray_image[PACK_HASH_SIDE][PACK_HASH_SIDE];
typedef float coefficients[PACK_HASH_ORDER][PACK_HASH_WIDTH];

void pack_hasher_open(pack_hasher *hasher) {
    *hasher = (pack_hasher){0};
    for (int u = 0; u < PACK_HASH_WIDTH; u++)
        for (int x = 0; x < PACK_HASH_SIDE; x++)
            hasher->cosines[u][x] = hasher->turned[x][u] =
                (float)cos(acos(-1) * u * (2 * x + 1) / (2 * PACK_HASH_SIDE));
}

void pack_hasher_close(pack_hasher *hasher) {
    free(hasher->sums);
    free(hasher->luma);
}

/* The sum of the weights of the lines before `at`, of those that become one; both in units of 1 / PACK_HASH_SIDE line,
 * from the first one on. */
static int weights_before(int64_t at, int lines) {
    const float part = (float)at / (float)lines;
    return part <= 0 ? 0 : part >= 1 ? WEIGHTS : (int)(part * WEIGHTS + 0.5F);
}

/* Sets sums[n] to WEIGHTS times the mean of those of h lines that become line y of PACK_HASH_SIDE. */
static void average_lines(const uint8_t *lines, int h, size_t n, int y, uint16_t *sums) {
    const int64_t begin = (int64_t)y * h;
    memset(sums, 0, n * sizeof *sums);
    for (int64_t at = begin / PACK_HASH_SIDE; at * PACK_HASH_SIDE < begin + h; at += 2) {
        int before[3];
        for (int i = 0; i < 3; i++)
            before[i] = weights_before((at + i) * PACK_HASH_SIDE - begin, h);
        const uint8_t *line = lines + (size_t)at * n;
        pack_add_lines(line, at + 1 < h ? line + n : line, (uint16_t)(before[1] - before[0]),
                       (uint16_t)(before[2] - before[1]), n, sums);
    }
}

/* Makes a gray image of the means of the areas that its pixels cover, at [x][y]. */
static cs_status make_gray(pack_hasher *hasher, const cs_image *image, gray_image gray) {
    const size_t w = (size_t)image->w, n = w * 3;
    CS_TRY(cs_grow(&hasher->sums, &hasher->sums_capacity, n, sizeof *hasher->sums, "hash"));
    CS_TRY(cs_grow(&hasher->luma, &hasher->luma_capacity, w + w * PACK_HASH_SIDE, 1, "hash"));
    uint8_t *columns = hasher->luma + w; /* [w,PACK_HASH_SIDE] */
    uint16_t sums[PACK_HASH_SIDE];
    for (int y = 0; y < PACK_HASH_SIDE; y++) {
        average_lines(image->pixels, image->h, n, y, hasher->sums);
        pack_make_luma(hasher->sums, w, hasher->luma);
        for (size_t x = 0; x < w; x++)
            columns[x * PACK_HASH_SIDE + (size_t)y] = hasher->luma[x];
    }
    for (int x = 0; x < PACK_HASH_SIDE; x++) {
        average_lines(columns, image->w, PACK_HASH_SIDE, x, sums);
        for (int y = 0; y < PACK_HASH_SIDE; y++)
            gray[x][y] = (float)sums[y] / WEIGHTS;
    }
    return CS_OK;
}

static bool has_contrast(gray_image gray) {
    enum { N = PACK_HASH_SIDE * PACK_HASH_SIDE };
    float sums[PACK_HASH_SIDE] = {0}, squares[PACK_HASH_SIDE] = {0}, sum = 0, square = 0;
    for (int x = 0; x < PACK_HASH_SIDE; x++)
        for (int y = 0; y < PACK_HASH_SIDE; y++) {
            sums[y] += gray[x][y];
            squares[y] += gray[x][y] * gray[x][y];
        }
    for (int y = 0; y < PACK_HASH_SIDE; y++) {
        sum += sums[y];
        square += squares[y];
    }
    return square / N - sum / N * (sum / N) >= LEAST_DEVIATION * LEAST_DEVIATION;
}

/* The cosine transform (DCT-II) of the image, at [v][u], without the factors, which are above 0. */
static void transform(const pack_hasher *hasher, gray_image gray, coefficients out) {
    for (int v = 0; v < PACK_HASH_ORDER; v++) {
        float column[PACK_HASH_SIDE];
        pack_mix_lines(hasher->cosines[v], PACK_HASH_SIDE, gray[0], PACK_HASH_SIDE, column);
        pack_mix_lines(column, PACK_HASH_SIDE, hasher->turned[0], PACK_HASH_WIDTH, out[v]);
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

cs_status pack_hash_image(pack_hasher *hasher, const cs_image *image, pack_hash *out) {
    gray_image gray;
    coefficients found;
    const int size[] = {image->h, image->w};
    const uint64_t sums[] = {cs_checksum(size, sizeof size),
                             cs_checksum(image->pixels, (size_t)image->h * (size_t)image->w * 3)};
    *out = (pack_hash){.pixels = cs_checksum(sums, sizeof sums), .known = true};
    if (image->h < LEAST_SIDE || image->w < LEAST_SIDE)
        return CS_OK;
    CS_TRY(make_gray(hasher, image, gray));
    out->has_sign = has_contrast(gray);
    transform(hasher, gray, found);
    for (int bit = -1, u = 0, v = 0; next_bit(&bit, &u, &v);)
        out->signs.words[bit / 64] |= (uint64_t)(found[v][u] > 0) << bit % 64;
    return CS_OK;
}

pack_signs pack_odd_signs(void) {
    pack_signs odd = {{0}};
    for (int bit = -1, u = 0, v = 0; next_bit(&bit, &u, &v);)
        odd.words[bit / 64] |= (uint64_t)(v % 2) << bit % 64;
    return odd;
}

pack_signs pack_mirror_signs(pack_signs signs, pack_signs odd) {
    return (pack_signs){{signs.words[0] ^ odd.words[0], signs.words[1] ^ odd.words[1]}};
}

int pack_sign_distance(pack_signs a, pack_signs b) {
    return __builtin_popcountll(a.words[0] ^ b.words[0]) + __builtin_popcountll(a.words[1] ^ b.words[1]);
}
