/* SPDX-License-Identifier: Apache-2.0 */
/* Positions of windows in images. */
#ifndef CNNSWEEP_ENGINE_CUDA_WINDOW_CUH
#define CNNSWEEP_ENGINE_CUDA_WINDOW_CUH

#include "kernel.cuh"

typedef struct cu_place {
    size_t row;
    int line, column;
    unsigned c; /* index of the pack among the pixel's channels */
} cu_place;

/* The position of item i, counted in the order [row, line, column, c]. */
static __device__ inline cu_place cu_place_of(size_t i, unsigned packs, int columns, int lines) {
    cu_place place;
    unsigned column, line;
    i = cu_divide(i, packs, &place.c);
    i = cu_divide(i, (unsigned)columns, &column);
    place.row = cu_divide(i, (unsigned)lines, &line);
    place.line = (int)line;
    place.column = (int)column;
    return place;
}

/* The index of a pack in an image [batch,lines,columns,packs]. */
static __device__ inline size_t cu_pack_at(size_t row, int line, int column, unsigned c, int lines, int columns,
                                           unsigned packs) {
    return ((row * (unsigned)lines + (unsigned)line) * (unsigned)columns + (unsigned)column) * packs + c;
}

static __device__ inline bool cu_inside(int i, int size) {
    return (unsigned)i < (unsigned)size;
}

/* Positions [first, last) of an axis. */
typedef struct cu_range {
    int first, last;
} cu_range;

/* The range of an input axis that the window of output `o` covers. */
static __device__ inline cu_range cu_covered(int o, int stride, int pad, int kernel, int size) {
    int first = o * stride - pad, last = first + kernel;
    cu_range range = {first < 0 ? 0 : first, last < size ? last : size};
    return range;
}

/* The outputs, of `size`, whose windows cover input i. */
static __device__ inline cu_range cu_covering(int i, int stride, int pad, int kernel, int size) {
    int behind = (i + pad) / stride + 1;
    cu_range range = {i + pad < kernel ? 0 : (i + pad - kernel) / stride + 1, behind < size ? behind : size};
    return range;
}

#endif
