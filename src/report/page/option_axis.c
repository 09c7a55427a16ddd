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

typedef struct place {
    double at;
    int value; /* its index among the values of the option */
} place;

static int by_place(const void *a, const void *b) {
    const place *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

int cs_option_mean(const cs_page *page, int option, int value, int other, int other_value, double *mean, double *sd) {
    double sum = 0, squares = 0;
    int n = 0;
    for (int pass = 0; pass < 2; pass++) {
        n = 0;
        for (int t = 0; t < page->n_trials; t++) {
            const cs_page_trial *trial = &page->trials[t];
            const double x = cs_page_value(page, trial);
            if (isnan(x) || trial->values[option] != value || (other >= 0 && trial->values[other] != other_value))
                continue;
            n++;
            sum += pass == 0 ? x : 0;
            squares += pass == 0 ? 0 : (x - *mean) * (x - *mean);
        }
        *mean = n ? sum / n : (double)NAN;
    }
    *sd = n > 1 ? sqrt(squares / (n - 1)) : (double)NAN;
    return n;
}

cs_status cs_option_means_make(const cs_page *page, int option, cs_option_means *out) {
    const int n = page->options[option].n;
    cs_option_axis axis;
    place *places = NULL;
    cs_status status;
    *out = (cs_option_means){0};
    CS_TRY(cs_option_axis_open(&page->options[option], &axis));
    CS_TRY_GOTO(cs_alloc((size_t)n, sizeof *places, "an axis", &places), done);
    CS_TRY_GOTO(cs_alloc((size_t)n, sizeof *out->at, "means", &out->at), done);
    CS_TRY_GOTO(cs_alloc((size_t)n, sizeof *out->mean, "means", &out->mean), done);
    CS_TRY_GOTO(cs_alloc((size_t)n, sizeof *out->sd, "means", &out->sd), done);
    for (int i = 0; i < n; i++)
        places[i] = (place){axis.at[i], i};
    qsort(places, (size_t)n, sizeof *places, by_place);
    for (int i = 0; i < n; i++) {
        out->at[out->n] = places[i].at;
        out->n += cs_option_mean(page, option, places[i].value, -1, 0, &out->mean[out->n], &out->sd[out->n]) > 0;
    }
done:
    cs_option_axis_close(&axis);
    free(places);
    if (status != CS_OK)
        cs_option_means_free(out);
    return status;
}

void cs_option_means_free(cs_option_means *means) {
    free(means->at);
    free(means->mean);
    free(means->sd);
    *means = (cs_option_means){0};
}
