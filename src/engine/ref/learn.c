/* SPDX-License-Identifier: Apache-2.0 */
/* The loss at one end of a training step, the parameter update at the other. */
#include "ref.h"

#include <math.h>

static int largest(const double *logits, int classes) {
    int best = 0;
    for (int k = 1; k < classes; k++)
        if (logits[k] > logits[best])
            best = k;
    return best;
}

void cs_ref_loss(const double *logits, const int32_t *labels, int n, int classes, double *gradient,
                 float *probabilities, cs_loss *out) {
    *out = (cs_loss){0};
    for (int row = 0; row < n; row++, logits += classes) {
        int best = largest(logits, classes), label = labels[row];
        double total = 0;
        for (int k = 0; k < classes; k++)
            total += exp(logits[k] - logits[best]);
        out->sum += log(total) - (logits[label] - logits[best]);
        out->correct += best == label;
        for (int k = 0; k < classes; k++) {
            double probability = exp(logits[k] - logits[best]) / total;
            if (probabilities)
                probabilities[row * classes + k] = (float)probability;
            if (gradient)
                gradient[row * classes + k] = (probability - (k == label)) / n;
        }
    }
}

static void sgd(const cs_optimizer *o, size_t count, double *w, const double *g, double *velocity) {
    double lr = (double)o->lr, momentum = (double)o->momentum;
    for (size_t i = 0; i < count; i++) {
        velocity[i] = momentum * velocity[i] - lr * g[i];
        w[i] += o->nesterov ? momentum * velocity[i] - lr * g[i] : velocity[i];
    }
}

static void adam(const cs_optimizer *o, int64_t step, size_t count, double *w, const double *g, double *m, double *v) {
    double beta_1 = (double)o->beta_1, beta_2 = (double)o->beta_2;
    double rate = (double)o->lr * sqrt(1 - pow(beta_2, (double)step)) / (1 - pow(beta_1, (double)step));
    for (size_t i = 0; i < count; i++) {
        m[i] += (g[i] - m[i]) * (1 - beta_1);
        v[i] += (g[i] * g[i] - v[i]) * (1 - beta_2);
        w[i] -= rate * m[i] / (sqrt(v[i]) + (double)o->epsilon);
    }
}

void cs_ref_update(const cs_optimizer *optimizer, int64_t step, size_t count, double *value, const double *gradient,
                   double *state1, double *state2) {
    for (size_t i = 0; i < count; i++)
        value[i] -= value[i] * (double)optimizer->weight_decay * (double)optimizer->lr;
    if (optimizer->kind == CS_OPTIMIZER_SGD)
        sgd(optimizer, count, value, gradient, state1);
    else
        adam(optimizer, step, count, value, gradient, state1, state2);
}
