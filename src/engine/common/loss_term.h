/* SPDX-License-Identifier: Apache-2.0 */
/* The formulas of the losses, written once for all engines. A file for a GPU defines CS_LOSS_TERM, the specifiers of
 * the function, before it includes this file. */
#ifndef CNNSWEEP_ENGINE_LOSS_TERM_H
#define CNNSWEEP_ENGINE_LOSS_TERM_H

#include "cnnsweep/engine.h"

#include <math.h>

#ifndef CS_LOSS_TERM
#define CS_LOSS_TERM static inline
#endif

/* What class k adds to the loss of a row, and its part of the gradient with respect to the logits: that of class j is
 * p_j * sum_k pull_k - pull_j, where p is the softmax. */
typedef struct cs_term {
    double loss, pull;
} cs_term;

/* The term of a class with this target, whose probability is p = exp(-surprise). Without a target even a class that has
 * no probability adds nothing.
 *
 * Focal: f(p) = alpha * (1-p)^gamma * -log(p), and pull = -p * df/dp. */
CS_LOSS_TERM cs_term cs_loss_term(const cs_focal *focal, double target, double p, double surprise) {
    cs_term term = {target * surprise, target};
    if (!(target > 0)) {
        term.loss = term.pull = 0;
    } else if (focal->alpha > 0) {
        const double rest = 1 - p, factor = rest > 0 ? target * focal->alpha * pow(rest, focal->gamma) : 0;
        term.loss = factor * surprise;
        term.pull = factor > 0 ? factor * (1 + focal->gamma * p * surprise / rest) : 0;
    }
    return term;
}

#endif
