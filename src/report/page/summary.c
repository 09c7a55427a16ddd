/* SPDX-License-Identifier: Apache-2.0 */
/* The first section: how the sweep went, in a few lines. */
#include "page_impl.h"

#include <math.h>

static void print_fact(FILE *out, const char *name) {
    fprintf(out, "<div><dt>%s</dt><dd>", name);
}

static void print_best(const cs_page_writer *writer) {
    const cs_page *page = writer->page;
    if (writer->n_ok == 0 || page->metric < 0)
        return;
    const int best = writer->order[0];
    const cs_page_figure *figure = &page->figures[page->metric];
    print_fact(writer->out, "Best");
    fprintf(writer->out, "%s ", figure->name);
    cs_page_number(writer->out, cs_page_value(page, &page->trials[best]), figure->decimals);
    fputs(", trial ", writer->out);
    cs_page_trial_link(writer, best);
    fputs(page->trials[best].describe[0] ? ": " : "", writer->out);
    cs_html_text(writer->out, page->trials[best].describe);
    fputs("</dd></div>\n", writer->out);
}

cs_status cs_page_summary(cs_page_writer *writer) {
    const cs_page *page = writer->page;
    int counts[CS_PAGE_STATE_COUNT] = {0};
    for (int t = 0; t < page->n_trials; t++)
        counts[page->trials[t].state]++;
    cs_page_begin_section(writer->out, "summary", "Summary");
    fputs("<dl class=\"facts\">\n", writer->out);
    print_fact(writer->out, "Trials");
    fprintf(writer->out, "%d: %d finished, %d failed, %d running, %d waiting", page->n_trials, counts[CS_PAGE_OK],
            counts[CS_PAGE_FAILED], counts[CS_PAGE_RUNNING], counts[CS_PAGE_WAITING]);
    if (page->n_in_other_parts)
        fprintf(writer->out, "; %d are of parts that are not here", page->n_in_other_parts);
    fputs("</dd></div>\n", writer->out);
    print_best(writer);
    for (int i = 0; i < page->n_facts; i++) {
        fputs("<div><dt>", writer->out);
        cs_html_text(writer->out, page->facts[i].name);
        fputs("</dt><dd>", writer->out);
        cs_html_text(writer->out, page->facts[i].value);
        fputs("</dd></div>\n", writer->out);
    }
    fputs("</dl>\n", writer->out);
    cs_page_end_section(writer->out);
    return CS_OK;
}
