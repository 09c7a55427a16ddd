/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: a Gaussian process, which predicts the value at a point from values at other points, and says
 * how far off the prediction may be.
 *
 * The kernel is Matern's with nu = 5/2 and a length for each feature: Rasmussen and Williams, "Gaussian Processes for
 * Machine Learning", 2006, equation 4.17, with r^2 = sum over features of weight * distance^2. The evidence is their
 * equation 2.30, predictions are 2.25 and 2.26. */
#ifndef CNNSWEEP_GAUSSIAN_PROCESS_H
#define CNNSWEEP_GAUSSIAN_PROCESS_H

#include "cnnsweep/status.h"

#include <stdbool.h>

enum { CS_GP_FEATURES_MAX = 64 };

/* The distance of two features is their difference. The distance of different categories is 1, as is that of a point
 * that has a feature from one that has not. */
typedef struct cs_gp_points {
    int n, n_features;
    bool category[CS_GP_FEATURES_MAX];
    const double *at; /* [n,n_features]; NaN: the point does not have the feature */
} cs_gp_points;

typedef struct cs_gp_kernel {
    double weight[CS_GP_FEATURES_MAX]; /* of each feature, 1 / length^2 */
    double scale;                      /* the variance of values far from all points */
    double noise;                      /* the variance of a value when it is measured again */
} cs_gp_kernel;

typedef struct cs_gp {
    cs_gp_points points;
    const double *values; /* [n] */
    cs_gp_kernel kernel;
    double *factor;      /* [n,n] the lower triangle is Cholesky's factor of the covariances of the values */
    double *solved;      /* [n] the inverse of the covariances times the values */
    double *work;        /* [n] */
    double log_evidence; /* the logarithm of the density of the values */
} cs_gp;

/* `values` [n] have the mean 0 and the variance 1. They and points->at must outlive the process. */
CS_MUST_CHECK cs_status cs_gp_open(const cs_gp_points *points, const double *values, const cs_gp_kernel *kernel,
                                   cs_gp *out);
void cs_gp_close(cs_gp *gp);
/* The mean of the value at the point [n_features] and its standard deviation, without the noise of a measurement. */
void cs_gp_predict(const cs_gp *gp, const double *point, double *mean, double *deviation);
/* Finds the kernel that is most likely, given the values and the priors of Optuna 5.0.0 (optuna/_gp/prior.py), in a
 * bounded number of steps. */
CS_MUST_CHECK cs_status cs_gp_fit(const cs_gp_points *points, const double *values, cs_gp_kernel *out);

#endif
