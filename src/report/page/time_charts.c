/* SPDX-License-Identifier: Apache-2.0 */
/* What trials cost, and which rank trained which of them when. */
#include "cnnsweep/memory.h"
#include "cnnsweep/text_table.h"
#include "sweep_charts.h"

#include <math.h>
#include <stdlib.h>

static int find_seconds(const cs_page *page) {
    for (int i = 0; i < page->n_figures; i++)
        if (strcmp(page->figures[i].name, "seconds") == 0)
            return i;
    return -1;
}

int cs_cost_count(const cs_page_writer *writer) {
    const cs_page *page = writer->page;
    int n = 0;
    for (int t = 0; t < page->n_trials; t++)
        n += !isnan(cs_page_value(page, &page->trials[t]));
    return n > 1 && find_seconds(page) >= 0;
}

cs_status cs_cost_draw(const cs_page_writer *writer, int i, cs_drawing **out) {
    const cs_page *page = writer->page;
    const int seconds = find_seconds(page);
    const int n = writer->n_ok < CS_PAGE_ROWS ? writer->n_ok : CS_PAGE_ROWS;
    cs_point *points = NULL;
    (void)i;
    CS_TRY(cs_alloc((size_t)n, sizeof *points, "points", &points));
    for (int t = 0; t < n; t++) {
        const cs_page_trial *trial = &page->trials[writer->order[t]];
        points[t] = (cs_point){.key = trial->name,
                               .label = trial->describe[0] ? trial->describe : trial->name,
                               .x = trial->figures[seconds],
                               .y = cs_page_value(page, trial)};
    }
    const cs_scatter_chart chart = {.frame = CS_SWEEP_FRAME("cost against result"),
                                    .x = {.label = "seconds"},
                                    .y = {.label = page->figures[page->metric].name},
                                    .points = points,
                                    .n = n};
    const cs_status status = cs_scatter_chart_draw(&chart, out);
    free(points);
    return status;
}

cs_status cs_cost_csv(const cs_page_writer *writer, int i, FILE *out) {
    const cs_page *page = writer->page;
    (void)i;
    fprintf(out, "trial,seconds,%s\n", page->figures[page->metric].name);
    for (int t = 0; t < writer->n_ok; t++) {
        const cs_page_trial *trial = &page->trials[writer->order[t]];
        fputs(trial->name, out);
        cs_csv_number(trial->figures[find_seconds(page)], out);
        cs_csv_number(cs_page_value(page, trial), out);
        fputc('\n', out);
    }
    return CS_OK;
}

static bool has_span(const cs_page_trial *trial) {
    return trial->rank >= 0 && isfinite(trial->begun) && isfinite(trial->ended);
}

int cs_timeline_count(const cs_page_writer *writer) {
    const cs_page *page = writer->page;
    for (int t = 0; t < page->n_trials; t++)
        if (has_span(&page->trials[t]))
            return 1;
    return 0;
}

static cs_span_state state_of(const cs_page_trial *trial) {
    if (trial->state == CS_PAGE_FAILED)
        return CS_SPAN_FAILED;
    return trial->state == CS_PAGE_OK ? CS_SPAN_OK : CS_SPAN_RUNNING;
}

/* Fills the spans [n_trials]; returns their number. `ranks` becomes that of the rows. */
static int fill_spans(const cs_page *page, cs_span *spans, int *ranks) {
    int n = 0;
    *ranks = 0;
    for (int t = 0; t < page->n_trials; t++) {
        const cs_page_trial *trial = &page->trials[t];
        if (!has_span(trial))
            continue;
        spans[n++] = (cs_span){.key = trial->name,
                               .label = trial->describe[0] ? trial->describe : trial->name,
                               .row = trial->rank,
                               .start = trial->begun,
                               .end = trial->ended,
                               .state = state_of(trial)};
        *ranks = trial->rank >= *ranks ? trial->rank + 1 : *ranks;
    }
    return n;
}

static cs_status draw_ranks(const cs_span *spans, int n, int ranks, cs_drawing **out) {
    enum { NAME = 24 };
    char(*names)[NAME] = NULL;
    const char **rows = NULL;
    cs_status status;
    CS_TRY_GOTO(cs_alloc((size_t)ranks, sizeof *names, "ranks", &names), done);
    CS_TRY_GOTO(cs_alloc((size_t)ranks, sizeof *rows, "ranks", &rows), done);
    for (int rank = 0; rank < ranks; rank++) {
        snprintf(names[rank], sizeof names[rank], "%d", rank);
        rows[rank] = names[rank];
    }
    const cs_time_line chart = {.frame = CS_SWEEP_ROWS_FRAME("what the ranks did when"),
                                .row_title = "rank",
                                .rows = rows,
                                .n_rows = ranks,
                                .spans = spans,
                                .n = n};
    status = cs_time_line_draw(&chart, out);
done:
    free(names);
    free(rows);
    return status;
}

cs_status cs_timeline_draw(const cs_page_writer *writer, int i, cs_drawing **out) {
    cs_span *spans = NULL;
    int ranks;
    (void)i;
    CS_TRY(cs_alloc((size_t)writer->page->n_trials, sizeof *spans, "spans", &spans));
    const int n = fill_spans(writer->page, spans, &ranks);
    const cs_status status = draw_ranks(spans, n < CS_PAGE_ROWS ? n : CS_PAGE_ROWS, ranks, out);
    free(spans);
    return status;
}

cs_status cs_timeline_csv(const cs_page_writer *writer, int i, FILE *out) {
    (void)i;
    fputs("trial,rank,begun,ended\n", out);
    for (int t = 0; t < writer->page->n_trials; t++) {
        const cs_page_trial *trial = &writer->page->trials[t];
        if (has_span(trial))
            fprintf(out, "%s,%d,%.3f,%.3f\n", trial->name, trial->rank, trial->begun, trial->ended);
    }
    return CS_OK;
}
