/* SPDX-License-Identifier: Apache-2.0 */
/* A picture describes what is made of one image: a list of passes, each of which makes an image of bytes from the one
 * before. Augmentation composes it step by step (augment.h). The code that carries it out knows no steps:
 * cs_augment_apply does so on the host, cu_k_sweep and cu_k_pixels (src/engine/cuda/kernels.h) on a GPU, and both give
 * the same bytes, since both compute a pixel with picture_sample.h.
 *
 * There are two sorts of passes. A point pass makes each pixel from the same pixel of the image before; consecutive
 * point passes are applied to a pixel one after the other, in one sweep over the image. A pass that gathers makes a
 * pixel from several or other ones, and so begins a new sweep.
 *
 * To add a kind of pass, add a value of cs_pass_kind, its parameters to the union, and its arithmetic to
 * cs_sample_point; or, if it gathers, to cs_sample_first, cs_pass_gathers and the host's lines in
 * src/data/augment/apply.c. */
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
    CS_FILL_MIRROR,   /* d c b | a b c d | c b a: of OpenCV's sampling only */
    CS_FILL_COUNT
} cs_fill;

/* Whose coordinates and arithmetic a warp has. With both, (0, 0) of the map is the corner or the centre of the first
 * pixel as that library has it. */
typedef enum cs_sampling {
    /* scipy.ndimage.affine_transform: whole numbers are the centres of pixels. The map's third row is not used. */
    CS_SAMPLING_SCIPY,
    /* Pillow's Image.transform: whole numbers are the edges of pixels, and values are truncated to bytes. A point
     * outside the image shows the fill value, whatever `fill` says. */
    CS_SAMPLING_PILLOW,
    /* Pillow's Image.transform with NEAREST and an affine map, whose numbers it rounds to multiples of 2^-16. */
    CS_SAMPLING_PILLOW_FIXED,
    /* TensorFlow's ImageProjectiveTransformV3, which layers of Keras 3 call: whole numbers are the centres of pixels.
     * CONSTANT blends between the edge and the value one pixel beyond it. WRAP moves by n pixels. The last line of the
     * map is (., ., 1). */
    CS_SAMPLING_TENSORFLOW,
    /* OpenCV's warpAffine: whole numbers are the centres of pixels, and halves of values are rounded to even ones. With
     * CONSTANT, all pixels beyond the edges have the value. There is no WRAP. */
    CS_SAMPLING_OPENCV,
    CS_SAMPLING_COUNT
} cs_sampling;

/* What happens to the values between the source's that a warp of scipy's gives, before they are rounded. Both changes
 * refer to the smallest and the largest of them, over all pixels and channels. */
typedef struct cs_adjustment {
    bool shifts; /* adds `shift`, and clips to that range */
    float shift;
    bool stretches; /* then maps that range to 0..255 */
    bool truncates; /* rounds to the next smaller byte; else to the nearest */
} cs_adjustment;

/* Pixel (x, y) shows the source at (u/q, v/q), where (u, v, q) = map * (x, y, 1). */
typedef struct cs_warp {
    double map[3][3];
    cs_sampling sampling;
    cs_fill fill;
    float fill_value[3]; /* CONSTANT, by channel */
    bool nearest; /* takes the nearest pixel, of two equally near ones that with the larger index; else bilinear */
    bool resizes; /* TENSORFLOW: as tf.image.resize, bilinear, by the first two numbers of the map's diagonal alone */
    bool mirror_x, mirror_y; /* then the result is mirrored left to right, top to bottom */
    cs_adjustment adjustment;
} cs_warp;

/* A table of levels that depends on the image's histogram. */
typedef enum cs_curve_kind {
    CS_CURVE_AUTOCONTRAST,       /* ImageOps.autocontrast: each channel to 0..255 */
    CS_CURVE_EQUALIZE,           /* ImageOps.equalize of each channel */
    CS_CURVE_AUTOCONTRAST_KERAS, /* Keras' AutoContrast, the same but for rounding */
    CS_CURVE_EQUALIZE_KERAS,     /* Keras' Equalization */
    CS_CURVE_KINDS
} cs_curve_kind;

typedef struct cs_curve {
    cs_curve_kind kind;
    int bins; /* EQUALIZE_KERAS: of the histogram */
} cs_curve;

/* Pillow's ImageEnhance: base + factor * (value - base). */
typedef enum cs_blend_base {
    CS_BLEND_BLACK, /* Brightness */
    CS_BLEND_MEAN,  /* Contrast: the mean of the grey image, rounded */
    CS_BLEND_GREY,  /* Color: the grey image */
} cs_blend_base;

