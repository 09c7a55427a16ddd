/* SPDX-License-Identifier: Apache-2.0 */
#include "width.h"

cs_status cs_width_refuse(const cs_graph *graph, float alpha) {
    if (alpha == 1)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_ARG, "%s has no width multiplier, alpha is %g", graph->arch, (double)alpha),
                   "leave alpha out or set it to 1");
}

cs_status cs_width_check(const cs_graph *graph, float alpha, const char *published) {
    const float least = 1 / 32.0f, most = 64; /* MobileNet begins with 32 filters */
    if (alpha >= least && alpha <= most)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_ARG, "%s: alpha is %g; it goes from %g to %g", graph->arch, (double)alpha,
                           (double)least, (double)most),
                   "weights are published for %s", published);
}

int cs_width_divisible(double filters) {
    enum { DIVISOR = 8 };
    int rounded = (int)(filters + DIVISOR / 2.0) / DIVISOR * DIVISOR;
    if (rounded < DIVISOR)
        rounded = DIVISOR;
    return rounded < 0.9 * filters ? rounded + DIVISOR : rounded;
}
