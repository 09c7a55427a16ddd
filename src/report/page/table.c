/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the job, whose cells have the colour of their value, and the leaderboard. */
#include "page_impl.h"

#include <math.h>

typedef struct range {
    double low, high;
} range;

static range range_of(const cs_page_table *table) {
    range r = {INFINITY, -INFINITY};
    for (int i = 0; i < table->rows * table->columns; i++) {
        if (isnan(table->mean[i]))
            continue;
        r.low = fmin(r.low, table->mean[i]);
        r.high = fmax(r.high, table->mean[i]);
    }
    return r;
}

static void print_cell(FILE *out, const cs_page_table *table, int i, range r) {
    if (isnan(table->mean[i])) {
        fprintf(out, "<td>%s</td>", table->failed[i] ? "failed" : "-");
        return;
    }
    const double at = r.high > r.low ? (table->mean[i] - r.low) / (r.high - r.low) : 1;
    const cs_rgb colour = cs_colormap_at(CS_COLORMAP_BLUES, table->maximize ? at : 1 - at);
    fprintf(out, "<td style=\"background:#%02x%02x%02x;color:%s\">%.*f", colour.r, colour.g, colour.b,
            cs_rgb_is_dark(colour) ? "#fff" : "#000", table->decimals, table->mean[i]);
    if (!isnan(table->sd[i]))
        fprintf(out, " <small>± %.*f</small>", table->decimals, table->sd[i]);
    fputs("</td>", out);
}

static void print_names(FILE *out, const cs_page_table *table) {
    fputs("<thead><tr><th scope=\"col\">", out);
    cs_html_text(out, table->row_option);
    fputs(table->row_option[0] && table->column_option[0] ? " \\ " : "", out);
    cs_html_text(out, table->column_option);
    fputs("</th>", out);
    for (int c = 0; c < table->columns; c++) {
        fputs("<th scope=\"col\">", out);
        cs_html_text(out, table->column_names[c]);
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n", out);
}

cs_status cs_page_table_section(cs_page_writer *writer) {
    const cs_page_table *table = writer->page->table;
    FILE *out = writer->out;
    if (!table)
        return CS_OK;
    const range r = range_of(table);
    cs_page_begin_section(out, "table", "Result table");
    fputs("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-labelledby=\"table-h\">\n<table class=\"pivot\">"
          "<caption>",
          out);
    cs_html_text(out, table->value);
    fputs(", mean ± standard deviation where a cell has several trials</caption>\n", out);
    print_names(out, table);
    fputs("<tbody>\n", out);
    for (int row = 0; row < table->rows; row++) {
        fputs("<tr><th scope=\"row\">", out);
        cs_html_text(out, table->row_names[row]);
        fputs("</th>", out);
        for (int c = 0; c < table->columns; c++)
            print_cell(out, table, row * table->columns + c, r);
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
    cs_page_end_section(out);
    return CS_OK;
}