typedef struct cs_blend {
    cs_blend_base base;
    float factor;
} cs_blend;

/* A rectangle of pixels from (left, top) on. */
typedef struct cs_box {
    int top, left, h, w;
} cs_box;

/* Keras' RandomColorJitter: changes of a pixel one after the other, in floats. */
typedef struct cs_jitter {
    float brightness; /* is added to all values */
    float contrast;   /* the factor of the distance to the channel's mean */
    float saturation; /* the factor of the saturation in HSV */
    float most;       /* the saturation is at most this */
    float hue;        /* is added to the hue, in turns from -1 to 1 */
} cs_jitter;

/* Boxes that are filled one after the other. */
enum { CS_BOXES = 8 };
typedef struct cs_patches {
    int n;
    cs_box boxes[CS_BOXES];
    uint8_t value[CS_BOXES][3]; /* in RGB */
    bool random;                /* each value of each pixel is a random byte instead, of the stream `key` */
    uint32_t key;
} cs_patches;

/* To each value of the pixels in a box a random whole number is added, of the stream `key`: with equal probabilities k
 * or -k, where k follows `table` (cs_noise_normal makes it). */
typedef struct cs_noise {
    uint32_t key;
    cs_box box;
    bool is_grey; /* the same number for the channels of a pixel */
    /* Walker's alias table: of column i, that 2^-23 * (entry >> 8) is the number i, the rest entry & 255. */
    uint32_t table[256];
} cs_noise;

/* Weighted sums over a rectangle around the pixel: down each column, then across. Beyond the edges the image is
 * mirrored without its last line: c b | a b c d | c b; or it is black. */
enum { CS_BLUR_RADIUS = 31 };
typedef struct cs_blur {
    int across, down; /* how far the rectangle reaches to each side of the pixel */
    bool black_edges;
    float weight_across[2 * CS_BLUR_RADIUS + 1], weight_down[2 * CS_BLUR_RADIUS + 1];
} cs_blur;

/* Weighted sums over some of the pixels around the pixel; beyond the edges the image is mirrored as for a blur. */
typedef struct cs_kernel_point {
    int x, y; /* from the pixel */
    float weight;
} cs_kernel_point;
enum { CS_KERNEL_POINTS = 64 };
typedef struct cs_kernel {
    int n;
    cs_kernel_point points[CS_KERNEL_POINTS];
} cs_kernel;

/* One direction of a grid: its first `cells` cells are `side` pixels wide each, or what is left of the line for the
 * last one. Pixel i of cell k shows the source at start[k] + i * by[k], the last one of more at start[k + 1]; a pixel
 * after all cells shows it at 0. */
enum { CS_GRID_CELLS = 17 };
typedef struct cs_grid_axis {
    int side, cells;
    double start[CS_GRID_CELLS + 1], by[CS_GRID_CELLS];
} cs_grid_axis;

/* Columns and lines are stretched, each for itself, as by OpenCV's remap. */
typedef struct cs_grid {
    cs_warp warp; /* only what lies beyond the edges, and whether the nearest pixel is taken */
    cs_grid_axis across, down;
} cs_grid;

/* Contrast-limited adaptive histogram equalization of the lightness L of L*a*b*, as OpenCV's createCLAHE does it. */
typedef struct cs_clahe_tiles {
    double clip_limit;
    int across, down; /* how many tiles a line and a column of the image are divided into */
} cs_clahe_tiles;

typedef enum cs_pass_kind {
    CS_PASS_WARP,      /* warp */
    CS_PASS_LEVELS,    /* level: byte v of channel c (in RGB) becomes level[c][v] */
    CS_PASS_CURVE,     /* curve: a table of levels that is made for the image */
    CS_PASS_BLEND,     /* blend */
    CS_PASS_HUE,       /* turn: is added to the hue, of 256 in a circle, in Pillow's HSV */
    CS_PASS_HSV,       /* level: the tables of hue (0 to 179), saturation and value in OpenCV's HSV */
    CS_PASS_RESAMPLE,  /* box: the part of the image before that Pillow's Image.crop takes, and Image.resize brings to
                        * the size of the pass with the antialiased BILINEAR filter */
    CS_PASS_SHARPNESS, /* factor: Pillow's Sharpness blends with the smoothed image */
    CS_PASS_BLUR,      /* blur */
    CS_PASS_PATCHES,   /* patches */
    CS_PASS_NOISE,     /* noise */
    CS_PASS_KERNEL,    /* kernel */
    CS_PASS_JITTER,    /* jitter */
    CS_PASS_DEGENERATION, /* factor: Keras' RandomColorDegeneration blends with the grey image; 1 gives the grey image
                           */
    CS_PASS_SHARPNESS_KERAS, /* factor: of the image, of which the rest is smoothed, as in Keras' RandomSharpness */
    CS_PASS_JPEG,            /* quality: what is left after JPEG with half the chroma; only the host can do it */
    CS_PASS_CLAHE,           /* clahe; only the host can do it */
    CS_PASS_GRID,            /* grid */
    CS_PASS_KINDS
} cs_pass_kind;

