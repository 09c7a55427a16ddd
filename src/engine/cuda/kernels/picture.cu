/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the images that pictures describe, as src/data/augment/apply.c does on the host: sweep by sweep. */
#include "philox.cuh"

#define CS_SAMPLE              static __device__ inline
#define CS_PRODUCT(a, b)       cu_product((double)(a), (double)(b))
#define CS_SUM(a, b)           cu_sum((double)(a), (double)(b))
#define CS_FLOAT_PRODUCT(a, b) cu_product((float)(a), (float)(b))
#define CS_FLOAT_SUM(a, b)     cu_sum((float)(a), (float)(b))
#define CS_PHILOX              cu_philox
#include "cnnsweep/mix_sample.h"
#include "cnnsweep/picture_sample.h"

/* The image that a sweep of the picture reads. */
static __device__ inline const uint8_t *source_of(const cu_picture &picture, int sweep) {
    return sweep == 0 ? picture.image : picture.made[(sweep - 1) % 2];
}

/* Pixel (x, y) after a sweep. A picture without passes has one sweep, which changes nothing. */
static __device__ inline void pixel_after(const cu_picture &picture, int sweep, int h, int w, int x, int y,
                                          uint8_t (&rgb)[3]) {
    const uint8_t *source = source_of(picture, sweep);
    const int begin = picture.begins[sweep], end = picture.begins[sweep + 1];
    if (begin == end) {
        for (int c = 0; c < 3; c++)
            rgb[c] = source[((size_t)y * (size_t)w + (size_t)x) * 3 + c];
        return;
    }
    cs_sample_first(&picture.passes[begin], picture.facts, source, h, w, x, y, rgb);
    for (int i = begin + 1; i < end; i++)
        cs_sample_point(&picture.passes[i], picture.facts, x, y, rgb);
}

/* The threads of a block find the range of a warp's values. */
static __device__ void find_range(const cs_pass &warp, const uint8_t *source, int h, int w, float *range) {
    float lowest = INFINITY, highest = -INFINITY;
    for (size_t i = threadIdx.x; i < (size_t)h * (size_t)w; i += blockDim.x) {
        unsigned column;
        const size_t line = cu_divide(i, (unsigned)w, &column);
        double values[3];
        cs_sample_warp(&warp, source, h, w, (int)column, (int)line, values);
        for (int c = 0; c < 3; c++) {
            lowest = fminf(lowest, (float)values[c]);
            highest = fmaxf(highest, (float)values[c]);
        }
    }
    highest = block_largest(highest);
    lowest = -block_largest(-lowest);
    if (threadIdx.x == 0) {
        range[0] = lowest;
        range[1] = highest;
    }
}

/* They count the image's bytes, and three of them find what follows from the counts. */
static __device__ void find_histogram_facts(const cs_pass &pass, const uint8_t *source, int64_t pixels,
                                            cs_pass_facts *facts) {
    CU_SHARED(cs_histogram, histograms, [1]);
    uint32_t *counts = histograms[0].count[0];
    for (unsigned i = threadIdx.x; i < 4 * 256; i += blockDim.x)
        counts[i] = 0;
    __syncthreads();
    for (int64_t i = threadIdx.x; i < pixels; i += blockDim.x) {
        const uint8_t *rgb = source + i * 3;
        for (int c = 0; c < 3; c++)
            atomicAdd(&counts[c * 256 + rgb[c]], 1u);
        atomicAdd(&counts[3 * 256 + cs_sample_grey(rgb[0], rgb[1], rgb[2])], 1u);
    }
    __syncthreads();
    for (int c = (int)threadIdx.x; c < 3; c += (int)blockDim.x)
        cs_sample_facts(&pass, &histograms[0], pixels, c, facts);
}

