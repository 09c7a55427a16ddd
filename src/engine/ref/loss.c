/* SPDX-License-Identifier: Apache-2.0 */
/* The loss. */
#include "ref.h"

#include "common/loss_term.h"

#include <math.h>

static int largest(const double *logits, int classes) {
    int best = 0;
    for (int k = 1; k < classes; k++)
        if (logits[k] > logits[best])
            best = k;
    return best;
}

/* The term of a class whose logit is that much above the largest; `total` is the sum of exp over all classes. */
static cs_term term_of(const cs_targets *targets, int row, int classes, int k, double above, double total) {
    return cs_loss_term(&targets->focal, cs_target(targets, row, classes, k), exp(above) / total, log(total) - above);
}

void cs_ref_binary_loss(const double *logits, const cs_targets *targets, int n, double *gradient, float *probabilities,
                        cs_loss *out) {
    *out = (cs_loss){0};
    for (int r = 0; r < n; r++) {
        const cs_binary_row row =
            cs_binary_loss(&targets->focal, cs_target(targets, r, 2, 0), cs_target(targets, r, 2, 1), logits[r]);
        out->sum += row.loss;
        out->correct += (logits[r] > 0) == targets->labels[r];
        for (int k = 0; probabilities && k < 2; k++)
            probabilities[2 * r + k] = (float)row.p[k];
        if (gradient)
            gradient[r] = row.slope / n;
    }
}

void cs_ref_loss(const double *logits, const cs_targets *targets, int n, int classes, double *gradient,
                 float *probabilities, cs_loss *out) {
    *out = (cs_loss){0};
    for (int row = 0; row < n; row++, logits += classes) {
        int best = largest(logits, classes);
        double total = 0, pull = 0;
        for (int k = 0; k < classes; k++)
            total += exp(logits[k] - logits[best]);
        out->correct += best == targets->labels[row];
        for (int k = 0; k < classes; k++) {
            cs_term term = term_of(targets, row, classes, k, logits[k] - logits[best], total);
            out->sum += term.loss;
            pull += term.pull;
        }
        for (int k = 0; k < classes; k++) {
            double probability = exp(logits[k] - logits[best]) / total;
            if (probabilities)
                probabilities[row * classes + k] = (float)probability;
            if (gradient)
                gradient[row * classes + k] =
                    (pull * probability - term_of(targets, row, classes, k, logits[k] - logits[best], total).pull) / n;
        }
    }
}
