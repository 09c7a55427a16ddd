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

/* A row of a binary head: its loss, the derivative with respect to its logit, and the probabilities of both classes. */
typedef struct cs_binary_row {
    double loss, slope, p[2];
} cs_binary_row;

/* L = a*f*B with B = t_0*-log(p_0) + t_1*-log(p_1), f = (1-q)^gamma, q = (t_0*p_0 + t_1*p_1)/(t_0 + t_1); without focal
 * a = f = 1. The derivatives are B' = (t_0 + t_1)*p_1 - t_1 and q' = (t_1 - t_0)/(t_0 + t_1)*p_0*p_1. */
CS_LOSS_TERM cs_binary_row cs_binary_loss(const cs_focal *focal, double t_0, double t_1, double logit) {
    const double common = log1p(exp(-fabs(logit))), weight = t_0 + t_1;
    const double surprise_0 = common + (logit > 0 ? logit : 0), surprise_1 = common + (logit > 0 ? 0 : -logit);
    const double p_0 = exp(-surprise_0), p_1 = exp(-surprise_1);
    const double entropy = (t_0 > 0 ? t_0 * surprise_0 : 0) + (t_1 > 0 ? t_1 * surprise_1 : 0);
    const double slope = t_0 * p_1 - t_1 * p_0;
    cs_binary_row row = {entropy, slope, {p_0, p_1}};
    if (focal->alpha > 0 && weight > 0) {
        const double alpha = (t_0 * focal->alpha_0 + t_1 * focal->alpha) / weight;
        const double rest = (t_0 * p_1 + t_1 * p_0) / weight; /* 1 - q */
        const double factor = rest > 0 ? alpha * pow(rest, focal->gamma) : 0;
        const double q_slope = (t_1 - t_0) / weight * p_0 * p_1;
        row.loss = factor * entropy;
        row.slope = factor > 0 ? factor * (slope - focal->gamma * q_slope / rest * entropy) : 0;
    }
    return row;
}

#endif
