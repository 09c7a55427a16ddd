/* SPDX-License-Identifier: Apache-2.0 */
/* A section for each trial. A page shows the one that its address names. */
#include "cnnsweep/log.h"
#include "page_impl.h"

#include <math.h>
#include <stdlib.h>

cs_trial_details *cs_page_read_details(const cs_page_trial *trial) {
    static const cs_split splits[] = {CS_SPLIT_TEST, CS_SPLIT_VAL};
    for (size_t i = 0; i < sizeof splits / sizeof *splits; i++) {
        cs_trial_details *details;
        if (!trial->details[splits[i]])
            continue;
        if (cs_trial_details_read(trial->details[splits[i]], &details) == CS_OK)
            return details;
        cs_log(CS_LOG_WARN, "%s is shown without details: %s", trial->name, cs_error_last()->text);
        return NULL;
    }
    return NULL;
}

static void print_interval(FILE *out, double value, cs_interval interval) {
    fputs("<td>", out);
    cs_page_number(out, value, 3);
    if (!isnan(interval.low))
        fprintf(out, " <small>%.3f to %.3f</small>", interval.low, interval.high);
    fputs("</td>", out);
}

static void print_class(FILE *out, const cs_class_details *class, bool has_scores) {
    fputs("<tr><th scope=\"row\">", out);
    cs_html_text(out, class->name);
    fputs("</th>", out);
    print_interval(out, class->scores.precision, class->precision_wilson);
    print_interval(out, class->scores.recall, class->recall_wilson);
    fprintf(out, "<td>%.3f</td><td>%lld</td>", class->scores.f1, (long long)class->scores.support);
    if (has_scores) {
        fputs("<td>", out);
        cs_page_number(out, class->auc, 3);
        fputs("</td>", out);
    }
    fputs("</tr>\n", out);
}

static void print_mean(FILE *out, const char *name, cs_class_scores scores, bool has_scores) {
    fprintf(out, "<tr><th scope=\"row\">%s</th><td>%.3f</td><td>%.3f</td><td>%.3f</td><td>%lld</td>%s</tr>\n", name,
            scores.precision, scores.recall, scores.f1, (long long)scores.support, has_scores ? "<td></td>" : "");
}

static void print_report(const cs_page_trial *trial, const cs_trial_details *details, FILE *out) {
    enum { ROWS = 200 };
    const int shown = details->n_classes < ROWS ? details->n_classes : ROWS;
    fprintf(
        out,
        "<h4>Classification report of %s</h4>\n<p>%lld images, accuracy %.4f <small>%.4f to %.4f</small>. Intervals "
        "of 95 %%: Wilson's.</p>\n<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Classification "
        "report of %s\"><table>\n<thead><tr><th scope=\"col\">class</th><th scope=\"col\">precision</th><th "
        "scope=\"col\">recall</th><th scope=\"col\">F1</th><th scope=\"col\">images</th>%s</tr></thead>\n<tbody>\n",
        cs_split_name(details->split), (long long)details->rows, details->accuracy, details->accuracy_wilson.low,
        details->accuracy_wilson.high, trial->name, details->has_scores ? "<th scope=\"col\">AUC</th>" : "");
    for (int i = 0; i < shown; i++)
        print_class(out, &details->classes[i], details->has_scores);
    print_mean(out, "macro average", details->macro, details->has_scores);
    print_mean(out, "weighted average", details->weighted, details->has_scores);
    fputs("</tbody></table></div>\n", out);
    if (shown < details->n_classes)
        fprintf(out, "<p class=\"note\">The first %d of %d classes; report/%s.txt has all.</p>\n", shown,
                details->n_classes, trial->name);
    if (details->left_out[0]) {
        fputs("<p class=\"note\">", out);
        cs_html_text(out, details->left_out);
        fputs("</p>\n", out);
    }
}

static void print_pairs(const cs_trial_details *details, FILE *out) {
    if (details->n_pairs == 0)
        return;
    fputs("<h4>Most confused classes</h4>\n<ol>\n", out);
    for (int i = 0; i < details->n_pairs; i++) {
        fprintf(out, "<li>%lld images of ", (long long)details->pairs[i].count);
        cs_page_name(out, details->classes[details->pairs[i].label].name);
        fputs(" were taken for ", out);
        cs_page_name(out, details->classes[details->pairs[i].predicted].name);
        fputs("</li>\n", out);
    }
    fputs("</ol>\n", out);
}

