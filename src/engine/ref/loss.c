/* SPDX-License-Identifier: Apache-2.0 */
/* The loss. */
#include "ref.h"

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
