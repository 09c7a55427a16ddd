/* SPDX-License-Identifier: Apache-2.0 */
/* Batch norm (Ioffe and Szegedy 2015), and other sums over the rows of [rows,C], where a row is a pixel. */
#include "kernel.cuh"

/* The division of [rows,C] among blocks: a block sums a stretch of rows for `tile` packs of N channels, and processes
 * `lanes` rows at the same time. The division depends only on shapes, and so does the order of the sums. */
typedef struct cu_share {
    size_t all_rows, rows; /* number of all rows, and of those in a stretch */
    unsigned channels, packs, tile, lanes, tiles, stretches;
} cu_share;

enum {
    CU_TILE = CU_THREADS < 32 ? CU_THREADS : 32, /* adjacent packs: 512 bytes */
    CU_LEAST_ROWS = 8,                           /* fewest rows for each thread */
    CU_MOST_BLOCKS = 1024,
    CU_RUN = 64 /* rows that a thread sums in float before it adds the sum to a double */
};

static unsigned ratio_up(size_t a, size_t b) {
    return (unsigned)((a + b - 1) / b);
}

static cu_share share_out(size_t rows, int channels, int pack) {
    cu_share s;
    s.all_rows = rows;
    s.channels = (unsigned)channels;
    s.packs = (unsigned)(channels / pack);
    s.tiles = ratio_up(s.packs, CU_TILE);
    s.tile = ratio_up(s.packs, s.tiles);
    s.lanes = CU_THREADS / s.tile;
    unsigned most = s.tiles < CU_MOST_BLOCKS ? CU_MOST_BLOCKS / s.tiles : 1;
    unsigned useful = ratio_up(rows, (size_t)s.lanes * CU_LEAST_ROWS);
    s.stretches = useful < 1 ? 1 : useful < most ? useful : most;
    s.rows = (rows + s.stretches - 1) / s.stretches;
    return s;
}

static dim3 blocks_of(const cu_share &share) {
    return dim3(share.tiles, share.stretches);
}

/* The part of a thread: rows first, first + lanes, ... below end, of the channels from `channel` on. */
struct cu_part {
    bool any;
    size_t channel, first, end;
};

static __device__ inline cu_part part_of(const cu_share &share, unsigned pack_size) {
    unsigned lane = threadIdx.x / share.tile, pack = blockIdx.x * share.tile + threadIdx.x % share.tile;
    size_t begin = blockIdx.y * share.rows, end = begin + share.rows;
    return {lane < share.lanes && pack < share.packs, (size_t)pack * pack_size, begin + lane,
            end < share.all_rows ? end : share.all_rows};
}

/* The number of rows that take part: those of the first step->n images, or all. */
static __device__ inline size_t active_rows(const cu_share &share, size_t pixels_a_row, const cu_step *step) {
    size_t rows = step ? (size_t)step->n * pixels_a_row : share.all_rows;
    return rows < share.all_rows ? rows : share.all_rows;
}

/* The following structs define column sums over one or more values from each of TENSORS tensors. begin: sets the
 * thread's channels and the address of its first row; add: adds one row; end: converts the sums over `rows` rows to
 * double. ROWS rows are loaded at the same time to use the memory bandwidth. */

/* Sums x and x*x of differences from the first value: with floats, E[x*x] - E[x]^2 loses digits if the mean is
 * large. */
template <typename T, int N> struct cu_moments {
    enum { TENSORS = 1, SUMS = 2, ROWS = 4 };
    const T *tensors[TENSORS];
    float pivot[N];

    __device__ void begin(size_t, size_t at) {
        cu_load(tensors[0] + at, pivot);
    }
    __device__ void add(const cu_pack<T, N> (&row)[TENSORS], float (&sums)[SUMS][N]) const {
        CU_UNROLL
        for (int k = 0; k < N; k++) {
            float distance = cu_float(row[0].value[k]) - pivot[k];
            sums[0][k] += distance;
            sums[1][k] += distance * distance;
        }
    }
    __device__ void end(int k, double rows, double (&sums)[SUMS]) const {
        double p = (double)pivot[k];
        sums[1] += 2 * p * sums[0] + rows * p * p;
        sums[0] += rows * p;
    }
};

/* Sums dz and dz*xhat, computed from x and dy. The data for each channel leaves enough registers for packs of 4 values,
 * but not of 8. */
