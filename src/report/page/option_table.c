/* SPDX-License-Identifier: Apache-2.0 */
#include "option_table.h"

#include "cnnsweep/memory.h"
#include "option_axis.h"

#include <math.h>
#include <stdlib.h>

static bool is_varied(const cs_page *page, int option) {
    int first = -1;
    for (int t = 0; t < page->n_trials && !page->options[option].is_inner; t++) {
        const int value = page->trials[t].values[option];
        if (isnan(cs_page_value(page, &page->trials[t])) || value < 0)
            continue;
        if (first >= 0 && value != first)
            return true;
        first = value;
    }
    return false;
}

static cs_status fill(const cs_page *page, cs_option_table *table) {
    const int n = table->table.n_options;
    for (int i = 0; i < n; i++) {
        const cs_page_option *option = &page->options[table->at[i]];
        cs_option_axis axis;
        CS_TRY(cs_option_axis_open(option, &axis));
        table->options[i] = (cs_importance_option){
            .name = option->name, .is_number = axis.is_numeric, .is_log = axis.scale == CS_SCALE_LOG};
        cs_option_axis_close(&axis);
    }
    for (int t = 0; t < page->n_trials; t++) {
        const cs_page_trial *trial = &page->trials[t];
        table->values[t] = cs_page_value(page, trial);
        for (int i = 0; i < n; i++) {
            const int value = trial->values[table->at[i]];
            table->texts[(size_t)t * (size_t)n + (size_t)i] =
                value < 0 ? NULL : page->options[table->at[i]].values[value];
        }
    }
    return CS_OK;
}

cs_status cs_option_table_open(const cs_page *page, cs_option_table *out) {
    const size_t trials = (size_t)page->n_trials;
    int n = 0;
    *out = (cs_option_table){0};
    CS_TRY(cs_alloc((size_t)page->n_options, sizeof *out->at, "options", &out->at));
    for (int option = 0; option < page->n_options; option++)
        if (is_varied(page, option))
            out->at[n++] = option;
    CS_TRY(cs_alloc((size_t)n, sizeof *out->options, "options", &out->options));
    CS_TRY(cs_alloc((size_t)n * trials, sizeof *out->texts, "options", &out->texts));
    CS_TRY(cs_alloc(trials, sizeof *out->values, "values", &out->values));
    out->table = (cs_importance_table){.n_trials = page->n_trials,
                                       .n_options = n,
                                       .options = out->options,
                                       .texts = out->texts,
                                       .values = out->values,
                                       .maximize = page->maximize};
    return fill(page, out);
}

void cs_option_table_close(cs_option_table *table) {
    free(table->at);
    free(table->options);
    free(table->texts);
    free(table->values);
    *table = (cs_option_table){0};
}
