/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be made of one image: from where each of its pixels is taken, and what becomes of its colours.
 * Augmentation composes it rule by rule (augment.h). Whoever carries it out knows no rules: cs_augment_apply does it on
 * the host, cu_k_pixels (src/engine/cuda/kernels.h) on a GPU, and both give the same bytes.
 *
 * What a rule needs that is not here yet is a field of cs_picture, which both of them learn: for perspective a third
 * row of `map`, which then is divided by; for interpolation and for what lies beyond the edges (Keras' fill_mode) a way
 * to find the value at a place of the source; for saturation and hue a matrix over the channels, after `level`. */
#ifndef CNNSWEEP_PICTURE_H
#define CNNSWEEP_PICTURE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct cs_picture {
    int h, w; /* of the image, before and after */
    /* Pixel (x, y) of the result shows the source at (map[0][0]*x + (map[0][1]*y + map[0][2]),
     * map[1][0]*x + (map[1][1]*y + map[1][2])). Whole numbers are the centres of pixels, (0, 0) is the centre of the
     * first one. It shows the nearest pixel, of two equally near ones the one with the larger number; beyond an edge
     * that is the pixel at the edge. Each product and each sum is rounded to float. */
    float map[2][3];
    /* Where `recolours`: value v of channel c (in RGB) becomes level[c][v], after the map. Else undefined. */
    uint8_t level[3][256];
    bool moves;     /* else the map is the identity */
    bool recolours; /* else values stay as they are */
} cs_picture;

/* The image as it is. */
void cs_picture_init(cs_picture *picture, int h, int w);

/* What the picture shows at (x, y) before, it shows after it where `by` sends (x, y) to: map becomes map * by. */
void cs_picture_move(cs_picture *picture, const float by[2][3]);

/* Each value v of each channel that the picture has before becomes table[v]. */
void cs_picture_recolour(cs_picture *picture, const uint8_t table[256]);

#endif
