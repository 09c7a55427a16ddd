/* SPDX-License-Identifier: Apache-2.0 */
/* The loss: softmax cross-entropy, or focal. */
#include "kernel.cuh"

#define CS_LOSS_TERM static __device__ inline
#include "common/loss_term.h"

/* The largest value of a row and its index; of equal values the first, as in src/engine/ref/learn.c. */
struct cu_best {
    float value;
    int place;
};

static __device__ inline cu_best better(cu_best a, cu_best b) {
    bool second = b.value > a.value || (b.value == a.value && b.place < a.place);
    return second ? b : a;
}

template <typename T> static __device__ cu_best largest(int classes, const T *logits) {
    CU_SHARED(cu_best, bests, [CU_THREADS]);
    cu_best best = {-INFINITY, classes}; /* an index after all others */
    for (int k = (int)threadIdx.x; k < classes; k += (int)blockDim.x)
        best = better(best, {cu_float(logits[k]), k});
    bests[threadIdx.x] = best;
    for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half)
            bests[threadIdx.x] = better(bests[threadIdx.x], bests[threadIdx.x + half]);
    }
    __syncthreads();
    return bests[0];
}

/* What a row's logits and targets are reduced to. */
struct cu_row {
    float best;       /* the largest logit */
    double log_total; /* of the sum of exp(logit - best) */
    int label;
    const float *soft; /* [classes], or NULL */
    cs_focal focal;
};

/* The sum of the terms of a row's cross-entropy with soft targets. */
template <typename T> static __device__ cs_term sum_soft(int classes, const T *logits, const cu_row *row) {
    double weight = 0, score = 0;
    for (int k = (int)threadIdx.x; k < classes; k += (int)blockDim.x) {
        weight += (double)row->soft[k];
        if (row->soft[k] > 0)
            score += (double)row->soft[k] * ((double)cu_float(logits[k]) - (double)row->best);
    }
    weight = block_sum(weight);
    return {weight * row->log_total - block_sum(score), weight};
}

template <typename T> static __device__ cs_term focal_term(const T *logits, const cu_row *row, int k) {
    const double target = row->soft ? (double)row->soft[k] : (double)(k == row->label);
    const double surprise = row->log_total - ((double)cu_float(logits[k]) - (double)row->best);
    return cs_loss_term(&row->focal, target, exp(-surprise), surprise);
}

template <typename T> static __device__ cs_term sum_focal(int classes, const T *logits, const cu_row *row) {
    double loss = 0, pull = 0;
    for (int k = (int)threadIdx.x; k < classes; k += (int)blockDim.x) {
        cs_term term = focal_term(logits, row, k);
        loss += term.loss;
        pull += term.pull;
    }
    loss = block_sum(loss);
    return {loss, block_sum(pull)};
}

template <typename T> static __device__ cs_term sum_terms(int classes, const T *logits, const cu_row *row) {
    if (row->focal.alpha > 0)
        return sum_focal(classes, logits, row);
    if (row->soft)
        return sum_soft(classes, logits, row);
    return {row->log_total - ((double)cu_float(logits[row->label]) - (double)row->best), 1};
}

/* The gradient of a row's loss with respect to logit k. */
template <typename T>
static __device__ float slope_of(const T *logits, const cu_row *row, float pull, int k, float probability) {
    if (row->focal.alpha > 0)
        return pull * probability - (float)focal_term(logits, row, k).pull;
    if (row->soft)
        return pull * probability - row->soft[k];
    return k == row->label ? probability - 1 : probability;
}

