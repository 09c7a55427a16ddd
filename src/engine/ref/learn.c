/* SPDX-License-Identifier: Apache-2.0 */
/* The loss and the parameter update. */
#include "ref.h"

#include "common/targets.h"

#define CS_REAL        double
#define CS_SQRT        sqrt
#define CS_STEP        static inline
#define CS_STEP_STATES double *const *
#include "common/optimizer_step.h"

#include <math.h>

static int largest(const double *logits, int classes) {
    int best = 0;
    for (int k = 1; k < classes; k++)
        if (logits[k] > logits[best])
            best = k;
    return best;
}

void cs_ref_loss(const double *logits, const cs_targets *targets, int n, int classes, double *gradient,
                 float *probabilities, cs_loss *out) {
    *out = (cs_loss){0};
    for (int row = 0; row < n; row++, logits += classes) {
        int best = largest(logits, classes);
        double total = 0, weight = 0;
        for (int k = 0; k < classes; k++) {
            total += exp(logits[k] - logits[best]);
            weight += cs_target(targets, row, classes, k);
        }
        out->correct += best == targets->labels[row];
        for (int k = 0; k < classes; k++) {
            double probability = exp(logits[k] - logits[best]) / total, target = cs_target(targets, row, classes, k);
            if (target > 0)
                out->sum += target * (log(total) - (logits[k] - logits[best]));
            if (probabilities)
                probabilities[row * classes + k] = (float)probability;
            if (gradient)
                gradient[row * classes + k] = (weight * probability - target) / n;
        }
    }
}

#define UPDATE(kind, name_, lr_, plain_states, most_states, rates_, step_)                                             \
    case CS_OPTIMIZER_##kind:                                                                                          \
        for (size_t i = 0; i < count; i++)                                                                             \
            value[i] += cs_step_##step_(optimizer, rates, gradient[i], state, i);                                      \
        break;

void cs_ref_update(const cs_optimizer *optimizer, int64_t step, size_t count, double *value, const double *gradient,
                   double *const *state) {
    double rates[CS_OPTIMIZER_RATES];
    cs_optimizer_rates(optimizer, step, rates);
    for (size_t i = 0; i < count; i++)
        value[i] -= value[i] * (double)optimizer->weight_decay * (double)optimizer->lr;
    switch (optimizer->kind) {
        CS_OPTIMIZERS(UPDATE)
    case CS_OPTIMIZER_COUNT:
        break;
    }
}
