/* SPDX-License-Identifier: Apache-2.0 */
/* Computes the parameters of the next step from gradients, as src/engine/ref/update.c does, but in float. */
#include "kernel.cuh"

#define CS_REAL        float
#define CS_SQRT        sqrtf
#define CS_STEP        static __device__ inline
#define CS_STEP_TYPES  template <typename S>
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

/* A thread's part of the sum of absolute values. */
static __device__ inline double absolute_sum(size_t count, const float *values) {
    double sum = 0;
    for (size_t i = threadIdx.x; i < count; i += blockDim.x)
        sum += fabs((double)values[i]);
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
    sum = (double)term.l2 * block_sum(sum);
    if (term.l1 > 0)
        sum += (double)term.l1 * block_sum(absolute_sum(term.count, values));
    if (threadIdx.x == 0)
        scratch[blockIdx.x] = sum;
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

/* y += factor*sign(x) */
template <int N> static __device__ inline void add_signs(float factor, const float *x, float *y) {
    float values[N];
    cu_load(x, values);
    CU_UNROLL
    for (int k = 0; k < N; k++)
        values[k] = factor * (float)((values[k] > 0) - (values[k] < 0));
    cu_store(y, values, true);
}

static __global__ void sign_gradient(cu_run run, float l1, const cu_step *step, const float *value, float *gradient) {
    const float factor = l1 * step->loss_scale;
    CU_EACH_OF_RUN(i, run, add_signs<N>(factor, value + i, gradient + i))
}

static __global__ void square_gradient(cu_run run, float l2, const cu_step *step, const float *value, float *gradient) {
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
static __global__ void unscale(cu_run run, float factor, float *gradient, int *overflow) {
    bool finite = true;
    CU_EACH_OF_RUN(i, run, finite = scale_by<N>(factor, gradient + i) && finite)
    if (!finite)
        *overflow = 1;
}

/* sum = keep*sum + factor*x. With `skip` nothing is added. */
template <int N> static __device__ inline void mix(float keep, float factor, bool skip, const float *x, float *sum) {
    float values[N], sums[N];
    cu_load(x, values);
    cu_load(sum, sums);
    CU_UNROLL
    for (int k = 0; k < N; k++)
        sums[k] = (keep == 0 ? 0 : keep * sums[k]) + (skip ? 0 : factor * values[k]);
    cu_store(sum, sums);
}

static __global__ void mix_all(cu_run run, float keep, float factor, const int *overflow, const float *x, float *sum) {
    const bool skip = overflow && *overflow;
    CU_EACH_OF_RUN(i, run, mix<N>(keep, factor, skip, x + i, sum + i))
}

/* The sums are few, so that every thread adds them up. */
static __global__ void clip(cu_run run, double limit, double epsilon, int n, const double *square_sums,
                            float *gradient) {
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += square_sums[i];
    const double norm = sqrt(sum);
    const float factor = norm <= limit - epsilon ? 1 : (float)(limit / (norm + epsilon));
    CU_EACH_OF_RUN(i, run, scale_by<N>(factor, gradient + i))
}

template <int N, typename T> static __device__ inline void store_value(const float (&w)[N], float *value, T *copy) {
    cu_store(value, w);
    if (copy)
        cu_store(copy, w);
}

/* Updates N values from index i on with the step function `one` of a rule that has STATES states. */
template <int STATES, bool TRUSTS, int N, typename T, typename S>
static __device__ inline void step_some(const cu_update &of, T *copy, size_t i, S one) {
    float w[N], g[N], state[STATES + 1][N];
    cu_load(of.value + i, w);
    cu_load(of.gradient + i, g);
    CU_UNROLL
    for (int s = 0; s < STATES; s++)
        cu_load(of.state[s] + i, state[s]);
    CU_UNROLL
    for (int k = 0; k < N; k++) {
        g[k] = one(cs_step_gradient(of.rates, g[k], w[k]), state, (size_t)k);
        w[k] = w[k] * of.rates[CS_RATE_KEEP] + (TRUSTS ? 0 : g[k]);
    }
    CU_UNROLL
    for (int s = 0; s < STATES; s++)
        cu_store(of.state[s] + i, state[s]);
    if (TRUSTS)
        cu_store(of.gradient + i, g);
    store_value(w, of.value + i, copy ? copy + i : nullptr);
}

#define CU_STEP_OF(rule_, step_, states_, trusts_)                                                                     \
    case CS_RULE_##rule_:                                                                                              \
        step_some<states_, trusts_, N>(                                                                                \
            of, copy, i, [&](float g, float(*state)[N], size_t k) { return cs_step_##step_(of.rates, g, state, k); }); \
        break;

template <int N, typename T> static __device__ inline void update_some(const cu_update &of, T *copy, size_t i) {
    switch (of.rule) {
        CS_OPTIMIZER_RULES(CU_STEP_OF)
    case CS_RULE_COUNT:
        break;
    }
}

template <typename T> static __global__ void update(cu_run run, const int *overflow, cu_update of) {
    if (overflow && *overflow)
        return;
    CU_EACH_OF_RUN(i, run, update_some<N>(of, (T *)of.copy, i))
}

template <int N, typename T>
static __device__ inline void add_change(float ratio, const float *change, float *value, T *copy) {
    float w[N], c[N];
    cu_load(value, w);
    cu_load(change, c);
    CU_UNROLL
    for (int k = 0; k < N; k++)
        w[k] += ratio * c[k];
    store_value(w, value, copy);
}

template <typename T>
static __global__ void trust(cu_run run, float lr, const double *value_square_sum, const double *change_square_sum,
                             const int *overflow, const float *change, float *value, T *copy) {
    if (overflow && *overflow)
        return;
    const bool known = *value_square_sum > 0 && *change_square_sum > 0;
    const float ratio = known ? lr * (float)(sqrt(*value_square_sum) / sqrt(*change_square_sum)) : 1;
    CU_EACH_OF_RUN(i, run, add_change<N>(ratio, change + i, value + i, copy ? copy + i : nullptr))
}

/* One block computes one unit. */
template <typename T>
static __global__ void limit_norm(cu_units of, double limit, const int *overflow, float *value, T *copy) {
    const size_t first = blockIdx.x * of.unit_step;
    double sum = 0;
    if (overflow && *overflow)
        return;
    for (size_t i = threadIdx.x; i < of.items; i += blockDim.x) {
        const double w = (double)value[first + i * of.item_step];
        sum += w * w;
    }
    const double norm = sqrt(block_sum(sum));
    const float factor = (float)((norm > limit ? limit : norm) / (norm + 1e-7));
    for (size_t i = threadIdx.x; i < of.items; i += blockDim.x) {
        const size_t at = first + i * of.item_step;
        value[at] *= factor;
        if (copy)
            cu_round(value[at], &copy[at]);
    }
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
    if (term->l2 > 0)
        CU_LAUNCH(square_gradient, blocks_of(run), CU_THREADS, stream, run, term->l2, step, from, to);
    if (term->l1 > 0)
        CU_LAUNCH(sign_gradient, blocks_of(run), CU_THREADS, stream, run, term->l1, step, from, to);
}

void cu_k_weigh(cu_stream stream, size_t count, float weight, float *values) {
    cu_run run = run_of(count, values);
    CU_LAUNCH(weigh, blocks_of(run), CU_THREADS, stream, run, weight, values);
}

void cu_k_unscale(cu_stream stream, size_t count, float loss_scale, float *gradient, int *overflow) {
    cu_run run = run_of(count, gradient);
    CU_LAUNCH(clear, 1, 1, stream, overflow);
    CU_LAUNCH(unscale, blocks_of(run), CU_THREADS, stream, run, 1 / loss_scale, gradient, overflow);
}

void cu_k_square_sums(cu_stream stream, int n, const cu_penalty *terms, const float *value, double *sums) {
    CU_LAUNCH(penalty_of_kernels, (unsigned)n, CU_PENALTY_THREADS, stream, terms, value, sums);
}

void cu_k_accumulate(cu_stream stream, size_t count, float factor, bool fresh, const int *overflow,
                     const float *gradient, float *sum) {
    cu_run run = run_of(count, gradient, sum);
    CU_LAUNCH(mix_all, blocks_of(run), CU_THREADS, stream, run, fresh ? 0.f : 1.f, factor, overflow, gradient, sum);
}

void cu_k_clip(cu_stream stream, size_t count, double limit, double epsilon, int n, const double *square_sums,
               float *gradient) {
    cu_run run = run_of(count, gradient);
    CU_LAUNCH(clip, blocks_of(run), CU_THREADS, stream, run, limit, epsilon, n, square_sums, gradient);
}

void cu_k_update(cu_stream stream, cu_type type, size_t count, const cu_update *of, const int *overflow) {
    size_t states = 0; /* combined addresses, which are as badly aligned as the worst of the states */
    for (int s = 0; s < CS_RULE_STATES; s++)
        states |= (size_t)of->state[s];
    cu_run run = run_of(count, of->gradient, of->value, states, of->copy);
    CU_WITH_TYPE(T, type, CU_LAUNCH(update<T>, blocks_of(run), CU_THREADS, stream, run, overflow, *of));
}

void cu_k_trust(cu_stream stream, cu_type type, size_t count, float lr, const double *value_square_sum,
                const double *change_square_sum, const int *overflow, const float *change, float *value, void *copy) {
    cu_run run = run_of(count, change, value, copy);
    CU_WITH_TYPE(T, type,
                 CU_LAUNCH(trust<T>, blocks_of(run), CU_THREADS, stream, run, lr, value_square_sum, change_square_sum,
                           overflow, change, value, (T *)copy));
}

void cu_k_max_norm(cu_stream stream, cu_type type, const cu_units *units, double limit, const int *overflow,
                   float *value, void *copy) {
    CU_WITH_TYPE(T, type,
                 CU_LAUNCH(limit_norm<T>, (unsigned)units->units, CU_THREADS, stream, *units, limit, overflow, value,
                           (T *)copy));
}

void cu_k_average(cu_stream stream, size_t count, float momentum, const float *value, float *average) {
    cu_run run = run_of(count, value, average);
    if (count > 0)
        CU_LAUNCH(mix_all, blocks_of(run), CU_THREADS, stream, run, momentum, 1 - momentum, (const int *)nullptr, value,
                  average);
}
}
