/* SPDX-License-Identifier: Apache-2.0 */
/* The charts of a sweep, a row for each kind. To add one: its functions and a row. */
#include "sweep_charts.h"

#include <math.h>

static const cs_sweep_chart table[] = {
    {"curves", "Curves of all trials",
     "The best trial stands out; tick trials in the leaderboard to compare others. Of very many, the best are drawn.",
     cs_curves_count, cs_curves_name, cs_curves_draw, cs_curves_csv},
    {"options", "Against one option", "The mean and the standard deviation over the trials that have a value.",
     cs_options_count, cs_options_name, cs_options_draw, cs_options_csv},
    {"pairs", "Against two options", "The mean over the trials that have both values.", cs_pairs_count, cs_pairs_name,
     cs_pairs_draw, cs_pairs_csv},
    {"parallel", "Parallel coordinates", "A line is a trial. Limits on an axis hide the trials outside of them.",
     cs_parallel_count, cs_no_name, cs_parallel_draw, cs_parallel_csv},
    {"importance", "Importance of the options",
     "How much of the variation each option explains; in brackets, how the metric goes with an option that is a "
     "number: "
     "Spearman's rank correlation.",
     cs_importance_count, cs_importance_name, cs_importance_draw, cs_importance_csv},
    {"cost", "Cost against result", "Seconds are those that the trial cost, where work was shared its part of it.",
     cs_cost_count, cs_no_name, cs_cost_draw, cs_cost_csv},
    {"timeline", "What the ranks did when", "Trials that were trained together lie over one another.",
     cs_timeline_count, cs_no_name, cs_timeline_draw, cs_timeline_csv},
};

const cs_sweep_chart *cs_sweep_charts(int *n) {
    *n = sizeof table / sizeof *table;
    return table;
}

void cs_no_name(const cs_page_writer *writer, int i, char *out, size_t size) {
    (void)writer;
    (void)i;
    snprintf(out, size, "%s", "");
}

static void print_choice(const cs_page_writer *writer, const cs_sweep_chart *chart, int n) {
    fprintf(writer->out, "<p class=\"script\" hidden><label>Show <select data-shows=\"%s\">", chart->id);
    for (int i = 0; i < n; i++) {
        char name[CS_PAGE_NAME];
        chart->name(writer, i, name, sizeof name);
        fprintf(writer->out, "<option value=\"%d\">", i);
        cs_html_text(writer->out, name);
        fputs("</option>", writer->out);
    }
    fputs("</select></label></p>\n", writer->out);
}

cs_status cs_page_chart_section(cs_page_writer *writer, const cs_sweep_chart *chart) {
    const int n = chart->count(writer);
    if (n == 0)
        return CS_OK;
    cs_page_begin_section(writer->out, chart->id, chart->title);
    fprintf(writer->out, "<p class=\"note\">%s</p>\n", chart->note);
    if (n > 1)
        print_choice(writer, chart, n);
    for (int i = 0; i < n; i++) {
        cs_drawing *drawing = NULL;
        char name[CS_PAGE_NAME];
        chart->name(writer, i, name, sizeof name);
        CS_TRY(chart->draw(writer, i, &drawing));
        fprintf(writer->out, "<div data-shown-by=\"%s\" data-choice=\"%d\">\n", chart->id, i);
        CS_TRY(cs_page_print_drawing(writer, name[0] ? name : NULL, drawing));
        fputs("</div>\n", writer->out);
    }
    cs_page_end_section(writer->out);
    return CS_OK;
}
