/* SPDX-License-Identifier: Apache-2.0 */
/* What the sections of the page have in common. */
#include "page_impl.h"

#include <math.h>

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