typedef struct cs_pass {
    cs_pass_kind kind;
    int h, w; /* of the image that it makes; a point pass keeps the size */
    union {
        cs_warp warp;
        uint8_t level[3][256];
        cs_curve curve;
        cs_blend blend;
        float factor;
        int turn;
        int quality;
        cs_box box;
        cs_blur blur;
        cs_patches patches;
        cs_noise noise;
        cs_kernel kernel;
        cs_jitter jitter;
        cs_clahe_tiles clahe;
        cs_grid grid;
    };
} cs_pass;

enum { CS_PICTURE_PASSES = 16 }; /* the most passes */

typedef struct cs_picture {
    int h, w; /* height and width of the image of which it is made */
    int n;
    cs_pass passes[CS_PICTURE_PASSES];
    /* While Keras' generator composes it: how the next warp samples, and whether rules follow Keras until 2.8, else
     * from 2.9 on. */
    cs_warp settings;
    bool is_of_keras_2_8;
} cs_picture;

/* Of cs_curve: the number of pixels with each byte, by channel, and with each grey value ((19595 R + 38470 G + 7471 B +
 * 2^15) / 2^16). */
typedef struct cs_histogram {
    uint32_t count[4][256];
} cs_histogram;

/* What a pass has to know of the whole image before its first pixel can be made. */
typedef union cs_pass_facts {
    float range[2];        /* WARP: the smallest and the largest value, if its adjustment needs them */
    uint8_t level[3][256]; /* CURVE: the table made of the histogram of the image before */
    int grey;              /* BLEND with the MEAN, of the image before */
    float mean[3];         /* JITTER with contrast: the means of the channels after the change of brightness */
} cs_pass_facts;

/* Sets the picture that leaves an image of h x w unchanged. */
void cs_picture_init(cs_picture *picture, int h, int w);

/* The size of the image that the passes so far make. */
void cs_picture_size(const cs_picture *picture, int *h, int *w);

/* Appends a pass that keeps the size, the other members of which are 0, and returns it. There must be room. */
cs_pass *cs_picture_add(cs_picture *picture, cs_pass_kind kind);

/* Appends a warp that samples as `settings` says and has the identity as its map, and returns it; or returns the last
 * pass if it is a warp with the same sampling whose values are not rounded yet. */
cs_warp *cs_picture_warp(cs_picture *picture);

/* Moves what cs_picture_warp returns: what it showed at the point `by` * (x, y) it shows at (x, y) now. The map becomes
 * map * by. */
void cs_picture_move(cs_picture *picture, const double by[2][3]);

/* Mirrors the picture left to right, or top to bottom. */
void cs_picture_mirror(cs_picture *picture, bool x, bool y);

/* Changes the values further: the byte v that the picture gave in any channel becomes table[v]. */
void cs_picture_recolour(cs_picture *picture, const uint8_t table[256]);

/* Makes the table of noise of a normal law with mean 0 and this standard deviation, truncated to whole numbers. */
void cs_noise_normal(double deviation, uint32_t table[256]);

/* What a pass must know of the whole image. */
typedef enum cs_facts_kind {
    CS_FACTS_NONE,
    CS_FACTS_RANGE,    /* of the values of a warp */
    CS_FACTS_HISTOGRAM /* what cs_sample_facts makes of the histogram of the image before */
} cs_facts_kind;
cs_facts_kind cs_pass_needs(const cs_pass *pass);

/* The end of the sweep that begins with pass `begin`: the index after its last pass. */
int cs_picture_sweep(const cs_picture *picture, int begin);

/* Does the pass begin a sweep wherever it stands, because it gathers? */
bool cs_pass_gathers(const cs_pass *pass);

#endif
