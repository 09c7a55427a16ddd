/* SPDX-License-Identifier: Apache-2.0 */
/* Sections about the sweep as a whole: what sharing saved, what failed, and the job. */
#include "page_impl.h"

#include <math.h>
#include <string.h>

static int find_figure(const cs_page *page, const char *name) {
    for (int i = 0; i < page->n_figures; i++)
        if (strcmp(page->figures[i].name, name) == 0)
            return i;
    return -1;
}

/* The trials that were trained in the same group as others. */
static int count_grouped(const cs_page *page, int *groups) {
    int grouped = 0;
    *groups = 0;
    for (int t = 0; t < page->n_trials; t++) {
        int with = 0, before = 0;
        for (int other = 0; page->trials[t].group > 0 && other < page->n_trials; other++) {
            const bool same = page->trials[other].group == page->trials[t].group;
            with += same;
            before += same && other < t;
        }
        grouped += with > 1;
        *groups += with > 1 && before == 0;
    }
    return grouped;
}

/* The mean of a figure over the trials that finished; NaN: none has it. */
static double mean_of(const cs_page *page, const char *name) {
    const int figure = find_figure(page, name);
    double sum = 0;
    int n = 0;
    for (int t = 0; figure >= 0 && t < page->n_trials; t++) {
        if (page->trials[t].state != CS_PAGE_OK || isnan(page->trials[t].figures[figure]))
            continue;
        sum += page->trials[t].figures[figure];
        n++;
    }
    return n ? sum / n : (double)NAN;
}

cs_status cs_page_sharing(cs_page_writer *writer) {
    const cs_page *page = writer->page;
    const double per_cent = 100, reused = mean_of(page, "reused");
    int groups;
    const int grouped = page->n_trials <= CS_PAGE_ROWS ? count_grouped(page, &groups) : 0;
    if (grouped == 0 && !(reused > 0))
        return CS_OK;
    cs_page_begin_section(writer->out, "sharing", "What sharing saved");
    if (grouped)
        fprintf(writer->out,
                "<p>%d of %d trials were trained in %d group%s: the frozen layers that the trials of a group have in "
                "common ran once for all of them, instead of %d times.</p>\n",
                grouped, page->n_trials, groups, groups == 1 ? "" : "s", grouped);
    if (reused > 0)
        fprintf(writer->out,
                "<p>For %.0f %% of the images, counted each time they were shown, the output of the frozen layers came "
                "from the cache.</p>\n",
                per_cent * reused);
    cs_page_end_section(writer->out);
    return CS_OK;
}

cs_status cs_page_failures(cs_page_writer *writer) {
    const cs_page *page = writer->page;
    FILE *out = writer->out;
    int failed = 0;
    for (int t = 0; t < page->n_trials; t++)
        failed += page->trials[t].state == CS_PAGE_FAILED;
    if (failed == 0)
        return CS_OK;
    cs_page_begin_section(out, "failures", "Failed trials");
    fputs("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-labelledby=\"failures-h\"><table>\n<thead><tr><th "
          "scope=\"col\">trial</th><th scope=\"col\">options</th><th scope=\"col\">reason</th></tr></thead>\n<tbody>\n",
          out);
    for (int t = 0, shown = 0; t < page->n_trials && shown < CS_PAGE_ROWS; t++) {
        const cs_page_trial *trial = &page->trials[t];
        if (trial->state != CS_PAGE_FAILED)
            continue;
        shown++;
        fprintf(out, "<tr><th scope=\"row\">%s</th><td>", trial->name);
        cs_html_text(out, trial->describe);
        fputs("</td><td>", out);
        cs_html_text(out, trial->reason);
        fputs("</td></tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
    cs_page_end_section(out);
    return CS_OK;
}

cs_status cs_page_network(cs_page_writer *writer) {
    FILE *out = writer->out;
    if (!writer->page->network)
        return CS_OK;
    cs_page_begin_section(out, "network", "Network");
    fputs("<p class=\"note\">That of the best trial; of another the command is <code>cnnsweep summary</code>.</p>\n"
          "<pre class=\"scroll\" tabindex=\"0\" role=\"group\" aria-labelledby=\"network-h\">",
          out);
    cs_html_text(out, writer->page->network);
    fputs("</pre>\n", out);
    cs_page_end_section(out);
    return CS_OK;
}

cs_status cs_page_job(cs_page_writer *writer) {
    const cs_page *page = writer->page;
    FILE *out = writer->out;
    cs_page_begin_section(out, "job", "Job file");
    fputs("<p>", out);
    cs_html_text(out, page->job_path);
    fputs(page->job ? "" : " is not there any more", out);
    fputs("</p>\n", out);
    if (page->job) {
        fputs("<pre class=\"scroll\" tabindex=\"0\" role=\"group\" aria-labelledby=\"job-h\">", out);
        cs_html_text(out, page->job);
        fputs("</pre>\n", out);
    }
    cs_page_end_section(out);
    return CS_OK;
}
