/* SPDX-License-Identifier: Apache-2.0 */
/* A picture describes what is made of one image: where in the source each pixel is taken from, and how its values
 * change. Augmentation composes it rule by rule (augment.h). The code that carries it out knows no rules:
 * cs_augment_apply does so on the host, cu_k_pixels (src/engine/cuda/kernels.h) on a GPU, and both give the same bytes,
 * since both compute a value with picture_sample.h.
 *
 * A value is made in this order: the warp gives a float between the source's values; the adjustment shifts or stretches
 * it and rounds it to a byte; the table of levels changes the byte. To support a rule that needs more, add a field and
 * handle it in picture_sample.h. Perspective needs a third row of the map, by which the coordinates are divided;
 * saturation and hue need a matrix over the channels, applied after `level`. */
#ifndef CNNSWEEP_PICTURE_H
#define CNNSWEEP_PICTURE_H

#include <stdbool.h>
#include <stdint.h>

/* What lies beyond the edges of the source: a line of pixels a b c d is continued to its left and its right as in
 * scipy.ndimage and Keras' fill_mode. */
typedef enum cs_fill {
    CS_FILL_NEAREST,  /* a a a | a b c d | d d d */
    CS_FILL_CONSTANT, /* a value; without blending between it and the edge */
    CS_FILL_REFLECT,  /* c b a | a b c d | d c b */
    CS_FILL_WRAP,     /* b c | a b c d | b c: repeats after n - 1 pixels, so that d and the next a are one pixel */
    CS_FILL_COUNT
} cs_fill;

/* Pixel (x, y) of the result shows the source at (map[0][0]*x + (map[0][1]*y + map[0][2]), map[1][0]*x + (map[1][1]*y +
 * map[1][2])). Whole numbers are the centres of pixels, and (0, 0) is the centre of the first one. Each product and
 * each sum is rounded to double. */
typedef struct cs_warp {
    double map[2][3];
    cs_fill fill;
    float fill_value; /* CONSTANT: of all channels */
    bool nearest;     /* takes the nearest pixel, of two equally near ones that with the larger index; else bilinear */
} cs_warp;

/* What happens to the values that the warp gives. Both changes refer to the smallest and the largest of them, over all
 * pixels and channels of the picture. */
typedef struct cs_adjustment {
    bool shifts; /* adds `shift`, and clips to that range */
    float shift;
    bool stretches; /* then maps that range to 0..255 */
    bool truncates; /* rounds to the next smaller byte; else to the nearest */
} cs_adjustment;

typedef struct cs_picture {
    int h, w;             /* height and width of the image, which do not change */
    bool is_of_keras_2_8; /* while it is composed: rules follow Keras' generator until 2.8, else from 2.9 on */
    cs_warp warp;
    cs_adjustment adjustment;
    /* If `recolours` is set, byte v of channel c (in RGB) becomes level[c][v]. Else undefined. */
    uint8_t level[3][256];
    bool moves;     /* false: the map is the identity */
    bool recolours; /* false: no table of levels */
} cs_picture;

/* Sets the picture that leaves an image of h x w unchanged. */
void cs_picture_init(cs_picture *picture, int h, int w);

/* Is it that picture still? */
bool cs_picture_is_plain(const cs_picture *picture);

/* Does a value of it depend on the range of all values? */
bool cs_adjustment_needs_range(const cs_adjustment *adjustment);

/* Moves the picture: what it showed at the point `by` * (x, y) it shows at (x, y) now. The map becomes map * by. */
void cs_picture_move(cs_picture *picture, const double by[2][3]);

/* Changes the values further: the byte v that the picture gave in any channel becomes table[v]. */
void cs_picture_recolour(cs_picture *picture, const uint8_t table[256]);

#endif
