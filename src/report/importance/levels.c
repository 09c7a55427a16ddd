/* SPDX-License-Identifier: Apache-2.0 */
/* The values of options as levels. */
#include "cnnsweep/memory.h"
#include "importance_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const cs_importance_table *table, int trial, int option) {
    return table->texts[trial * table->n_options + option];
}

/* The index of a text among the names [n]; n: it is not among them. */
static int find(const char *const *names, int n, const char *text) {
    int i = 0;
    while (i < n && strcmp(names[i], text) != 0)
        i++;
    return i;
}

static int by_number(const void *a, const void *b) {
    double p = strtod(*(const char *const *)a, NULL), q = strtod(*(const char *const *)b, NULL);
    return (p > q) - (p < q);
}

static cs_status list_values(const cs_importance_table *table, int option, cs_levels *levels) {
    const char **names;
    int n = 0;
    CS_TRY(cs_alloc((size_t)levels->n_trials, sizeof *names, "values of an option", &names));
    levels->names[option] = names;
    for (int i = 0; i < levels->n_trials; i++) {
        const char *text = text_of(table, levels->trials[i], option);
        if (text && find(names, n, text) == n)
            names[n++] = text;
    }
    if (table->options[option].is_number)
        qsort(names, (size_t)n, sizeof *names, by_number);
    levels->counts[option] = n;
    for (int i = 0; i < levels->n_trials; i++) {
        const char *text = text_of(table, levels->trials[i], option);
        levels->of[i * table->n_options + option] = text ? find(names, n, text) : -1;
    }
    return CS_OK;
}

static cs_status make(const cs_importance_table *table, cs_levels *out) {
    size_t trials = (size_t)table->n_trials, options = (size_t)table->n_options;
    CS_TRY(cs_alloc(trials, sizeof *out->trials, "trials", &out->trials));
    CS_TRY(cs_alloc(trials, sizeof *out->values, "trials", &out->values));
    CS_TRY(cs_alloc(options, sizeof *out->counts, "options", &out->counts));
    CS_TRY(cs_alloc(trials * options, sizeof *out->of, "values of options", &out->of));
    CS_TRY(cs_alloc(options, sizeof *out->names, "values of options", &out->names));
    for (int t = 0; t < table->n_trials; t++) {
        if (!isfinite(table->values[t]))
            continue;
        out->values[out->n_trials] = table->values[t];
        out->trials[out->n_trials++] = t;
    }
    for (int i = 0; i < table->n_options; i++)
        CS_TRY(list_values(table, i, out));
    return CS_OK;
}

cs_status cs_levels_make(const cs_importance_table *table, cs_levels *out) {
    *out = (cs_levels){0};
    cs_status status = make(table, out);
    if (status != CS_OK)
        cs_levels_free(table, out);
    return status;
}

void cs_levels_free(const cs_importance_table *table, cs_levels *levels) {
    for (int i = 0; levels->names && i < table->n_options; i++)
        free(levels->names[i]);
    free(levels->trials);
    free(levels->values);
    free(levels->counts);
    free(levels->of);
    free(levels->names);
    *levels = (cs_levels){0};
}
