/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: what method bayes knows of a sweep: a Gaussian process (gaussian_process.h) of the losses of
 * the cells so far, which says of any other cell how much better than the best one it can be expected to be.
 *
 * Each axis of the space is a feature. A listed option whose values are all numbers has an order: its features are the
 * ranks of the values, from 0 to 1. Ranges go from 0 to 1 too, log ranges in the logarithm. Other lists, and maps of
 * zip:, are categories. */
#ifndef CNNSWEEP_BAYES_H
#define CNNSWEEP_BAYES_H

#include "method.h"
#include "parzen.h"

/* So many cells must have a result before the first suggestion. */
enum { CS_BAYES_STARTUP = 10 };

typedef struct cs_bayes cs_bayes;

/* Cells that are under way count with the loss that is predicted for them ("kriging believer": Ginsbourger, Le Riche
 * and Carraro, "Kriging is well-suited to parallelize optimization", 2010), so that ranks that ask at the same time get
 * different cells. Of more than 300 results those of the best 150 cells and of each so many-th of the others count, as
 * the time grows with the third power of their number. */
CS_MUST_CHECK cs_status cs_bayes_open(const cs_history *history, cs_bayes **out);
void cs_bayes_close(cs_bayes *bayes);
/* The logarithm of the expected improvement of a row [n_options] on the best cell, in standard deviations of the
 * losses. */
double cs_bayes_score(const cs_bayes *bayes, const double *row);
/* The same for a cell whose loss has this mean and standard deviation: Jones, Schonlau and Welch, "Efficient Global
 * Optimization of Expensive Black-Box Functions", 1998, equation 15. */
double cs_bayes_log_improvement(double best, double mean, double deviation);

/* A position from 0 to 1 in a domain of numbers, and the number at a position, rounded to the domain's step. */
double cs_bayes_position(const cs_domain *domain, double value);
double cs_bayes_value(const cs_domain *domain, double position);

#endif
