/* SPDX-License-Identifier: Apache-2.0 */
/* Colour and contrast: gray world, CLAHE. */
#include "filters.h"

#include <math.h>
#include <string.h>

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

typedef uint8_t byte_table[UINT8_MAX + 1];

/* The tiles of an image. Where a side is no multiple of their number, it is continued by mirrored pixels. */
typedef struct tiling {
    int h, w;           /* of a tile */
    int tiles;          /* in each direction */
    byte_table *tables; /* [tiles,tiles] what becomes of a value */
} tiling;

/* Cuts the counts off at `limit`, and adds what was cut off to all of them equally. */
static void limit_counts(int *counts, int limit) {
    enum { VALUES = UINT8_MAX + 1 };
    int cut = 0;
    for (int v = 0; v < VALUES; v++)
        if (counts[v] > limit) {
            cut += counts[v] - limit;
            counts[v] = limit;
        }
    int rest = cut % VALUES, step = rest > 0 && VALUES / rest > 1 ? VALUES / rest : 1;
    for (int v = 0; v < VALUES; v++)
        counts[v] += cut / VALUES;
    for (int v = 0; v < VALUES && rest > 0; v += step, rest--)
        counts[v]++;
}

/* Makes the table that equalises the values of the tile in row `row` and column `column`. */
static void equalise(const tiling *t, const cs_image *image, int row, int column, float clip_limit, uint8_t *table) {
    const int size = t->h * t->w;
    const float scale = (float)UINT8_MAX / (float)size;
    int counts[UINT8_MAX + 1] = {0}, sum = 0, limit = (int)(clip_limit * (float)size / (UINT8_MAX + 1));
    for (int y = row * t->h; y < (row + 1) * t->h; y++)
        for (int x = column * t->w; x < (column + 1) * t->w; x++)
            counts[image->pixels[((size_t)cs_mirror(y, image->h) * (size_t)image->w + (size_t)cs_mirror(x, image->w)) *
                                 3]]++;
    limit_counts(counts, limit > 1 ? limit : 1);
    for (int v = 0; v <= UINT8_MAX; v++) {
        sum += counts[v];
        table[v] = cs_to_byte((double)((float)sum * scale));
    }
}

/* Between which tiles a position lies. */
typedef struct between {
    int lower, upper;
    float weight; /* of the upper one */
} between;

static between find_tiles(int at, int size, int tiles) {
    const float place = (float)at * (1 / (float)size) - 0.5F, below = floorf(place);
    const int lower = (int)below, upper = lower + 1;
    return (between){lower > 0 ? lower : 0, upper < tiles ? upper : tiles - 1, place - below};
}

static uint8_t blend(const tiling *t, between row, between column, uint8_t value) {
    float sides[2];
    for (int k = 0; k < 2; k++) {
        const byte_table *tables = t->tables + (size_t)(k > 0 ? row.upper : row.lower) * (size_t)t->tiles;
        sides[k] = (float)tables[column.lower][value] * (1 - column.weight) +
                   (float)tables[column.upper][value] * column.weight;
    }
    return cs_to_byte((double)(sides[0] * (1 - row.weight) + sides[1] * row.weight));
}

/* Contrast-limited adaptive histogram equalisation of the lightness, as OpenCV's createCLAHE does it. */
cs_status cs_clahe_apply(const float *value, cs_filter_scratch *scratch, cs_image *image) {
    const int h = image->h, w = image->w;
    tiling t = {.tiles = (int)value[1]};
    const bool fits = h % t.tiles == 0 && w % t.tiles == 0;
    t.h = (fits ? h : h + t.tiles - h % t.tiles) / t.tiles;
    t.w = (fits ? w : w + t.tiles - w % t.tiles) / t.tiles;
    CS_TRY(cs_scratch_take(scratch, (size_t)t.tiles * (size_t)t.tiles, sizeof *t.tables, &t.tables));
    cs_rgb_to_lab(image->pixels, (size_t)h * (size_t)w);
    for (int row = 0; row < t.tiles; row++)
        for (int column = 0; column < t.tiles; column++)
            equalise(&t, image, row, column, value[0], t.tables[(size_t)row * (size_t)t.tiles + (size_t)column]);
    for (int y = 0; y < h; y++) {
        const between row = find_tiles(y, t.h, t.tiles);
        for (int x = 0; x < w; x++) {
            uint8_t *lightness = image->pixels + ((size_t)y * (size_t)w + (size_t)x) * 3;
            *lightness = blend(&t, row, find_tiles(x, t.w, t.tiles), *lightness);
        }
    }
    cs_lab_to_rgb(image->pixels, (size_t)h * (size_t)w);
    return CS_OK;
}
