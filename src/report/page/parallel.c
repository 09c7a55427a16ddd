/* SPDX-License-Identifier: Apache-2.0 */
/* Parallel coordinates: the swept options and the sweep's metric. */
#include "cnnsweep/memory.h"
#include "cnnsweep/text_table.h"
#include "option_axis.h"
#include "sweep_charts.h"

#include <math.h>
#include <stdlib.h>

int cs_parallel_count(const cs_page_writer *writer) {
    const cs_page *page = writer->page;
    int n = 0;
    for (int t = 0; t < page->n_trials; t++)
        n += !isnan(cs_page_value(page, &page->trials[t]));
    return page->n_options > 0 && n > 1;
}

typedef struct parallel {
    cs_option_axis *options; /* [n_options] */
    cs_parallel_axis *axes;  /* [n_options + 1] */
    cs_parallel_line *lines; /* [CS_PAGE_DRAWN] */
    double *at;              /* [CS_PAGE_DRAWN,n_options + 1] */
} parallel;

static void close_parallel(const cs_page *page, parallel *p) {
    for (int i = 0; p->options && i < page->n_options; i++)
        cs_option_axis_close(&p->options[i]);
    free(p->options);
    free(p->axes);
    free(p->lines);
    free(p->at);
}

static cs_status open_parallel(const cs_page *page, parallel *p) {
    const size_t axes = (size_t)page->n_options + 1;
    *p = (parallel){0};
    CS_TRY(cs_alloc(axes, sizeof *p->options, "axes", &p->options));
    CS_TRY(cs_alloc(axes, sizeof *p->axes, "axes", &p->axes));
    CS_TRY(cs_alloc(CS_PAGE_DRAWN, sizeof *p->lines, "lines", &p->lines));
    CS_TRY(cs_alloc(CS_PAGE_DRAWN * axes, sizeof *p->at, "lines", &p->at));
    for (int i = 0; i < page->n_options; i++) {
        const cs_page_option *option = &page->options[i];
        CS_TRY(cs_option_axis_open(option, &p->options[i]));
        p->axes[i].axis = (cs_axis){.label = option->name, .scale = p->options[i].scale};
        if (!p->options[i].is_numeric) {
            p->axes[i].names = option->values;
            p->axes[i].n_names = option->n;
        }
    }
    p->axes[page->n_options].axis = (cs_axis){.label = page->figures[page->metric].name};
    return CS_OK;
}

static cs_status draw(const cs_page_writer *writer, parallel *p, cs_drawing **out) {
    const cs_page *page = writer->page;
    const int axes = page->n_options + 1;
    int n = 0;
    for (int i = 0; i < writer->n_ok && n < CS_PAGE_DRAWN; i++) {
        const cs_page_trial *trial = &page->trials[writer->order[i]];
        double *at = p->at + (size_t)n * (size_t)axes;
        for (int option = 0; option < page->n_options; option++)
            at[option] = trial->values[option] < 0 ? (double)NAN : p->options[option].at[trial->values[option]];
        at[page->n_options] = cs_page_value(page, trial);
        p->lines[n++] = (cs_parallel_line){trial->name, trial->describe, at, at[page->n_options]};
    }
    const cs_parallel_chart chart = {.frame = CS_SWEEP_FRAME("parallel coordinates"),
                                     .axes = p->axes,
                                     .n_axes = axes,
                                     .lines = p->lines,
                                     .n = n,
                                     .value_title = page->figures[page->metric].name};
    return cs_parallel_chart_draw(&chart, out);
}

cs_status cs_parallel_draw(const cs_page_writer *writer, int i, cs_drawing **out) {
    parallel p;
    (void)i;
    cs_status status = open_parallel(writer->page, &p);
    if (status == CS_OK)
        status = draw(writer, &p, out);
    close_parallel(writer->page, &p);
    return status;
}

cs_status cs_parallel_csv(const cs_page_writer *writer, int i, FILE *out) {
    const cs_page *page = writer->page;
    (void)i;
    fputs("trial", out);
    for (int option = 0; option < page->n_options; option++) {
        fputc(',', out);
        cs_csv_field(page->options[option].name, out);
    }
    fprintf(out, ",%s\n", page->figures[page->metric].name);
    for (int t = 0; t < writer->n_ok; t++) {
        const cs_page_trial *trial = &page->trials[writer->order[t]];
        fputs(trial->name, out);
        for (int option = 0; option < page->n_options; option++) {
            fputc(',', out);
            cs_csv_field(cs_page_option_text(page, trial, option), out);
        }
        cs_csv_number(cs_page_value(page, trial), out);
        fputc('\n', out);
    }
    return CS_OK;
}
