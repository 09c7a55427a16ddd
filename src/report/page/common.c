/* SPDX-License-Identifier: Apache-2.0 */
/* What the sections of the page have in common. */
#include "cnnsweep/memory.h"
#include "page_impl.h"

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

cs_status cs_page_order(const cs_page *page, int **order, int *n_ok) {
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

void cs_page_begin_section(FILE *out, const char *id, const char *title) {
    fprintf(out, "<section id=\"%s\" aria-labelledby=\"%s-h\">\n<h2 id=\"%s-h\">%s</h2>\n", id, id, id, title);
}

void cs_page_end_section(FILE *out) {
    fputs("</section>\n", out);
}

cs_status cs_page_print_drawing(cs_page_writer *writer, const char *caption, cs_drawing *drawing) {
    char prefix[16];
    snprintf(prefix, sizeof prefix, "c%d", writer->n_charts++);
    fputs("<figure>\n", writer->out);
    const cs_status status = cs_drawing_print_svg(drawing, CS_SVG_INLINE, prefix, writer->out);
    if (caption) {
        fputs("<figcaption>", writer->out);
        cs_html_text(writer->out, caption);
        fputs("</figcaption>\n", writer->out);
    }
    fputs("</figure>\n", writer->out);
    cs_drawing_free(drawing);
    return status;
}

void cs_page_name(FILE *out, const char *name) {
    fputs("<bdi>", out);
    cs_html_text(out, name);
    fputs("</bdi>", out);
}

void cs_page_number(FILE *out, double value, int decimals) {
    if (isnan(value))
        fputs("-", out);
    else
        fprintf(out, "%.*f", decimals, value);
}

static bool has_section(const cs_page_writer *writer, int trial) {
    for (int i = 0; i < writer->n_sections; i++)
        if (writer->order[i] == trial)
            return true;
    return false;
}

void cs_page_trial_link(const cs_page_writer *writer, int trial) {
    const char *name = writer->page->trials[trial].name;
    if (has_section(writer, trial))
        fprintf(writer->out, "<a href=\"#%s\">%s</a>", name, name);
    else
        fputs(name, writer->out);
}

double cs_page_value(const cs_page *page, const cs_page_trial *trial) {
    return page->metric >= 0 && trial->state == CS_PAGE_OK ? trial->figures[page->metric] : (double)NAN;
}

const char *cs_page_option_text(const cs_page *page, const cs_page_trial *trial, int option) {
    return trial->values[option] < 0 ? "-" : page->options[option].values[trial->values[option]];
}
