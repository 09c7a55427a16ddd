/* SPDX-License-Identifier: Apache-2.0 */
/* Inside this folder: where some pixels of a line of a warp lie in the source. */
#ifndef CNNSWEEP_AUGMENT_WARP_H
#define CNNSWEEP_AUGMENT_WARP_H

#include "lines.h"

enum { CS_SOME = 64 }; /* so many pixels of a line are made together */

typedef struct cs_places {
    double u[CS_SOME], v[CS_SOME]; /* the coordinates, brought into the image */
    double weight_x[CS_SOME], weight_y[CS_SOME];
    int left[CS_SOME], right[CS_SOME], upper[CS_SOME], lower[CS_SOME];
    bool all_inside;
    int inside[CS_SOME]; /* 1, or 0: shows the fill value; not set if all are inside */
    /* Is right left + 1, is lower upper + 1, and does the image go on below that? Then right and lower are not set. */
    bool four_neighbours;
} cs_places;

/* Finds the places of n pixels of line y, at most CS_SOME, from x on. Of those that take the nearest pixel, only left
 * and upper are set. */
void cs_find_places(const cs_sweep *s, int x, int y, int n, cs_places *p);

/* The four neighbours of some pixels: of each, the bytes of its channels and of one more. */
typedef struct cs_neighbours {
    uint32_t upper_left[CS_SOME], upper_right[CS_SOME], lower_left[CS_SOME], lower_right[CS_SOME];
} cs_neighbours;

static inline int cs_channel_of(uint32_t neighbour, int c) {
    return (int)(neighbour >> (8 * c) & 255);
}

/* Reads them, from those to the left and above on; all have them, and there is a line more below. */
void cs_load_pairs(const cs_sweep *s, int n, const int *left, const int *upper, cs_neighbours *restrict out);

#endif
