/* SPDX-License-Identifier: Apache-2.0 */
/* A picture describes what is made of one image: where in the source each pixel is taken from, and how its colours
 * change. Augmentation composes it rule by rule (augment.h). The code that carries it out knows no rules:
 * cs_augment_apply does so on the host, cu_k_pixels (src/engine/cuda/kernels.h) on a GPU, and both give the same bytes.
 *
 * To support a rule that needs more, add a field to cs_picture and handle it in both of them. Perspective needs a third
 * row of `map`, by which the coordinates are divided; interpolation and Keras' fill_mode (what lies beyond the edges)
 * need a way to find the value at a position of the source; saturation and hue need a matrix over the channels, applied
 * after `level`. */
#ifndef CNNSWEEP_PICTURE_H
#define CNNSWEEP_PICTURE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct cs_picture {
    int h, w; /* height and width of the image, which do not change */
    /* Pixel (x, y) of the result shows the source at (map[0][0]*x + (map[0][1]*y + map[0][2]), map[1][0]*x +
     * (map[1][1]*y + map[1][2])). Whole numbers are the centres of pixels, and (0, 0) is the centre of the first one.
     * The nearest pixel is taken; of two equally near ones, the one with the larger index. Beyond an edge, the pixel at
     * the edge is taken. Each product and each sum is rounded to float. */
    float map[2][3];
    /* If `recolours` is set, value v of channel c (in RGB) becomes level[c][v], after the map. Else undefined. */
    uint8_t level[3][256];
    bool moves;     /* false: the map is the identity */
    bool recolours; /* false: the values do not change */
} cs_picture;

/* Sets the picture that leaves an image of h x w unchanged. */
void cs_picture_init(cs_picture *picture, int h, int w);

/* Moves the picture: what it showed at the point `by` * (x, y) it shows at (x, y) now. The map becomes map * by. */
void cs_picture_move(cs_picture *picture, const float by[2][3]);

/* Changes the colours further: the value v that the picture gave in any channel becomes table[v]. */
void cs_picture_recolour(cs_picture *picture, const uint8_t table[256]);

#endif
