/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax cross-entropy. */
#include "kernel.cuh"

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

/* What the targets make of a row's logits: the loss is weight*log(total) - score. */
struct cu_scored {
    double weight; /* the sum of the targets */
    double score;  /* the sum of target * (logit - best) */
};

template <typename T>
static __device__ cu_scored score_of_targets(int classes, const T *logits, const float *targets, float best) {
    double weight = 0, score = 0;
    for (int k = (int)threadIdx.x; k < classes; k += (int)blockDim.x) {
        weight += (double)targets[k];
        if (targets[k] > 0)
            score += (double)targets[k] * ((double)cu_float(logits[k]) - (double)best);
    }
    weight = block_sum(weight);
    return {weight, block_sum(score)};
}

/* One block computes one row. */
template <typename T>
static __global__ void loss_of_rows(int classes, const cu_step *step, const T *logits, const int32_t *labels,
                                    const float *soft, T *dlogits, float *probabilities, double *row_sums,
                                    int *row_correct) {
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
    cu_scored scored = {1, (double)cu_float(logits[label]) - (double)best.value};
    if (soft)
        scored = score_of_targets(classes, logits, soft + first, best.value);
    const float share = (float)(1 / total), factor = step->loss_scale / (float)n, weight = (float)scored.weight;
    for (int k = (int)threadIdx.x; k < classes; k += (int)blockDim.x) {
        float probability = expf(cu_float(logits[k]) - best.value) * share;
        if (probabilities)
            probabilities[first + k] = probability;
        float slope = k == label ? probability - 1 : probability;
        if (soft)
            slope = weight * probability - soft[first + k];
        if (dlogits)
            cu_round(slope * factor, &dlogits[first + k]);
    }
    if (threadIdx.x == 0) {
        row_sums[row] = scored.weight * log(total) - scored.score;
        row_correct[row] = best.place == label;
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
               const int32_t *labels, const float *soft, void *dlogits, float *probabilities, double *row_sums,
               int *row_correct, cu_loss_sums *sums) {
    CU_WITH_TYPE(T, type,
                 CU_LAUNCH(loss_of_rows<T>, (unsigned)batch, CU_THREADS, stream, classes, step, (const T *)logits,
                           labels, soft, (T *)dlogits, probabilities, row_sums, row_correct));
    CU_LAUNCH(loss_of_batch, 1, CU_THREADS, stream, batch, step, (const double *)row_sums, (const int *)row_correct,
              sums);
}
}
