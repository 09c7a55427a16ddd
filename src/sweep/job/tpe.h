/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: what the tree-structured Parzen estimator (TPE) suggests for one parameter. It is the
 * independent (univariate) one of Optuna 5.0.0, TPESampler(multivariate=False): 24 candidates, the best tenth of the
 * trials but at most 25 as the good ones, and a constant liar: trials under way count among the bad ones, so that ranks
 * that ask at the same time do not get the same values. */
#ifndef CNNSWEEP_TPE_H
#define CNNSWEEP_TPE_H

#include "observation.h"
#include "parzen.h"

/* So many trials must have finished before the first suggestion. */
enum { CS_TPE_STARTUP = 10 };

/* Marks the good ones among trials [n]: of the finished ones, ceil(n / 10) of the smallest loss, at most 25. Of equal
 * ones the earlier counts. */
CS_MUST_CHECK cs_status cs_tpe_split(const cs_observation *trials, int n, bool *good);

/* The densities of a parameter in the good trials and in all others that have it. */
typedef struct cs_tpe {
    cs_parzen good, bad;
} cs_tpe;

/* `values` [n] are those of the trials, in the order of the trials: NaN if a trial does not have the parameter. */
CS_MUST_CHECK cs_status cs_tpe_open(const cs_domain *domain, const cs_observation *trials, const bool *good,
                                    const double *values, int n, cs_tpe *out);
void cs_tpe_close(cs_tpe *tpe);
/* Draws candidates from the density of good values, and returns that with the largest ratio of the two densities. Of
 * ratios that differ by rounding alone the first counts, so that all machines agree; in Optuna rounding decides. */
double cs_tpe_suggest(const cs_tpe *tpe, cs_rng *rng);

#endif
