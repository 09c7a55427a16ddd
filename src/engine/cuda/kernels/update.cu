/* SPDX-License-Identifier: Apache-2.0 */
/* Computes the parameters of the next step from gradients, as in src/engine/ref/learn.c, but in float. */
#include "kernel.cuh"

#define CS_REAL        float
#define CS_SQRT        sqrtf
#define CS_STEP        template <typename S> static __device__ inline
#define CS_STEP_STATES S
#include "common/optimizer_step.h"

#include <string.h>

enum { CU_PACK = 4 /* 16 bytes of fp32 */, CU_PENALTY_THREADS = 4 * CU_THREADS };

/* The packs of CU_PACK values, and the values after them, which are processed one by one. If the arrays are not
 * aligned, all values are processed one by one. */
typedef struct cu_run {
    size_t packs, rest;
} cu_run;

template <typename... P> static cu_run run_of(size_t count, P... arrays) {
    size_t packs = cu_is_wide(CU_F32, CU_PACK, arrays...) ? count / CU_PACK : 0;
    return {packs, count - packs * CU_PACK};
}

static unsigned blocks_of(cu_run run) {
    return cu_grid(run.packs > run.rest ? run.packs : run.rest);
}

/* Runs `one<N>(i)` for all values of a run. */
#define CU_EACH_OF_RUN(i, run, one)                                                                                    \
    CU_EACH(pack_, (run).packs) {                                                                                      \
        constexpr int N = CU_PACK;                                                                                     \
        const size_t i = pack_ * CU_PACK;                                                                              \
        one;                                                                                                           \
    }                                                                                                                  \
    CU_EACH(rest_, (run).rest) {                                                                                       \
        constexpr int N = 1;                                                                                           \
        const size_t i = (run).packs * CU_PACK + rest_;                                                                \
        one;                                                                                                           \
    }

template <int N> static __device__ inline double square_sum(const float *value) {
    float values[N];
    double sum = 0;
    cu_load(value, values);
    for (int k = 0; k < N; k++)
        sum += (double)values[k] * (double)values[k];
    return sum;
}

/* One block computes the penalty of one kernel. */
static __global__ void __launch_bounds__(CU_PENALTY_THREADS)
    penalty_of_kernels(const cu_penalty *terms, const float *value, double *scratch) {
    const cu_penalty term = terms[blockIdx.x];
    const float *values = value + term.offset;
    const size_t packs = (size_t)values % (CU_PACK * sizeof(float)) == 0 ? term.count / CU_PACK : 0;
    double sum = 0;
    for (size_t i = threadIdx.x; i < packs; i += blockDim.x)
        sum += square_sum<CU_PACK>(values + i * CU_PACK);
    for (size_t i = packs * CU_PACK + threadIdx.x; i < term.count; i += blockDim.x)
        sum += square_sum<1>(values + i);
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        scratch[blockIdx.x] = (double)term.l2 * sum;
}

