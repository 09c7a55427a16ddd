/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include "cnnsweep/html.h"

enum { BAR_WIDTH = 300, BAR_HEIGHT = 14 }; /* in pixels, of the longest bar */

/* The browser is told to load nothing from elsewhere and to run nothing. */
static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'\">\n"
    "<style>\n"
    ":root { color-scheme: light dark }\n"
    "body { font: 15px/1.4 sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em }\n"
    "table { border-collapse: collapse } th { text-align: left } td, th { padding: 1px 12px 1px 0 }\n"
    "td { text-align: right } tfoot { border-top: 1px solid; font-weight: bold }\n"
    "tbody th, figcaption { overflow-wrap: anywhere } .warning { font-weight: bold; color: #d55e00 }\n"
    "section div { display: flex; flex-wrap: wrap; gap: 10px }\n"
    "figure { margin: 0; width: 150px; font-size: 12px } img { height: 96px; max-width: 150px; object-fit: contain }\n"
    "svg { display: block }\n"
    "</style>\n<title>";

/* Colours that the colour-blind tell apart too (Okabe and Ito, Color Universal Design, 2008). */
static const char *const colours[CS_SPLIT_COUNT] = {"#0072b2", "#e69f00", "#009e73"};

void pack_html_begin(FILE *out, const char *title) {
    fputs(head, out);
    cs_html_text(out, title);
    fputs("</title>\n</head>\n<body>\n<h1>", out);
    cs_html_text(out, title);
    fputs("</h1>\n", out);
}

void pack_html_end(FILE *out) {
    fputs("</body>\n</html>\n", out);
}

static void print_bar(FILE *out, const int64_t counts[CS_SPLIT_COUNT], int64_t most) {
    double x = 0;
    fprintf(out, "<td><svg width=\"%d\" height=\"%d\">", BAR_WIDTH, BAR_HEIGHT);
    for (int s = 0; s < CS_SPLIT_COUNT; s++) {
        const double width = BAR_WIDTH * (double)counts[s] / (double)most;
        fprintf(out, "<rect fill=\"%s\" x=\"%.2f\" width=\"%.2f\" height=\"%d\"/>", colours[s], x, width, BAR_HEIGHT);
        x += width;
    }
    fputs("</svg></td>", out);
}

void pack_html_bar(FILE *out, cs_split colour, double value, double most) {
    fprintf(out,
            "<td><svg width=\"%d\" height=\"%d\"><rect fill=\"%s\" x=\"0\" width=\"%.2f\" height=\"%d\"/></svg></td>",
            BAR_WIDTH, BAR_HEIGHT, colours[colour], BAR_WIDTH * value / most, BAR_HEIGHT);
}

static int64_t sum(const int64_t counts[CS_SPLIT_COUNT]) {
    int64_t total = 0;
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        total += counts[s];
    return total;
}

static void print_row(FILE *out, const cs_split_counts *row) {
    fputs("<tr><th>", out);
    cs_html_text(out, row->name);
    fputs("</th>", out);
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        fprintf(out, "<td>%lld</td>", (long long)row->counts[s]);
}

void pack_html_counts(FILE *out, const char *what, const cs_split_counts *rows, size_t n) {
    cs_split_counts total = {.name = "total"};
    int64_t most = 1;
    fprintf(out, "<table>\n<thead><tr><th>%s</th>", what);
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        fprintf(out, "<th style=\"color: %s\">%s</th>", colours[s], cs_split_name((cs_split)s));
    fputs("<th></th></tr></thead>\n<tbody>\n", out);
    for (size_t i = 0; i < n; i++)
        most = sum(rows[i].counts) > most ? sum(rows[i].counts) : most;
    for (size_t i = 0; i < n; i++) {
        print_row(out, &rows[i]);
        print_bar(out, rows[i].counts, most);
        fputs("</tr>\n", out);
        for (int s = 0; s < CS_SPLIT_COUNT; s++)
            total.counts[s] += rows[i].counts[s];
    }
    fputs("</tbody>\n<tfoot>", out);
    print_row(out, &total);
    fputs("<td></td></tr></tfoot>\n</table>\n", out);
}

void pack_html_png(FILE *out, const uint8_t *bytes, size_t size) {
    fputs("<img alt=\"\" src=\"data:image/png;base64,", out);
    cs_html_base64(out, bytes, size);
    fputs("\">", out);
}
