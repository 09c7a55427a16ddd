/* SPDX-License-Identifier: Apache-2.0 */
/* What is computed of a page before it is drawn. */
#include "cnnsweep/memory.h"
#include "option_table.h"

#include <math.h>
#include <stdlib.h>

typedef struct ranked {
    int place; /* of its state */
    double value;
    int trial;
} ranked;

/* The larger value first; of equal ones the earlier trial. */
static int compare(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->place != y->place)
        return x->place - y->place;
    if (x->value != y->value && !(isnan(x->value) && isnan(y->value))) {
        if (isnan(x->value) || isnan(y->value))
            return isnan(x->value) ? 1 : -1;
        return x->value < y->value ? 1 : -1;
    }
    return x->trial - y->trial;
}

static cs_status make_order(const cs_page *page, int **order, int *n_ok) {
    static const int places[CS_PAGE_STATE_COUNT] = {
        [CS_PAGE_OK] = 0, [CS_PAGE_RUNNING] = 1, [CS_PAGE_FAILED] = 2, [CS_PAGE_WAITING] = 3};
    ranked *all = NULL;
    const size_t n = (size_t)page->n_trials;
    *n_ok = 0;
    CS_TRY(cs_alloc(n, sizeof **order, "trials", order));
    CS_TRY(cs_alloc(n, sizeof *all, "trials", &all));
    for (int t = 0; t < page->n_trials; t++) {
        const double value = cs_page_value(page, &page->trials[t]);
        all[t] = (ranked){places[page->trials[t].state], page->maximize ? value : -value, t};
        *n_ok += page->trials[t].state == CS_PAGE_OK;
    }
    qsort(all, n, sizeof *all, compare);
    for (size_t i = 0; i < n; i++)
        (*order)[i] = all[i].trial;
    free(all);
    return CS_OK;
}

/* Beside exact shares the estimates of other methods say nothing. */
static cs_status find_importances(cs_page_writer *writer) {
    int n;
    const cs_importance_method *methods = cs_importance_methods(&n);
    CS_TRY(cs_alloc((size_t)n, sizeof *writer->importances, "importances", &writer->importances));
    for (int i = 0; i < n && writer->options.table.n_options > 0; i++) {
        cs_importance *importance = &writer->importances[writer->n_importances];
        const cs_status status = cs_importance_find(&writer->options.table, methods[i].name, importance);
        if (status != CS_OK && status != CS_ERR_UNSUPPORTED)
            return status;
        writer->n_importances += status == CS_OK;
        if (status == CS_OK && methods[i].is_exact)
            break;
    }
    return CS_OK;
}

cs_status cs_page_writer_open(const cs_page *page, cs_page_writer *out) {
    *out = (cs_page_writer){.page = page};
    CS_TRY(make_order(page, &out->order, &out->n_ok));
    CS_TRY(cs_option_table_open(page, &out->options));
    return find_importances(out);
}

void cs_page_writer_close(cs_page_writer *writer) {
    for (int i = 0; i < writer->n_importances; i++)
        cs_importance_free(&writer->importances[i]);
    free(writer->importances);
    cs_option_table_close(&writer->options);
    free(writer->order);
    free(writer->front);
    free(writer->trials);
    *writer = (cs_page_writer){0};
}
