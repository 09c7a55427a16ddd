/* SPDX-License-Identifier: Apache-2.0 */
/* Contrast-limited adaptive histogram equalisation of the lightness, with the arithmetic of OpenCV's createCLAHE. */
#include "exact.h"

#include <math.h>
#include <stdbool.h>

typedef uint8_t byte_table[UINT8_MAX + 1];

/* The tiles of an image. Where a side is no multiple of their number, it is continued by mirrored pixels. */
typedef struct tiling {
    int h, w;           /* of a tile */
    int across, down;   /* how many there are */
    byte_table *tables; /* [down,across] what becomes of a value */
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

/* Makes the table that equalises the lightness of the tile in row `row` and column `column` of an image [h,w,3]. */
static void equalise(const tiling *t, const uint8_t *lab, int h, int w, int row, int column, double clip_limit) {
    const int size = t->h * t->w, limit = (int)(clip_limit * size / (UINT8_MAX + 1));
    const float scale = (float)UINT8_MAX / (float)size;
    uint8_t *table = t->tables[(size_t)row * (size_t)t->across + (size_t)column];
    int counts[UINT8_MAX + 1] = {0}, sum = 0;
    for (int y = row * t->h; y < (row + 1) * t->h; y++) {
        const uint8_t *line = lab + (size_t)cs_mirror(y, h) * (size_t)w * 3;
        for (int x = column * t->w; x < (column + 1) * t->w; x++)
            counts[line[(ptrdiff_t)cs_mirror(x, w) * 3]]++;
    }
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
        const byte_table *tables = t->tables + (size_t)(k > 0 ? row.upper : row.lower) * (size_t)t->across;
        sides[k] = (float)tables[column.lower][value] * (1 - column.weight) +
                   (float)tables[column.upper][value] * column.weight;
    }
    return cs_to_byte((double)(sides[0] * (1 - row.weight) + sides[1] * row.weight));
}

size_t cs_clahe_memory(int across, int down) {
    return (size_t)across * (size_t)down * sizeof(byte_table);
}

/* The side of a tile of a line of n pixels, which OpenCV makes longer in both directions or in none. */
static int side_of(int n, int tiles, bool fits) {
    return (fits ? n : n + tiles - n % tiles) / tiles;
}

void cs_clahe(double clip_limit, int across, int down, int h, int w, void *memory, uint8_t *pixels) {
    const bool fits = h % down == 0 && w % across == 0;
    const tiling t = {
        .h = side_of(h, down, fits), .w = side_of(w, across, fits), .across = across, .down = down, .tables = memory};
    cs_rgb_to_lab(pixels, (size_t)h * (size_t)w);
    for (int row = 0; row < down; row++)
        for (int column = 0; column < across; column++)
            equalise(&t, pixels, h, w, row, column, clip_limit);
    uint8_t *lightness = pixels;
    for (int y = 0; y < h; y++) {
        const between row = find_tiles(y, t.h, t.down);
        for (int x = 0; x < w; x++, lightness += 3)
            *lightness = blend(&t, row, find_tiles(x, t.w, t.across), *lightness);
    }
    cs_lab_to_rgb(pixels, (size_t)h * (size_t)w);
}