static __global__ void add_penalties(int n, const double *scratch, cu_loss_sums *sums) {
    double sum = 0;
    for (int i = (int)threadIdx.x; i < n; i += (int)blockDim.x)
        sum += scratch[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        sums->penalty = sum;
}

/* y += factor*x */
template <int N> static __device__ inline void add_scaled(float factor, const float *x, float *y) {
    float values[N];
    cu_load(x, values);
    CU_UNROLL
    for (int k = 0; k < N; k++)
        values[k] *= factor;
    cu_store(y, values, true);
}

static __global__ void penalty_gradient(cu_run run, float l2, const cu_step *step, const float *value,
                                        float *gradient) {
    const float factor = 2 * l2 * step->loss_scale;
    CU_EACH_OF_RUN(i, run, add_scaled<N>(factor, value + i, gradient + i))
}

/* Scales the gradient. Returns whether all its values were finite before. */
template <int N> static __device__ inline bool scale_by(float factor, float *gradient) {
    float values[N];
    bool finite = true;
    cu_load(gradient, values);
    CU_UNROLL
    for (int k = 0; k < N; k++) {
        finite = finite && fabsf(values[k]) <= 3.402823466e38f; /* false for NaN */
        values[k] *= factor;
    }
    cu_store(gradient, values);
    return finite;
}

static __global__ void weigh(cu_run run, float weight, float *values) {
    CU_EACH_OF_RUN(i, run, scale_by<N>(weight, values + i))
}

static __global__ void clear(int *overflow) {
    *overflow = 0;
}

/* Every thread that finds an overflow writes the same value. */
static __global__ void unscale(cu_run run, const cu_step *step, float *gradient, int *overflow) {
    const float factor = 1 / step->loss_scale;
    bool finite = true;
    CU_EACH_OF_RUN(i, run, finite = scale_by<N>(factor, gradient + i) && finite)
    if (!finite)
        *overflow = 1;
}

template <typename T> struct cu_update {
    const float *gradient;
    float *value, *state[CS_OPTIMIZER_STATES];
    T *copy;
};

/* Updates N values w from index i on with the step function `one` of an optimizer that has STATES states. */
template <int STATES, int N, typename T, typename S>
static __device__ inline void step_some(const cu_update<T> &of, size_t i, float (&w)[N], S one) {
    float g[N], state[STATES][N];
    cu_load(of.gradient + i, g);
    CU_UNROLL
    for (int s = 0; s < STATES; s++)
        cu_load(of.state[s] + i, state[s]);
    CU_UNROLL
    for (int k = 0; k < N; k++)
        w[k] += one(g[k], state, (size_t)k);
    CU_UNROLL
    for (int s = 0; s < STATES; s++)
        cu_store(of.state[s] + i, state[s]);
}

#define CU_STEP_OF(kind, name_, lr_, plain_states, most_states, rates_, step_)                                         \
    case CS_OPTIMIZER_##kind:                                                                                          \
        step_some<most_states>(of, i, w, [&](float g, float(*state)[N], size_t k) {                                    \
            return cs_step_##step_(&step.optimizer, step.rates, g, state, k);                                          \
        });                                                                                                            \
        break;

template <int N, typename T>
static __device__ inline void update_some(const cu_step &step, const cu_update<T> &of, size_t i) {
    float w[N];
    cu_load(of.value + i, w);
    CU_UNROLL
    for (int k = 0; k < N; k++)
        w[k] -= w[k] * step.decay;
    switch (step.optimizer.kind) {
        CS_OPTIMIZERS(CU_STEP_OF)
    case CS_OPTIMIZER_COUNT:
        break;
    }
    cu_store(of.value + i, w);
    if (of.copy)
        cu_store(of.copy + i, w);
}

template <typename T>
static __global__ void update(cu_run run, const cu_step *step, const int *overflow, cu_update<T> of) {
    if (overflow && *overflow)
        return;
    const cu_step now = *step;
    CU_EACH_OF_RUN(i, run, update_some<N>(now, of, i))
}

extern "C" {

void cu_k_penalty(cu_stream stream, int n, const cu_penalty *terms, const float *value, double *scratch,
                  cu_loss_sums *sums) {
    if (n > 0)
        CU_LAUNCH(penalty_of_kernels, (unsigned)n, CU_PENALTY_THREADS, stream, terms, value, scratch);
    CU_LAUNCH(add_penalties, 1, CU_THREADS, stream, n, (const double *)scratch, sums);
}

void cu_k_penalty_gradient(cu_stream stream, const cu_penalty *term, const cu_step *step, const float *value,
                           float *gradient) {
    const float *from = value + term->offset;
    float *to = gradient + term->offset;
    cu_run run = run_of(term->count, from, to);
    CU_LAUNCH(penalty_gradient, blocks_of(run), CU_THREADS, stream, run, term->l2, step, from, to);
}

void cu_k_weigh(cu_stream stream, size_t count, float weight, float *values) {
    cu_run run = run_of(count, values);
    CU_LAUNCH(weigh, blocks_of(run), CU_THREADS, stream, run, weight, values);
}

void cu_k_unscale(cu_stream stream, size_t count, const cu_step *step, float *gradient, int *overflow) {
    cu_run run = run_of(count, gradient);
    CU_LAUNCH(clear, 1, 1, stream, overflow);
    CU_LAUNCH(unscale, blocks_of(run), CU_THREADS, stream, run, step, gradient, overflow);
}

void cu_k_update(cu_stream stream, size_t count, const cu_step *step, const int *overflow, const float *gradient,
                 float *value, float *const state[CS_OPTIMIZER_STATES], cu_type type, void *copy) {
    size_t states = 0; /* combined addresses, which are as badly aligned as the worst of the states */
    for (int s = 0; s < CS_OPTIMIZER_STATES; s++)
        states |= (size_t)state[s];
    cu_run run = run_of(count, gradient, value, states, copy);
    CU_WITH_TYPE(T, type, cu_update<T> of = {gradient, value, {}, (T *)copy}; memcpy(of.state, state, sizeof of.state);
                 CU_LAUNCH(update<T>, blocks_of(run), CU_THREADS, stream, run, step, overflow, of));
}
}
