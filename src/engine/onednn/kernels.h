/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's own loops, for operations that oneDNN does not have or does not fuse. kernels.c is compiled once for
 * each instruction set, and the engine chooses the table for this machine at run time.
 *
 * Blocked tensors are nChw{B}c: row r, channel block b, pixel p, lane l is at ((r*blocks + b)*pixels + p)*B + l, and
 * channels beyond C are zero. Flat tensors are [rows, C]. Per-channel arrays have blocks*B entries, which are zero
 * beyond C. */
#ifndef CNNSWEEP_ONEDNN_KERNELS_H
#define CNNSWEEP_ONEDNN_KERNELS_H

#include "cnnsweep/graph.h"
#include "cnnsweep/optimizer.h"

typedef struct od_dims {
    int rows;
    int blocks; /* number of blocks of channels */
    int h, w;
    int c; /* channels without padding */
} od_dims;

/* The coefficients of y = act(scale*x + shift), which backward needs, too. */
typedef struct od_affine {
    const float *scale, *shift; /* [blocks*B] */
    cs_activation activation;
} od_affine;

typedef struct od_update {
    cs_optimizer_rule rule;
    float rates[CS_OPTIMIZER_RATES];
    size_t count;
    float *value, *gradient, *state[CS_RULE_STATES];
} od_update;

typedef struct od_kernels {
    const char *name;
    int block; /* B */
    /* partial[r][0][c] = sum of x, partial[r][1][c] = sum of x*x over the pixels of row r; [rows,2,blocks*B] */
    void (*moments)(od_dims dims, const float *x, double *partial);
    void (*affine)(od_dims dims, od_affine affine, const float *x, float *y);
    /* With dz = dy * act'(scale*x + shift): partial[r][0] = sum of dz, partial[r][1] = sum of dz*(x - mean) */
    void (*affine_reduce)(od_dims dims, od_affine affine, const float *mean, const float *x, const float *dy,
                          double *partial);
    /* dx = scale*dz + p*x + q; dx may be dy */
    void (*affine_backward)(od_dims dims, od_affine affine, const float *p, const float *q, const float *x,
                            const float *dy, float *dx);
    /* The same for a planar tensor with one plane [pixels] for each row and channel: `planes` in all, `channels` in a
     * row */
    void (*affine_planar)(size_t planes, size_t channels, size_t pixels, od_affine affine, const float *x, float *y);
    void (*activation)(size_t count, cs_activation activation, const float *x, float *y);
    /* dx = dy * act'(x); dx may be dy */
    void (*activation_backward)(size_t count, cs_activation activation, const float *x, const float *dy, float *dx);
    void (*clear_padding)(od_dims dims, float *y); /* sets the lanes after the last channel to zero */
    /* Elementwise functions: y may be a, b or x */
    void (*add)(size_t count, const float *a, const float *b, float *y);
    void (*add_scaled)(size_t count, float factor, const float *x, float *y); /* y += factor * x */
    void (*multiply)(size_t count, const float *a, const float *b, float *y);
    void (*scale)(size_t count, float factor, const float *x, float *y);
    double (*square_sum)(size_t count, const float *x);
    /* average = momentum*average + (1-momentum)*x */
    void (*average)(size_t count, float momentum, const float *x, float *average);
    /* y = x * gate, where the gate [rows, blocks*B] has one value for each row and channel; and the gate's gradient,
     * which is the sum of dy * x */
    void (*gate)(od_dims dims, const float *x, const float *gate, float *y);
    void (*gate_gradient)(od_dims dims, const float *x, const float *dy, float *dgate);
    /* Copies `count` channels of x, from channel x_at on, to channels of y from y_at on. Lanes of y after its last
     * channel stay zero. The dims differ only in their channels. */
    void (*copy_channels)(od_dims x_dims, const float *x, int x_at, od_dims y_dims, float *y, int y_at, int count);
    /* y is [rows, y_row]; if y is flat, y_row = C, else y is blocked */
    void (*global_average)(od_dims dims, const float *x, size_t y_row, float *y);
    void (*global_average_backward)(od_dims dims, size_t dy_row, const float *dy, float *dx);
    void (*to_nhwc)(od_dims dims, const float *x, float *y);
    void (*from_nhwc)(od_dims dims, const float *x, float *y);
    /* y is x with `window`'s padding around it; backward copies the inner part of dy to dx */
    void (*zero_pad)(od_dims dims, const cs_window *window, const float *x, float *y);
    void (*zero_pad_backward)(od_dims dims, const cs_window *window, const float *dy, float *dx);
    /* dw [blocks][kernel_h][kernel_w][B], which is oneDNN's Goihw{B}g. `dims` is that of x. */
    void (*depthwise_weights)(od_dims dims, const cs_window *window, int out_h, int out_w, const float *x,
                              const float *dy, float *dw);
    /* dw [out blocks][in blocks][kernel_h][kernel_w][B in][B out], which is oneDNN's OIhw{B}i{B}o */
    void (*conv_weights)(od_dims in, od_dims out, const cs_window *window, const float *x, const float *dy, float *dw);
    void (*channel_sums)(od_dims dims, const float *x, float *sums); /* sums over rows and pixels; [blocks*B] */
    void (*update)(const od_update *update);
} od_kernels;

#if defined(__x86_64__)
extern const od_kernels od_kernels_avx512;
extern const od_kernels od_kernels_avx2;
#endif
extern const od_kernels od_kernels_base;

#endif