template <typename T, int N> struct cu_slopes {
    enum { TENSORS = 2, SUMS = 2, ROWS = N * sizeof(T) == 16 ? 2 : 4 };
    const T *tensors[TENSORS];
    cs_activation activation;
    const float *scale_of, *shift_of, *mean_of, *inverse_of;
    float scale[N], shift[N], mean[N];
    size_t channel;

    __device__ void begin(size_t first, size_t) {
        channel = first;
        cu_load(scale_of + channel, scale);
        cu_load(shift_of + channel, shift);
        cu_load(mean_of + channel, mean);
    }
    __device__ void add(const cu_pack<T, N> (&row)[TENSORS], float (&sums)[SUMS][N]) const {
        float slopes[N];
        CU_UNROLL
        for (int k = 0; k < N; k++)
            slopes[k] = cu_float(row[0].value[k]) * scale[k] + shift[k];
        cu_slope_all(activation, slopes);
        CU_UNROLL
        for (int k = 0; k < N; k++) {
            float dz = cu_float(row[1].value[k]) * slopes[k];
            sums[0][k] += dz;
            sums[1][k] += dz * (cu_float(row[0].value[k]) - mean[k]);
        }
    }
    __device__ void end(int k, double, double (&sums)[SUMS]) const {
        sums[1] *= (double)inverse_of[channel + k];
    }
};

template <typename T, int N> struct cu_values {
    enum { TENSORS = 1, SUMS = 1, ROWS = 4 };
    const T *tensors[TENSORS];

    __device__ void begin(size_t, size_t) {
    }
    __device__ void add(const cu_pack<T, N> (&row)[TENSORS], float (&sums)[SUMS][N]) const {
        CU_UNROLL
        for (int k = 0; k < N; k++)
            sums[0][k] += cu_float(row[0].value[k]);
    }
    __device__ void end(int, double, double (&)[SUMS]) const {
    }
};

/* Loads ROWS rows, which are `step` values apart, and skips those from `rows` on. */
template <typename T, int N, typename S>
static __device__ inline void add_rows(const S &terms, size_t at, size_t step, unsigned rows,
                                       float (&sums)[S::SUMS][N]) {
    cu_pack<T, N> packs[S::ROWS][S::TENSORS] = {};
    CU_UNROLL
    for (int j = 0; j < S::ROWS; j++)
        if (j < (int)rows)
            CU_UNROLL
    for (int i = 0; i < S::TENSORS; i++)
        packs[j][i] = *(const cu_pack<T, N> *)(terms.tensors[i] + at + j * step);
    CU_UNROLL
    for (int j = 0; j < S::ROWS; j++)
        if (j < (int)rows)
            terms.add(packs[j], sums);
}

/* Writes the sums of each block to partial [stretches][SUMS*C]. */
template <typename T, int N, typename S>
static __global__ void __launch_bounds__(CU_THREADS, 2)
    sum_columns(cu_share share, size_t pixels_a_row, const cu_step *step, S terms, double *partial) {
    /* Each thread uses only its own column until all threads have finished. */
    CU_SHARED(double, shared, [S::SUMS * N][CU_THREADS + 1]);
    cu_part part = part_of(share, N);
    const size_t active = active_rows(share, pixels_a_row, step), end = part.end < active ? part.end : active;
    const size_t stride = (size_t)share.lanes * share.channels;
    CU_UNROLL
    for (int k = 0; k < S::SUMS * N; k++)
        shared[k][threadIdx.x] = 0;
    if (part.any && part.first < end) {
        const unsigned rows = (unsigned)((end - part.first + share.lanes - 1) / share.lanes);
        size_t at = part.first * share.channels + part.channel;
        terms.begin(part.channel, at);
        for (unsigned run = 0; run < rows; run += CU_RUN) {
            float sums[S::SUMS][N] = {};
            const unsigned to = run + CU_RUN < rows ? run + CU_RUN : rows;
            for (unsigned r = run; r < to; r += S::ROWS, at += S::ROWS * stride)
                add_rows<T, N>(terms, at, stride, to - r, sums);
            CU_UNROLL
            for (int k = 0; k < S::SUMS * N; k++)
                shared[k][threadIdx.x] += (double)sums[k / N][k % N];
        }
        for (int k = 0; k < N; k++) {
            double sums[S::SUMS];
            for (int s = 0; s < S::SUMS; s++)
                sums[s] = shared[s * N + k][threadIdx.x];
            terms.end(k, (double)rows, sums);
            for (int s = 0; s < S::SUMS; s++)
                shared[s * N + k][threadIdx.x] = sums[s];
        }
    }
    __syncthreads();
    for (unsigned i = threadIdx.x; i < S::SUMS * N * share.tile; i += blockDim.x) {
        unsigned k = i / share.tile, pack = blockIdx.x * share.tile + i % share.tile;
        double sum = 0;
        for (unsigned t = i % share.tile; t < share.lanes * share.tile; t += share.tile)
            sum += shared[k][t];
        if (pack < share.packs)
            partial[((size_t)blockIdx.y * S::SUMS + k / N) * share.channels + (size_t)pack * N + k % N] = sum;
    }
}

