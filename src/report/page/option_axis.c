/* SPDX-License-Identifier: Apache-2.0 */
#include "option_axis.h"

#include "cnnsweep/memory.h"

#include <math.h>
#include <stdlib.h>

static bool read_number(const char *text, double *out) {
    char *end;
    *out = strtod(text, &end);
    return *text && !*end && isfinite(*out);
}

cs_status cs_option_axis_open(const cs_page_option *option, cs_option_axis *out) {
    const double wide = 30;
    double low = INFINITY, high = -INFINITY;
    *out = (cs_option_axis){.option = option, .is_numeric = true};
    CS_TRY(cs_alloc((size_t)option->n, sizeof *out->at, "an axis", &out->at));
    for (int i = 0; i < option->n && out->is_numeric; i++) {
        out->is_numeric = read_number(option->values[i], &out->at[i]);
        low = fmin(low, out->at[i]);
        high = fmax(high, out->at[i]);
    }
    for (int i = 0; i < option->n && !out->is_numeric; i++)
        out->at[i] = i;
    if (out->is_numeric && low > 0 && high >= wide * low)
        out->scale = CS_SCALE_LOG;
    return CS_OK;
}

void cs_option_axis_close(cs_option_axis *axis) {
    free(axis->at);
    axis->at = NULL;
}
