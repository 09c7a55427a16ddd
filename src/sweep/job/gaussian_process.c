/* SPDX-License-Identifier: Apache-2.0 */
#include "gaussian_process.h"
#include "cnnsweep/lapack.h"
#include "cnnsweep/memory.h"

#include <math.h>
#include <nlopt.h>
#include <stdlib.h>
#include <string.h>

/* LAPACK sees the lower triangle of a matrix of C as the upper one of its transpose. */
static const char *const triangle = "U", *const transposed = "T", *const as_it_is = "N", *const any_diagonal = "N";

static double distance_squared(const cs_gp_points *points, const cs_gp_kernel *kernel, const double *a,
                               const double *b) {
    double sum = 0;
    for (int f = 0; f < points->n_features; f++) {
        bool has_a = !isnan(a[f]), has_b = !isnan(b[f]);
        double distance = has_a != has_b ? 1 : !has_a ? 0 : points->category[f] ? a[f] != b[f] : a[f] - b[f];
        sum += kernel->weight[f] * distance * distance;
    }
    return sum;
}

static double covariance(const cs_gp_points *points, const cs_gp_kernel *kernel, const double *a, const double *b) {
    const double five = 5, three = 3;
    double squared = distance_squared(points, kernel, a, b), r = sqrt(five * squared);
    return kernel->scale * (1 + r + five / three * squared) * exp(-r);
}

static const double *point_at(const cs_gp_points *points, int i) {
    return points->at + (size_t)i * (size_t)points->n_features;
}

/* Multiplies by the inverse of the factor. */
static void solve(const cs_gp *gp, const char *with, double *x) {
    const int n = gp->points.n, one = 1;
    dtrsv_(triangle, with, any_diagonal, &n, gp->factor, &n, x, &one, 1, 1, 1);
}

/* Computes what follows from gp->kernel. Returns false if the covariances have no factor: rounding can do that when
 * points are close together and the noise is small. */
static bool factorise(cs_gp *gp) {
    const double half = 0.5, log_two_pi = 1.83787706640934548356;
    const cs_gp_points *points = &gp->points;
    const int n = points->n;
    int info = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++)
            gp->factor[(size_t)i * (size_t)n + (size_t)j] =
                covariance(points, &gp->kernel, point_at(points, i), point_at(points, j)) +
                (i == j ? gp->kernel.noise : 0);
    dpotrf_(triangle, &n, gp->factor, &n, &info, 1);
    if (info != 0)
        return false;
    memcpy(gp->solved, gp->values, (size_t)n * sizeof *gp->solved);
    solve(gp, transposed, gp->solved);
    gp->log_evidence = -half * n * log_two_pi;
    for (int i = 0; i < n; i++)
        gp->log_evidence -= half * gp->solved[i] * gp->solved[i] + log(gp->factor[(size_t)i * (size_t)n + (size_t)i]);
    solve(gp, as_it_is, gp->solved);
    return true;
}

static cs_status open_arrays(const cs_gp_points *points, const double *values, cs_gp *out) {
    size_t n = (size_t)points->n;
    *out = (cs_gp){.points = *points, .values = values};
    cs_lapack_use_one_thread();
    cs_status status = cs_alloc(n * n, sizeof *out->factor, "covariances", &out->factor);
    if (status == CS_OK)
        status = cs_alloc(n, sizeof *out->solved, "covariances", &out->solved);
    if (status == CS_OK)
        status = cs_alloc(n, sizeof *out->work, "covariances", &out->work);
    if (status != CS_OK)
        cs_gp_close(out);
    return status;
}

cs_status cs_gp_open(const cs_gp_points *points, const double *values, const cs_gp_kernel *kernel, cs_gp *out) {
    CS_TRY(open_arrays(points, values, out));
    out->kernel = *kernel;
    if (factorise(out))
        return CS_OK;
    cs_gp_close(out);
    return cs_fail(CS_ERR_ARG, "Gaussian process: the covariances of %d points have no Cholesky factor", points->n);
}

void cs_gp_close(cs_gp *gp) {
    free(gp->factor);
    free(gp->solved);
    free(gp->work);
    *gp = (cs_gp){0};
}

