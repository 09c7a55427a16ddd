/* SPDX-License-Identifier: Apache-2.0 */
/* The leaderboard: a row for each trial, the best first. The page's script sorts and filters it. */
#include "page_impl.h"

#include <math.h>

static const char *const state_names[CS_PAGE_STATE_COUNT] = {
    [CS_PAGE_WAITING] = "waiting", [CS_PAGE_RUNNING] = "running", [CS_PAGE_OK] = "ok", [CS_PAGE_FAILED] = "failed"};

/* Has any trial that finished this figure? */
static bool is_shown(const cs_page *page, int figure) {
    for (int t = 0; t < page->n_trials; t++)
        if (page->trials[t].state == CS_PAGE_OK && !isnan(page->trials[t].figures[figure]))
            return true;
    return false;
}

static void print_column(FILE *out, const char *name) {
    fputs("<th scope=\"col\" aria-sort=\"none\">", out);
    cs_html_text(out, name);
    fputs("</th>", out);
}

static void print_columns(const cs_page *page, FILE *out) {
    fputs("<thead><tr><th scope=\"col\"><span class=\"sr\">Highlight</span></th>", out);
    print_column(out, "trial");
    if (page->metric >= 0)
        print_column(out, page->figures[page->metric].name);
    for (int i = 0; i < page->n_options; i++)
        print_column(out, page->options[i].name);
    for (int i = 0; i < page->n_figures; i++)
        if (i != page->metric && is_shown(page, i))
            print_column(out, page->figures[i].name);
    print_column(out, "state");
    fputs("</tr></thead>\n", out);
}

static void print_figure(const cs_page *page, const cs_page_trial *trial, int figure, FILE *out) {
    const double value = trial->state == CS_PAGE_OK ? trial->figures[figure] : (double)NAN;
    fputs("<td class=\"n\"", out);
    if (!isnan(value))
        fprintf(out, " data-value=\"%.9g\"", value);
    fputc('>', out);
    cs_page_number(out, value, page->figures[figure].decimals);
    fputs("</td>", out);
}

static void print_row(const cs_page_writer *writer, int t) {
    const cs_page *page = writer->page;
    const cs_page_trial *trial = &page->trials[t];
    FILE *out = writer->out;
    fprintf(out, "<tr data-trial=\"%s\"><td><input type=\"checkbox\" aria-label=\"Highlight %s\"></td>", trial->name,
            trial->name);
    fputs("<th scope=\"row\">", out);
    cs_page_trial_link(writer, t);
    fputs("</th>", out);
    if (page->metric >= 0)
        print_figure(page, trial, page->metric, out);
    for (int i = 0; i < page->n_options; i++) {
        fputs("<td>", out);
        cs_html_text(out, cs_page_option_text(page, trial, i));
        fputs("</td>", out);
    }
    for (int i = 0; i < page->n_figures; i++)
        if (i != page->metric && is_shown(page, i))
            print_figure(page, trial, i, out);
    fprintf(out, "<td>%s</td></tr>\n", state_names[trial->state]);
}

cs_status cs_page_leaderboard(cs_page_writer *writer) {
    const cs_page *page = writer->page;
    FILE *out = writer->out;
    const int shown = page->n_trials < CS_PAGE_ROWS ? page->n_trials : CS_PAGE_ROWS;
    cs_page_begin_section(out, "leaderboard", "Leaderboard");
    if (shown < page->n_trials)
        fprintf(out, "<p class=\"note\">The best %d of %d trials; trials.csv has all.</p>\n", shown, page->n_trials);
    fputs(
        "<p class=\"script\" hidden><label>Filter <input type=\"search\" id=\"filter\" "
        "aria-describedby=\"filter-help\"></label> <output id=\"filter-count\"></output></p>\n"
        "<p class=\"note script\" id=\"filter-help\" hidden>Words that a row must have, or conditions such as lr=0.001 "
        "or test_accuracy&gt;0.9. The heads of the columns sort; ticked trials stand out in all charts.</p>\n"
        "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-labelledby=\"leaderboard-h\">\n"
        "<table id=\"trials\" class=\"sortable\">",
        out);
    print_columns(page, out);
    fputs("<tbody>\n", out);
    for (int i = 0; i < shown; i++)
        print_row(writer, writer->order[i]);
    fputs("</tbody></table></div>\n", out);
    cs_page_end_section(out);
    return CS_OK;
}
