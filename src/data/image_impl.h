/* Inside the image files: what a decoder holds, and the two formats behind cs_decode. */
#ifndef CNNSWEEP_IMAGE_IMPL_H
#define CNNSWEEP_IMAGE_IMPL_H

#include "cnnsweep/image.h"

/* The antialiased bilinear weights of one axis, kept while sizes repeat. */
typedef struct cs_axis {
    int in, out;
    int taps;      /* most inputs of one output */
    int *start;    /* [out] first input */
    int *count;    /* [out] inputs */
    float *weight; /* [out,taps] */
    size_t start_capacity, count_capacity, weight_capacity;
} cs_axis;

struct cs_decoder {
    void *decompress, *compress; /* tjhandle */
    cs_image full;               /* before the resize */
    uint8_t *cmyk;
    size_t cmyk_capacity;
    cs_axis x, y;
    float *row; /* one row, resized vertically */
    size_t row_capacity;
};

/* Refuses empty and enormous images. */
cs_status cs_image_check_size(const char *name, uint64_t h, uint64_t w);

cs_status cs_jpeg_size(cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size, int *h, int *w);
cs_status cs_jpeg_decode(cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size, int target_h,
                         int target_w, cs_image *image);
cs_status cs_png_size(const char *name, const uint8_t *bytes, size_t size, int *h, int *w);
cs_status cs_png_decode(const char *name, const uint8_t *bytes, size_t size, cs_image *image);

/* Scratch for resizing max_h x max_w (or smaller) to h x w. */
cs_status cs_resize_reserve(cs_decoder *decoder, int max_h, int max_w, int h, int w);
void cs_resize_clear(cs_decoder *decoder);
void cs_jpeg_close(cs_decoder *decoder);

#endif