enum { CU_COLUMNS = CU_THREADS < 8 ? CU_THREADS : 8, CU_STRIPES = CU_THREADS / CU_COLUMNS };

/* sums[c] = sum of partial[stretch][c] for `columns` columns. With `step`, the number of values in a channel
 * follows. */
template <typename O>
static __global__ void add_partial(cu_share share, size_t pixels_a_row, const cu_step *step, unsigned columns,
                                   const double *partial, O *sums) {
    CU_SHARED(double, shared, [CU_THREADS]);
    unsigned column = blockIdx.x * CU_COLUMNS + threadIdx.x % CU_COLUMNS, stripe = threadIdx.x / CU_COLUMNS;
    double sum = 0;
    CU_UNROLL_4
    for (unsigned s = stripe; s < share.stretches; s += CU_STRIPES)
        sum += column < columns ? partial[(size_t)s * columns + column] : 0;
    shared[threadIdx.x] = sum;
    __syncthreads();
    if (stripe == 0 && column < columns) {
        for (unsigned t = threadIdx.x + CU_COLUMNS; t < CU_THREADS; t += CU_COLUMNS)
            sum += shared[t];
        sums[column] = (O)sum;
    }
    if (step && blockIdx.x == 0 && threadIdx.x == 0)
        sums[columns] = (O)active_rows(share, pixels_a_row, step);
}

template <typename T, int N, typename S, typename O>
static void sum_all(cu_stream stream, const cu_share &share, size_t pixels_a_row, const cu_step *step, const S &terms,
                    void *partial, O *sums) {
    unsigned columns = S::SUMS * share.channels;
    CU_LAUNCH((sum_columns<T, N, S>), blocks_of(share), CU_THREADS, stream, share, pixels_a_row, step, terms,
              (double *)partial);
    CU_LAUNCH(add_partial<O>, ratio_up(columns, CU_COLUMNS), CU_THREADS, stream, share, pixels_a_row, step, columns,
              (const double *)partial, sums);
}

static size_t partial_bytes(size_t rows, int channels, int sums) {
    const int packs[] = {1, 4, 8};
    unsigned most = 0;
    for (int pack : packs) {
        unsigned stretches = channels % pack == 0 ? share_out(rows, channels, pack).stretches : 0;
        most = stretches > most ? stretches : most;
    }
    return most * (size_t)sums * (size_t)channels * sizeof(double);
}

static __global__ void finish(cu_norm norm, const double *sums) {
    const double count = sums[2 * norm.channels], keep = (double)norm.momentum;
    const double factor = norm.unbiased && count > 1 ? count / (count - 1) : 1;
    CU_EACH(c, (size_t)norm.channels) {
        double mean = (double)norm.moving_mean[c], variance = (double)norm.moving_variance[c];
        if (count > 0) {
            double moving_mean = mean, moving_variance = variance;
            mean = sums[c] / count;
            variance = sums[norm.channels + c] / count - mean * mean;
            if (variance < 0)
                variance = 0;
            norm.moving_mean[c] = (float)(moving_mean * keep + mean * (1 - keep));
            norm.moving_variance[c] = (float)(moving_variance * keep + variance * factor * (1 - keep));
        }
        double inverse = 1 / sqrt(variance + (double)norm.epsilon);
        double scale = norm.gamma ? (double)norm.gamma[c] * inverse : inverse;
        norm.mean[c] = (float)mean;
        norm.inverse[c] = (float)inverse;
        norm.scale[c] = (float)scale;
        norm.shift[c] = (float)((double)norm.beta[c] - mean * scale);
    }
}

/* With M values in a channel, dx = scale*(dz - sum(dz)/M - xhat*sum(dz*xhat)/M) = scale*dz + p*x + q. */
static __global__ void gradients(cu_norm norm, const double *own, const double *all) {
    const double count = all[2 * norm.channels];
    CU_EACH(c, (size_t)norm.channels) {
        double scale = count > 0 ? (double)norm.scale[c] / count : 0;
        double p = -scale * all[norm.channels + c] * (double)norm.inverse[c];
        norm.dbeta[c] = (float)own[c];
        if (norm.dgamma)
            norm.dgamma[c] = (float)own[norm.channels + c];
        norm.p[c] = (float)p;
        norm.q[c] = (float)(-scale * all[c] - p * (double)norm.mean[c]);
    }
}