void cs_gp_predict(const cs_gp *gp, const double *point, double *mean, double *deviation) {
    const double least_variance = 1e-12; /* rounding could leave less than nothing */
    const cs_gp_points *points = &gp->points;
    double variance = gp->kernel.scale;
    *mean = 0;
    for (int i = 0; i < points->n; i++) {
        gp->work[i] = covariance(points, &gp->kernel, point, point_at(points, i));
        *mean += gp->work[i] * gp->solved[i];
    }
    solve(gp, transposed, gp->work);
    for (int i = 0; i < points->n; i++)
        variance -= gp->work[i] * gp->work[i];
    *deviation = sqrt(fmax(variance, least_variance));
}

/* What is searched: the logarithms of the weights, of the scale, and of the noise above the least that is allowed. */
static const double least_noise = 1e-6;

static void read_kernel(int n_features, const double *logarithms, cs_gp_kernel *out) {
    for (int f = 0; f < n_features; f++)
        out->weight[f] = exp(logarithms[f]);
    out->scale = exp(logarithms[n_features]);
    out->noise = exp(logarithms[n_features + 1]) + least_noise;
}

/* Without a constant: lengths are near 1, the scale has the gamma distribution of shape 2 and rate 1, and the noise
 * that of shape 1.1 and rate 30. */
static double log_prior(int n_features, const cs_gp_kernel *kernel) {
    const double pull = 0.1, noise_power = 0.1, noise_rate = 30;
    double sum = log(kernel->scale) - kernel->scale + noise_power * log(kernel->noise) - noise_rate * kernel->noise;
    for (int f = 0; f < n_features; f++)
        sum -= pull / kernel->weight[f] + pull * kernel->weight[f];
    return sum;
}

/* An nlopt_func. NOLINTBEGIN(readability-non-const-parameter) */
static double objective(unsigned n, const double *logarithms, double *gradient, void *context) {
    const double refused = -1e10;
    cs_gp *gp = context;
    int n_features = (int)n - 2;
    (void)gradient;
    read_kernel(n_features, logarithms, &gp->kernel);
    return factorise(gp) ? gp->log_evidence + log_prior(n_features, &gp->kernel) : refused;
}
/* NOLINTEND(readability-non-const-parameter) */

/* Searches from `logarithms` [n], which get the best that was found. An end for want of precision is as good as any. */
static cs_status maximise(cs_gp *gp, double *logarithms, unsigned n) {
    enum { MAX_STEPS = 200 };
    const double bound = 8, most_noise = 2, least_noise_log = -12, step = 0.5, enough = 1e-6;
    double low[CS_GP_FEATURES_MAX + 2], high[CS_GP_FEATURES_MAX + 2], best;
    nlopt_opt search = nlopt_create(NLOPT_LN_BOBYQA, n);
    if (!search)
        return cs_fail(CS_ERR_NO_MEMORY, "out of memory for a search of %u numbers", n);
    for (unsigned i = 0; i < n; i++) {
        low[i] = i + 1 < n ? -bound : least_noise_log;
        high[i] = i + 1 < n ? bound : most_noise;
    }
    nlopt_set_lower_bounds(search, low);
    nlopt_set_upper_bounds(search, high);
    nlopt_set_initial_step1(search, step);
    nlopt_set_ftol_abs(search, enough);
    nlopt_set_maxeval(search, MAX_STEPS);
    nlopt_set_max_objective(search, objective, gp);
    nlopt_result result = nlopt_optimize(search, logarithms, &best);
    nlopt_destroy(search);
    if (result == NLOPT_OUT_OF_MEMORY || result == NLOPT_INVALID_ARGS)
        return cs_fail(CS_ERR_NO_MEMORY, "the search for a kernel of %u numbers failed: NLopt says %s", n,
                       nlopt_result_to_string(result));
    return CS_OK;
}

cs_status cs_gp_fit(const cs_gp_points *points, const double *values, cs_gp_kernel *out) {
    const double first_noise = 1e-2;
    double logarithms[CS_GP_FEATURES_MAX + 2] = {0};
    cs_gp gp;
    logarithms[points->n_features + 1] = log(first_noise);
    CS_TRY(open_arrays(points, values, &gp));
    cs_status status = maximise(&gp, logarithms, (unsigned)points->n_features + 2);
    cs_gp_close(&gp);
    read_kernel(points->n_features, logarithms, out);
    return status;
}