/* One block finds the facts of one picture's sweep. */
static __global__ void facts_of_sweep(int h, int w, int sweep, const cu_picture *pictures) {
    const cu_picture &picture = pictures[blockIdx.x];
    if (sweep >= picture.sweeps || picture.needs[sweep] == CS_FACTS_NONE)
        return;
    const cs_pass &pass = picture.passes[picture.begins[sweep]];
    const uint8_t *source = source_of(picture, sweep);
    if (picture.needs[sweep] == CS_FACTS_RANGE)
        find_range(pass, source, h, w, picture.facts->range);
    else
        find_histogram_facts(pass, source, (int64_t)h * w, picture.facts);
}

static __global__ void images_of_sweep(size_t pixels, int h, int w, int sweep, const cu_picture *pictures) {
    CU_EACH(i, pixels) {
        unsigned column, line;
        const size_t row = cu_divide(cu_divide(i, (unsigned)w, &column), (unsigned)h, &line);
        const cu_picture &picture = pictures[row];
        uint8_t rgb[3];
        if (sweep + 1 >= picture.sweeps)
            continue;
        pixel_after(picture, sweep, h, w, (int)column, (int)line, rgb);
        for (int c = 0; c < 3; c++)
            picture.made[sweep % 2][((size_t)line * (size_t)w + column) * 3 + c] = rgb[c];
    }
}

/* Makes pixel (x, y) by the last sweep of the picture, and converts it to floats. */
static __device__ inline void last_pixel(const cu_picture &picture, int h, int w, int x, int y,
                                         const cs_preprocess &preprocess, float (&values)[3]) {
    uint8_t rgb[3];
    pixel_after(picture, picture.sweeps - 1, h, w, x, y, rgb);
    for (int c = 0; c < 3; c++)
        values[c] =
            cu_sum(cu_product((float)rgb[preprocess.bgr ? 2 - c : c], preprocess.multiply[c]), preprocess.add[c]);
}

template <typename T, bool MIXES>
static __global__ void pixels_of_batch(size_t pixels, int h, int w, const cu_picture *pictures,
                                       cs_preprocess preprocess, T *x) {
    CU_EACH(i, pixels) {
        unsigned column, line;
        const cu_picture &picture = pictures[cu_divide(cu_divide(i, (unsigned)w, &column), (unsigned)h, &line)];
        float values[3], others[3];
        last_pixel(picture, h, w, (int)column, (int)line, preprocess, values);
        if (MIXES && picture.partner && cs_mix_reaches(&picture.mixed, (int)column, (int)line)) {
            last_pixel(*picture.partner, h, w, (int)column, (int)line, preprocess, others);
            for (int c = 0; c < 3; c++)
                values[c] = cs_mix_value(picture.mixed.image, values[c], others[c]);
        }
        for (int c = 0; c < 3; c++)
            cu_round(values[c], &x[i * 3 + c]);
    }
}

template <bool MIXES>
static void make_pixels(cu_stream stream, cu_type type, int n, int h, int w, const cu_picture *pictures,
                        const cs_preprocess *preprocess, void *x) {
    const size_t pixels = (size_t)n * (size_t)h * (size_t)w;
    CU_WITH_TYPE(T, type,
                 CU_LAUNCH((pixels_of_batch<T, MIXES>), cu_grid(pixels), CU_THREADS, stream, pixels, h, w, pictures,
                           *preprocess, (T *)x));
}

extern "C" {

void cu_k_sweep_facts(cu_stream stream, int n, int h, int w, int sweep, const cu_picture *pictures) {
    CU_LAUNCH(facts_of_sweep, (unsigned)n, CU_THREADS, stream, h, w, sweep, pictures);
}

void cu_k_sweep(cu_stream stream, int n, int h, int w, int sweep, const cu_picture *pictures) {
    const size_t pixels = (size_t)n * (size_t)h * (size_t)w;
    CU_LAUNCH(images_of_sweep, cu_grid(pixels), CU_THREADS, stream, pixels, h, w, sweep, pictures);
}

void cu_k_pixels(cu_stream stream, cu_type type, int n, int h, int w, const cu_picture *pictures, bool mixes,
                 const cs_preprocess *preprocess, void *x) {
    (mixes ? make_pixels<true> : make_pixels<false>)(stream, type, n, h, w, pictures, preprocess, x);
}
}