template <typename T, int N>
static __global__ void backward(cu_share share, size_t pixels_a_row, const cu_step *step, cu_norm norm,
                                cs_activation activation, const T *x, const T *dy, T *dx, bool add) {
    cu_part part = part_of(share, N);
    size_t active = active_rows(share, pixels_a_row, step);
    if (!part.any)
        return;
    float scale[N], shift[N], p[N], q[N];
    cu_load(norm.scale + part.channel, scale);
    cu_load(norm.shift + part.channel, shift);
    cu_load(norm.p + part.channel, p);
    cu_load(norm.q + part.channel, q);
    for (size_t r = part.first; r < part.end; r += share.lanes) {
        size_t at = r * share.channels + part.channel;
        float values[N], z[N], dz[N] = {};
        if (r < active) {
            cu_load(x + at, values);
            cu_load(dy + at, dz);
            CU_UNROLL
            for (int k = 0; k < N; k++)
                z[k] = values[k] * scale[k] + shift[k];
            cu_slope_all(activation, z);
            CU_UNROLL
            for (int k = 0; k < N; k++)
                dz[k] = scale[k] * (dz[k] * z[k]) + p[k] * values[k] + q[k];
        } else if (add)
            continue;
        cu_store(dx + at, dz, add);
    }
}

extern "C" {

size_t cu_k_norm_partial(int batch, int pixels_a_row, int channels) {
    return partial_bytes((size_t)batch * (size_t)pixels_a_row, channels, 2);
}

void cu_k_norm_moments(cu_stream stream, cu_type type, int batch, int pixels_a_row, int channels, const cu_step *step,
                       const void *x, void *partial, double *sums) {
    size_t pixels = (size_t)pixels_a_row;
    CU_WITH_PACK(T, N, type, cu_is_wide(type, (size_t)channels, x),
                 (sum_all<T, N>(stream, share_out((size_t)batch * pixels, channels, N), pixels, step,
                                cu_moments<T, N>{{(const T *)x}, {}}, partial, sums)));
}

void cu_k_norm_finish(cu_stream stream, const cu_norm *norm, const double *sums) {
    CU_LAUNCH(finish, cu_grid((size_t)norm->channels), CU_THREADS, stream, *norm, sums);
}

void cu_k_norm_reduce(cu_stream stream, cu_type type, int batch, int pixels_a_row, const cu_step *step,
                      const cu_norm *norm, cs_activation activation, const void *x, const void *dy, void *partial,
                      double *sums) {
    size_t pixels = (size_t)pixels_a_row;
    CU_WITH_PACK(T, WIDE, type, cu_is_wide(type, (size_t)norm->channels, x, dy, norm->scale, norm->shift, norm->mean), {
        constexpr int N = WIDE < 4 ? WIDE : 4;
        cu_slopes<T, N> terms = {};
        terms.tensors[0] = (const T *)x;
        terms.tensors[1] = (const T *)dy;
        terms.activation = activation;
        terms.scale_of = norm->scale;
        terms.shift_of = norm->shift;
        terms.mean_of = norm->mean;
        terms.inverse_of = norm->inverse;
        sum_all<T, N>(stream, share_out((size_t)batch * pixels, norm->channels, N), pixels, step, terms, partial, sums);
    });
}

void cu_k_norm_gradients(cu_stream stream, const cu_norm *norm, const double *own, const double *all) {
    CU_LAUNCH(gradients, cu_grid((size_t)norm->channels), CU_THREADS, stream, *norm, own, all);
}

void cu_k_norm_backward(cu_stream stream, cu_type type, int batch, int pixels_a_row, const cu_step *step,
                        const cu_norm *norm, cs_activation activation, const void *x, const void *dy, void *dx,
                        bool add) {
    size_t pixels = (size_t)pixels_a_row;
    bool wide = cu_is_wide(type, (size_t)norm->channels, x, dy, dx, norm->scale, norm->shift, norm->p, norm->q);
    CU_WITH_PACK(T, N, type, wide, cu_share share = share_out((size_t)batch * pixels, norm->channels, N);
                 CU_LAUNCH((backward<T, N>), blocks_of(share), CU_THREADS, stream, share, pixels, step, *norm,
                           activation, (const T *)x, (const T *)dy, (T *)dx, add));
}

size_t cu_k_bias_partial(size_t pixels, int channels) {
    return partial_bytes(pixels, channels, 1);
}

void cu_k_bias_gradient(cu_stream stream, cu_type type, size_t pixels, int channels, const void *dy, void *partial,
                        float *dbias) {
    CU_WITH_PACK(T, N, type, cu_is_wide(type, (size_t)channels, dy),
                 (sum_all<T, N>(stream, share_out(pixels, channels, N), 1, NULL, cu_values<T, N>{{(const T *)dy}},
                                partial, dbias)));
}
}
