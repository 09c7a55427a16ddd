/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the density of the values that trials had of one parameter, as the tree-structured Parzen
 * estimator (TPE) makes it. It is a mixture of a kernel for each observed value and of a prior over the whole domain.
 *
 * The method is that of Bergstra, Bardenet, Bengio and Kegl, "Algorithms for hyper-parameter optimization", NIPS 2011,
 * section 4. The formulas are those of Optuna 5.0.0 (optuna/samplers/_tpe/parzen_estimator.py and
 * probability_distributions.py) with its defaults: prior_weight 1, consider_magic_clip, no consider_endpoints. */
#ifndef CNNSWEEP_PARZEN_H
#define CNNSWEEP_PARZEN_H

#include "cnnsweep/random.h"
#include "cnnsweep/status.h"

#include <stdbool.h>

/* The values that a parameter can have: indices from 0 to `choices` - 1 that have no order, or else numbers. */
typedef struct cs_domain {
    int choices;      /* 0: numbers */
    double low, high; /* both included; with a step, high is low plus a whole number of steps */
    double step;      /* of numbers low, low + step, ...; 0: all numbers between the bounds */
    bool log;         /* kernels are normal in the logarithm; low - step / 2 is above 0 */
} cs_domain;

/* A kernel. Numbers: normal with this mean and deviation, in the logarithm for a log domain, cut off at the bounds.
 * Choices: each has the probability `other`, and `choice` what is left. */
typedef struct cs_parzen_kernel {
    double weight; /* the weights of all kernels add up to 1 */
    double mean, deviation;
    double mass; /* the probability that the normal has between the bounds */
    int choice;  /* -1: all have the probability `other` */
    double other;
} cs_parzen_kernel;

typedef struct cs_parzen {
    cs_domain domain;
    double from, to; /* the bounds between which kernels of numbers lie: half a step outside of the domain's */
    cs_parzen_kernel *kernels;
    int n;
} cs_parzen;

/* Makes the density of `observed` [n], values in the order of their trials. Older ones count less if there are more
 * than 25. */
CS_MUST_CHECK cs_status cs_parzen_open(const cs_domain *domain, const double *observed, int n, cs_parzen *out);
void cs_parzen_close(cs_parzen *parzen);
/* The logarithm of the probability of a choice or of a number of a domain with a step; else of the density, per unit of
 * the logarithm for a log domain. */
double cs_parzen_log_density(const cs_parzen *parzen, double value);
double cs_parzen_draw(const cs_parzen *parzen, cs_rng *rng);

#endif
