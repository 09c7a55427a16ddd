/* SPDX-License-Identifier: Apache-2.0 */
#include "ticks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double slack = 1e-9; /* of a step: values that differ by so little are equal */

cs_range cs_range_empty(void) {
    return (cs_range){INFINITY, -INFINITY};
}

void cs_range_add(cs_range *range, cs_scale scale, double value) {
    if (!isfinite(value) || (scale == CS_SCALE_LOG && value <= 0))
        return;
    range->low = fmin(range->low, value);
    range->high = fmax(range->high, value);
}

/* The smallest of 1, 2 and 5 times a power of ten that divides the span into at most `parts` parts. */
static double nice_step(double span, int parts, bool whole) {
    static const double factors[] = {1, 2, 5};
    const double rough = span / parts, power = pow(10, floor(log10(rough)));
    double step = 10 * power;
    for (int i = 2; i >= 0; i--)
        if (factors[i] * power >= rough * (1 - slack))
            step = factors[i] * power;
    return whole ? fmax(step, 1) : step;
}

/* A range that has a length: one that has none gets it around its value. */
static cs_range settle(const cs_axis *axis, cs_range range) {
    const double least = 1e-12;
    const bool is_log = axis->scale == CS_SCALE_LOG;
    if (axis->low < axis->high && !(is_log && axis->low <= 0))
        return (cs_range){axis->low, axis->high};
    if (range.low > range.high)
        return is_log ? (cs_range){0.1, 1} : (cs_range){0, 1};
    if (range.high - range.low > least * fmax(fabs(range.low), fabs(range.high)))
        return range;
    if (is_log)
        return (cs_range){range.low / 2, range.high * 2};
    const double half = axis->whole || range.low == 0 ? 0.5 : fabs(range.low) / 10;
    return (cs_range){range.low - half, range.high + half};
}

static int decimals_of(double step) {
    enum { MOST = 15 };
    const int decimals = (int)ceil(-log10(step) - slack);
    return decimals < 0 ? 0 : decimals > MOST ? MOST : decimals;
}

static void find_linear(cs_range range, const cs_axis *axis, bool round_out, int most, cs_ticks *out) {
    double step = nice_step(range.high - range.low, most - 1, axis->whole);
    if (round_out) { /* rounding at both ends adds up to a step to each */
        double low = floor(range.low / step + slack), high = ceil(range.high / step - slack);
        if (high - low > most - 1) {
            step = nice_step((high - low) * step, most - 1, axis->whole);
            low = floor(range.low / step + slack);
            high = ceil(range.high / step - slack);
        }
        range = (cs_range){low * step, high * step};
    }
    out->low = range.low;
    out->high = range.high;
    out->decimals = decimals_of(step);
    const double first = ceil(range.low / step - slack);
    for (int i = 0; i < CS_TICKS_MAX && (first + i) * step <= range.high + slack * step; i++)
        out->at[out->n++] = (first + i) * step;
    if (out->n == 0) /* between whole numbers */
        out->at[out->n++] = range.low;
}

/* Adds the first n multiples of every step-th decade that are in the range; false: there are more than `most`. */
static bool add_decades(int step, int n, int most, cs_ticks *out) {
    static const double multiples[] = {1, 2, 5};
    const int first = (int)floor(log10(out->low) + slack), last = (int)ceil(log10(out->high) - slack);
    out->n = 0;
    for (int exponent = first; exponent <= last; exponent += step)
        for (int m = 0; m < n; m++) {
            const double value = multiples[m] * pow(10, exponent);
            if (value < out->low * (1 - slack) || value > out->high * (1 + slack))
                continue;
            if (out->n == most)
                return false;
            out->at[out->n++] = value;
        }
    return true;
}

static void find_log(cs_range range, const cs_axis *axis, bool round_out, int most, cs_ticks *out) {
    const double margin = round_out ? pow(range.high / range.low, 0.04) : 1;
    out->low = range.low / margin;
    out->high = range.high * margin;
    out->decimals = -1;
    bool fits = add_decades(1, 3, most, out);
    for (int step = 1; !fits; step++)
        fits = add_decades(step, 1, most, out);
    if (out->n < 2) { /* within a decade */
        out->n = 0;
        find_linear((cs_range){out->low, out->high}, axis, false, most, out);
    }
}

void cs_ticks_find(const cs_axis *axis, cs_range found, cs_fit fit, int most, cs_ticks *out) {
    const cs_range range = settle(axis, found);
    const bool round_out = fit == CS_FIT_ROUND && !(axis->low < axis->high);
    *out = (cs_ticks){.n = 0};
    if (axis->scale == CS_SCALE_LOG)
        find_log(range, axis, round_out, most, out);
    else
        find_linear(range, axis, round_out, most, out);
}

/* Removes the sign and the zeros of an exponent: "1e-05" becomes "1e-5". */
static void shorten_exponent(char *text) {
    char *e = strchr(text, 'e');
    if (!e)
        return;
    char *to = e + 1, *from = to;
    if (*from == '-')
        *to++ = *from;
    from += strspn(from, "+-");
    from += strspn(from, "0");
    memmove(to, from, strlen(from) + 1);
}

void cs_ticks_text(const cs_ticks *ticks, int i, char *out) {
    enum { MANY = 5 };
    const double value = ticks->at[i], large = 1e6, largest = fmax(fabs(ticks->low), fabs(ticks->high));
    if (ticks->decimals < 0)
        snprintf(out, CS_TICK_TEXT, value < 1e-3 || value >= large ? "%.0e" : "%g", value);
    else if (largest >= large || ticks->decimals > MANY)
        snprintf(out, CS_TICK_TEXT, "%.6g", value);
    else
        snprintf(out, CS_TICK_TEXT, "%.*f", ticks->decimals, fabs(value) < largest * slack ? 0 : value);
    shorten_exponent(out);
}