static cs_status print_charts(cs_page_writer *writer, const cs_page_trial *trial, const cs_trial_details *details) {
    int n;
    const cs_trial_chart *charts = cs_trial_charts(&n);
    fputs("<div class=\"charts\">\n", writer->out);
    for (int i = 0; i < n; i++) {
        cs_drawing *drawing = NULL;
        if (!charts[i].wanted(writer->page, trial, details))
            continue;
        CS_TRY(charts[i].draw(writer->page, trial, details, &drawing));
        CS_TRY(cs_page_print_drawing(writer, NULL, drawing));
    }
    fputs("</div>\n", writer->out);
    return CS_OK;
}

static void print_head(const cs_page_writer *writer, const cs_page_trial *trial) {
    const cs_page *page = writer->page;
    FILE *out = writer->out;
    fprintf(out,
            "<article class=\"trial\" id=\"%s\" tabindex=\"-1\" aria-labelledby=\"%s-h\">\n<h3 id=\"%s-h\">Trial %s",
            trial->name, trial->name, trial->name, trial->name);
    fputs(trial->describe[0] ? ": " : "", out);
    cs_html_text(out, trial->describe);
    fputs("</h3>\n<p><a href=\"#leaderboard\">All trials</a></p>\n<dl class=\"facts\">\n", out);
    for (int i = 0; i < page->n_figures; i++) {
        if (trial->state != CS_PAGE_OK || isnan(trial->figures[i]))
            continue;
        fprintf(out, "<div><dt>%s</dt><dd>", page->figures[i].name);
        cs_page_number(out, trial->figures[i], page->figures[i].decimals);
        fputs("</dd></div>\n", out);
    }
    if (trial->reason[0]) {
        fprintf(out, "<div><dt>%s</dt><dd>", trial->state == CS_PAGE_FAILED ? "Failed" : "Ended");
        cs_html_text(out, trial->reason);
        fputs("</dd></div>\n", out);
    }
    fputs("</dl>\n", out);
}

static cs_status print_trial(cs_page_writer *writer, int t) {
    const cs_page_trial *trial = &writer->page->trials[t];
    cs_trial_details *details = cs_page_read_details(trial);
    print_head(writer, trial);
    cs_status status = print_charts(writer, trial, details);
    if (status == CS_OK && details) {
        print_report(trial, details, writer->out);
        print_pairs(details, writer->out);
        if (trial->misclassified)
            fprintf(writer->out, "<p><a href=\"%s\">List of all images that were predicted wrongly (CSV)</a></p>\n",
                    trial->misclassified);
        status = cs_page_images(writer, t, details);
    }
    if (trial->state == CS_PAGE_OK && !details)
        fputs("<p class=\"note\">Without its file in details/ there are no numbers of single classes and no images."
              "</p>\n",
              writer->out);
    fputs("</article>\n", writer->out);
    cs_trial_details_free(details);
    return status;
}

/* A trial whose section does not fit any more has none, and so have all trials behind it. */
cs_status cs_page_print_trials(cs_page_writer *writer) {
    const long room = CS_PAGE_BYTES - (long)writer->front_size;
    long end = 0;
    writer->n_sections = 0;
    while (writer->n_sections < writer->page->n_trials) {
        CS_TRY(print_trial(writer, writer->order[writer->n_sections]));
        if (ftell(writer->out) > room && writer->n_sections > 0)
            break;
        end = ftell(writer->out);
        writer->n_sections++;
    }
    /* The text of a memory stream ends where it is closed. */
    return fseek(writer->out, end, SEEK_SET) == 0 ? CS_OK : cs_fail_errno("the page");
}

void cs_page_begin_trials(const cs_page_writer *writer) {
    cs_page_begin_section(writer->out, "details", "Trials");
    fputs("<p class=\"note\" id=\"no-trial\">Follow the link of a trial in the leaderboard to see it here.</p>\n",
          writer->out);
    if (writer->n_sections < writer->page->n_trials)
        fprintf(writer->out, "<p class=\"note\">The page has room for %d of %d trials, the best ones.</p>\n",
                writer->n_sections, writer->page->n_trials);
}
