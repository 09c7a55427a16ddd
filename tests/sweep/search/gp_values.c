/* SPDX-License-Identifier: Apache-2.0 */
/* gp_values: what method bayes computes of numbers that are read from standard input:
 *   FEATURES                       then for each: 1 (categories) or 0 (numbers), its weight or nan
 *   SCALE NOISE                    of the kernel; it is fitted instead if the first weight is nan
 *   POINTS                         then for each: its features, its value
 *   PREDICTIONS                    then for each: its features
 * Prints the logarithm of the evidence, the kernel's weights, scale and noise, and a line for each prediction: the
 * mean, the deviation, and the logarithm of the expected improvement on the least value. */
#include "bayes.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "gaussian_process.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double read_number(void) {
    char text[64];
    return scanf("%63s", text) == 1 ? strtod(text, NULL) : 0;
}

static void read_kernel(cs_gp_points *points, cs_gp_kernel *kernel) {
    points->n_features = (int)read_number();
    for (int f = 0; f < points->n_features; f++) {
        points->category[f] = read_number() != 0;
        kernel->weight[f] = read_number();
    }
    kernel->scale = read_number();
    kernel->noise = read_number();
}

static void print_gp(const cs_gp *gp, double least) {
    printf("%.17g", gp->log_evidence);
    for (int f = 0; f < gp->points.n_features; f++)
        printf(" %.17g", gp->kernel.weight[f]);
    printf(" %.17g %.17g\n", gp->kernel.scale, gp->kernel.noise);
    for (int n = (int)read_number(); n > 0; n--) {
        double point[CS_GP_FEATURES_MAX], mean, deviation;
        for (int f = 0; f < gp->points.n_features; f++)
            point[f] = read_number();
        cs_gp_predict(gp, point, &mean, &deviation);
        printf("%.17g %.17g %.17g\n", mean, deviation, cs_bayes_log_improvement(least, mean, deviation));
    }
}

static cs_status answer(void) {
    cs_gp_points points = {0};
    cs_gp_kernel kernel = {0};
    double *at = NULL, *values = NULL, least = INFINITY;
    cs_gp gp;
    read_kernel(&points, &kernel);
    points.n = (int)read_number();
    CS_TRY(cs_alloc((size_t)points.n, sizeof *values, "values", &values));
    CS_TRY(cs_alloc((size_t)points.n * (size_t)points.n_features, sizeof *at, "points", &at));
    for (int i = 0; i < points.n; i++) {
        for (int f = 0; f < points.n_features; f++)
            at[i * points.n_features + f] = read_number();
        values[i] = read_number();
        least = fmin(least, values[i]);
    }
    points.at = at;
    if (isnan(kernel.weight[0]))
        CS_TRY(cs_gp_fit(&points, values, &kernel));
    CS_TRY(cs_gp_open(&points, values, &kernel, &gp));
    print_gp(&gp, least);
    cs_gp_close(&gp);
    free(at);
    free(values);
    return CS_OK;
}

int main(void) {
    if (answer() == CS_OK)
        return 0;
    cs_log_error_last();
    return 1;
}