/* One block computes one row. */
template <typename T>
static __global__ void loss_of_rows(int classes, const cu_step *step, const T *logits, const int32_t *labels,
                                    const float *soft, cs_focal focal, T *dlogits, float *probabilities,
                                    double *row_sums, int *row_correct) {
    const int row = (int)blockIdx.x, n = step->n;
    const size_t first = (size_t)row * (size_t)classes;
    logits += first;
    if (row >= n) {
        for (int k = (int)threadIdx.x; dlogits && k < classes; k += (int)blockDim.x)
            cu_round(0, &dlogits[first + k]);
        return;
    }
    const cu_best best = largest(classes, logits);
    const int label = labels[row];
    double part = 0;
    for (int k = (int)threadIdx.x; k < classes; k += (int)blockDim.x)
        part += (double)expf(cu_float(logits[k]) - best.value);
    const double total = block_sum(part);
    const cu_row reduced = {best.value, log(total), label, soft ? soft + first : NULL, focal};
    const cs_term sum = sum_terms(classes, logits, &reduced);
    const float share = (float)(1 / total), factor = step->loss_scale / (float)n, pull = (float)sum.pull;
    for (int k = (int)threadIdx.x; k < classes; k += (int)blockDim.x) {
        float probability = expf(cu_float(logits[k]) - best.value) * share;
        if (probabilities)
            probabilities[first + k] = probability;
        if (dlogits)
            cu_round(slope_of(logits, &reduced, pull, k, probability) * factor, &dlogits[first + k]);
    }
    if (threadIdx.x == 0) {
        row_sums[row] = sum.loss;
        row_correct[row] = best.place == label;
    }
}

/* One thread computes one row. */
template <typename T>
static __global__ void binary_loss_of_rows(int batch, const cu_step *step, const T *logits, const int32_t *labels,
                                           const float *soft, cs_focal focal, T *dlogits, float *probabilities,
                                           double *row_sums, int *row_correct) {
    const int n = step->n;
    CU_EACH(i, (size_t)batch) {
        if (i >= (size_t)n) {
            if (dlogits)
                cu_round(0, &dlogits[i]);
            continue;
        }
        const double logit = (double)cu_float(logits[i]);
        const cs_binary_row row = cs_binary_loss(&focal, soft ? (double)soft[2 * i] : (double)(labels[i] == 0),
                                                 soft ? (double)soft[2 * i + 1] : (double)(labels[i] == 1), logit);
        if (probabilities) {
            probabilities[2 * i] = (float)row.p[0];
            probabilities[2 * i + 1] = (float)row.p[1];
        }
        if (dlogits)
            cu_round((float)row.slope * (step->loss_scale / (float)n), &dlogits[i]);
        row_sums[i] = row.loss;
        row_correct[i] = (logit > 0) == labels[i];
    }
}

/* One block sums up all rows. */
static __global__ void loss_of_batch(int batch, const cu_step *step, const double *row_sums, const int *row_correct,
                                     cu_loss_sums *sums) {
    const int n = step->n < batch ? step->n : batch;
    double sum = 0;
    int correct = 0;
    for (int row = (int)threadIdx.x; row < n; row += (int)blockDim.x) {
        sum += row_sums[row];
        correct += row_correct[row];
    }
    sum = block_sum(sum);
    correct = block_sum(correct);
    if (threadIdx.x == 0) {
        sums->sum = sum;
        sums->correct = correct;
    }
}

extern "C" {

void cu_k_loss(cu_stream stream, cu_type type, int batch, int classes, const cu_step *step, const void *logits,
               const int32_t *labels, const float *soft, const cs_focal *focal, void *dlogits, float *probabilities,
               double *row_sums, int *row_correct, cu_loss_sums *sums) {
    CU_WITH_TYPE(T, type,
                 CU_LAUNCH(loss_of_rows<T>, (unsigned)batch, CU_THREADS, stream, classes, step, (const T *)logits,
                           labels, soft, *focal, (T *)dlogits, probabilities, row_sums, row_correct));
    CU_LAUNCH(loss_of_batch, 1, CU_THREADS, stream, batch, step, (const double *)row_sums, (const int *)row_correct,
              sums);
}

void cu_k_binary_loss(cu_stream stream, cu_type type, int batch, const cu_step *step, const void *logits,
                      const int32_t *labels, const float *soft, const cs_focal *focal, void *dlogits,
                      float *probabilities, double *row_sums, int *row_correct, cu_loss_sums *sums) {
    CU_WITH_TYPE(T, type,
                 CU_LAUNCH(binary_loss_of_rows<T>, cu_grid((size_t)batch), CU_THREADS, stream, batch, step,
                           (const T *)logits, labels, soft, *focal, (T *)dlogits, probabilities, row_sums,
                           row_correct));
    CU_LAUNCH(loss_of_batch, 1, CU_THREADS, stream, batch, step, (const double *)row_sums, (const int *)row_correct,
              sums);
}
}
