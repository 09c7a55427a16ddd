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

/* What a trial has as the value of an option. */
typedef struct value {
    const char *text;
    double number; /* 0 of an option that is no number */
    int trial;
    int first; /* the index of the first value with the same text, once they are sorted */
} value;

static int by_text(const void *a, const void *b) {
    const value *p = a, *q = b;
    int order = strcmp(p->text, q->text);
    return order ? order : p->trial - q->trial;
}

static int by_level(const void *a, const void *b) {
    const value *p = a, *q = b;
    int order = (p->number > q->number) - (p->number < q->number);
    return order ? order : p->trial - q->trial;
}

static int collect(const cs_importance_table *table, int option, const cs_levels *levels, value *out) {
    int n = 0;
    for (int i = 0; i < levels->n_trials; i++) {
        const char *text = text_of(table, levels->trials[i], option);
        if (text)
            out[n++] = (value){text, table->options[option].is_number ? strtod(text, NULL) : 0, i, 0};
    }
    return n;
}

/* Puts equal values [n] together, by sorting: a search has about as many different ones as trials. Copies the first of
 * each to `different`, in the order of the levels, and returns their number. */
static int find_different(value *values, int n, value *different) {
    int count = 0;
    qsort(values, (size_t)n, sizeof *values, by_text);
    for (int i = 0; i < n; i++) {
        bool is_new = i == 0 || strcmp(values[i - 1].text, values[i].text) != 0;
        values[i].first = is_new ? i : values[i - 1].first;
        if (is_new)
            different[count++] = values[i];
    }
    qsort(different, (size_t)count, sizeof *different, by_level);
    return count;
}

static cs_status list_values(const cs_importance_table *table, int option, cs_levels *levels) {
    const size_t trials = (size_t)levels->n_trials;
    value *values = NULL;
    CS_TRY(cs_alloc(trials, sizeof **levels->names, "values of an option", &levels->names[option]));
    CS_TRY(cs_alloc(2 * trials, sizeof *values, "values of an option", &values));
    value *different = values + trials;
    int n = collect(table, option, levels, values);
    levels->counts[option] = find_different(values, n, different);
    for (int i = 0; i < levels->n_trials; i++)
        levels->of[i * table->n_options + option] = -1;
    for (int level = 0; level < levels->counts[option]; level++) {
        levels->names[option][level] = different[level].text;
        for (int i = different[level].first; i < n && values[i].first == different[level].first; i++)
            levels->of[values[i].trial * table->n_options + option] = level;
    }
    free(values);
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
