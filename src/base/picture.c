/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/picture.h"

#include <string.h>

void cs_picture_init(cs_picture *picture, int h, int w) {
    static const float identity[2][3] = {{1, 0, 0}, {0, 1, 0}};
    picture->h = h;
    picture->w = w;
    memcpy(picture->map, identity, sizeof identity);
    picture->moves = picture->recolours = false;
}

void cs_picture_move(cs_picture *picture, const float by[2][3]) {
    for (int row = 0; row < 2; row++) {
        float *map = picture->map[row];
        const float x = map[0], y = map[1], offset = map[2];
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
