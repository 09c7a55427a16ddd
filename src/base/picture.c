/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/picture.h"

#include <string.h>

void cs_picture_init(cs_picture *picture, int h, int w) {
    picture->h = h;
    picture->w = w;
    picture->warp = (cs_warp){.map = {{1, 0, 0}, {0, 1, 0}}};
    picture->adjustment = (cs_adjustment){0};
    picture->is_of_keras_2_8 = picture->moves = picture->recolours = false;
}

bool cs_picture_is_plain(const cs_picture *picture) {
    return !picture->moves && !picture->recolours && !cs_adjustment_needs_range(&picture->adjustment);
}

bool cs_adjustment_needs_range(const cs_adjustment *adjustment) {
    return adjustment->shifts || adjustment->stretches;
}

void cs_picture_move(cs_picture *picture, const double by[2][3]) {
    for (int row = 0; row < 2; row++) {
        double *map = picture->warp.map[row];
        const double x = map[0], y = map[1], offset = map[2];
        for (int column = 0; column < 3; column++)
            map[column] = x * by[0][column] + y * by[1][column];
        map[2] += offset;
    }
    picture->moves = true;
}

void cs_picture_recolour(cs_picture *picture, const uint8_t table[256]) {
    for (int c = 0; c < 3; c++)
        for (int v = 0; v < 256; v++)
            picture->level[c][v] = table[picture->recolours ? picture->level[c][v] : v];
    picture->recolours = true;
}
