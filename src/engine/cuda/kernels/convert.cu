/* Between fp32 and the engine's type, and from bytes. */
#include "kernel.cuh"

template <typename T, int N> static __global__ void from_float(size_t packs, const float *x, T *y) {
    CU_EACH(i, packs) {
        float values[N];
        cu_load(x + i * N, values);
        cu_store(y + i * N, values);
    }
}

template <typename T, int N> static __global__ void to_float(size_t packs, const T *x, float *y) {
    CU_EACH(i, packs) {
        float values[N];
        cu_load(x + i * N, values);
        cu_store(y + i * N, values);
    }
}

/* An image's pixels, and what flips and brightness make of each, as src/data/augment.c. */
template <typename T>
static __global__ void pixels_of_batch(size_t pixels, int h, int w, const uint8_t *const *images,
                                       const cu_picture *pictures, cs_preprocess preprocess, T *x) {
    CU_EACH(i, pixels) {
        unsigned column, line;
        size_t row = cu_divide(cu_divide(i, (unsigned)w, &column), (unsigned)h, &line);
        cu_picture picture = pictures[row];
        if (picture.horizontal_flip)
            column = (unsigned)w - 1 - column;
        if (picture.vertical_flip)
            line = (unsigned)h - 1 - line;
        const uint8_t *pixel = images[row] + ((size_t)line * (unsigned)w + column) * 3;
        for (int c = 0; c < 3; c++) {
            float level = picture.brightness * (float)pixel[preprocess.bgr ? 2 - c : c];
            level = level <= 0 ? 0 : level >= 255 ? 255 : truncf(level);
            cu_round(cu_sum(cu_product(level, preprocess.multiply[c]), preprocess.add[c]), &x[i * 3 + c]);
        }
    }
}

extern "C" {

void cu_k_from_float(cu_stream stream, cu_type type, size_t count, const float *x, void *y) {
    CU_WITH_PACK(T, N, type, cu_is_wide(type, count, x, y),
                 CU_LAUNCH((from_float<T, N>), cu_grid(count / N), CU_THREADS, stream, count / N, x, (T *)y));
}

void cu_k_to_float(cu_stream stream, cu_type type, size_t count, const void *x, float *y) {
    CU_WITH_PACK(T, N, type, cu_is_wide(type, count, x, y),
                 CU_LAUNCH((to_float<T, N>), cu_grid(count / N), CU_THREADS, stream, count / N, (const T *)x, y));
}

void cu_k_pixels(cu_stream stream, cu_type type, int batch, int h, int w, const uint8_t *const *images,
                 const cu_picture *pictures, const cs_preprocess *preprocess, void *x) {
    size_t pixels = (size_t)batch * (size_t)h * (size_t)w;
    CU_WITH_TYPE(T, type,
                 CU_LAUNCH(pixels_of_batch<T>, cu_grid(pixels), CU_THREADS, stream, pixels, h, w, images, pictures,
                           *preprocess, (T *)x));
}
}
