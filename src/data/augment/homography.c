/* SPDX-License-Identifier: Apache-2.0 */
/* The projective map that brings four points to four others. */
#include "rules.h"

#include <math.h>
#include <string.h>

/* Solves the n equations m[i][0..n-1] * x = m[i][n] by elimination with pivots. */
enum { UNKNOWNS = 8 };
static void solve(double m[UNKNOWNS][UNKNOWNS + 1], double x[UNKNOWNS]) {
    for (int i = 0; i < UNKNOWNS; i++) {
        int pivot = i;
        double row[UNKNOWNS + 1];
        for (int k = i + 1; k < UNKNOWNS; k++)
            pivot = fabs(m[k][i]) > fabs(m[pivot][i]) ? k : pivot;
        memcpy(row, m[i], sizeof row);
        memcpy(m[i], m[pivot], sizeof row);
        memcpy(m[pivot], row, sizeof row);
        for (int k = i + 1; k < UNKNOWNS; k++) {
            const double factor = m[k][i] / m[i][i];
            for (int j = i; j <= UNKNOWNS; j++)
                m[k][j] -= factor * m[i][j];
        }
    }
    for (int i = UNKNOWNS - 1; i >= 0; i--) {
        x[i] = m[i][UNKNOWNS];
        for (int j = i + 1; j < UNKNOWNS; j++)
            x[i] -= m[i][j] * x[j];
        x[i] /= m[i][i];
    }
}

void cs_homography(const double from[4][2], const double to[4][2], double map[8]) {
    double m[UNKNOWNS][UNKNOWNS + 1];
    for (int i = 0; i < UNKNOWNS; i++) {
        const int k = i % 2;
        const double x = from[i / 2][0], y = from[i / 2][1], at = to[i / 2][k];
        const double row[UNKNOWNS + 1] = {k ? 0 : x, k ? 0 : y, k ? 0 : 1, k ? x : 0, k ? y : 0,
                                          k ? 1 : 0, -at * x,   -at * y,   at};
        memcpy(m[i], row, sizeof row);
    }
    solve(m, map);
}
