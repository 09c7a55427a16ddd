/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/page.h"
#include "cnnsweep/file.h"
#include "page_impl.h"

#include <stdlib.h>

static cs_status print_charts(cs_page_writer *writer) {
    int n;
    const cs_sweep_chart *charts = cs_sweep_charts(&n);
    for (int i = 0; i < n; i++)
        CS_TRY(cs_page_chart_section(writer, &charts[i]));
    return CS_OK;
}

/* Sections in the order of the page. To add one: a row here and its function. */
static cs_status (*const sections[])(cs_page_writer *writer) = {
    cs_page_summary,  cs_page_table_section, cs_page_leaderboard, print_charts, cs_page_sharing,
    cs_page_failures, cs_page_augmentations, cs_page_network,     cs_page_job,  cs_page_trials,
};

/* The browser may load nothing from elsewhere; scripts are those of the page alone. */
static void print_head(const cs_page *page, FILE *out) {
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
          "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n<title>",
          out);
    cs_html_text(out, page->title);
    fputs("</title>\n<style>\n", out);
    cs_drawing_print_css(out);
    fputs(cs_page_css, out);
    fputs("</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the results</a>\n<header>\n<h1>", out);
    cs_html_text(out, page->title);
    fputs("</h1>\n<p class=\"note\">", out);
    cs_html_text(out, page->generated);
    fputs(page->is_complete ? "</p>\n" : "; the sweep has not ended</p>\n", out);
    fputs("<nav aria-label=\"Sections\" id=\"nav\"></nav>\n</header>\n<main id=\"main\">\n", out);
}

static void print_foot(FILE *out) {
    fputs("</main>\n<script>\n", out);
    fputs(cs_page_script, out);
    fputs("</script>\n</body>\n</html>\n", out);
}

static cs_status print_page(cs_page_writer *writer) {
    print_head(writer->page, writer->out);
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        CS_TRY(sections[i](writer));
    print_foot(writer->out);
    return CS_OK;
}

/* Finds the size of the page without the sections of single trials. */
static cs_status measure(cs_page_writer *writer, long *size) {
    char *text = NULL;
    size_t bytes;
    writer->out = open_memstream(&text, &bytes);
    if (!writer->out)
        return cs_fail(CS_ERR_NO_MEMORY, "no memory for the page");
    const cs_status status = print_page(writer);
    *size = ftell(writer->out);
    fclose(writer->out);
    writer->out = NULL;
    free(text);
    return status;
}

static cs_status write_page(cs_page_writer *writer, const char *path) {
    cs_atomic_file *file = NULL;
    long size = 0;
    CS_TRY(cs_page_order(writer->page, &writer->order, &writer->n_ok));
    CS_TRY(measure(writer, &size));
    CS_TRY(cs_page_make_sections(writer, CS_PAGE_BYTES - size));
    CS_TRY(cs_atomic_open(path, &file));
    writer->out = cs_atomic_stream(file);
    const cs_status status = print_page(writer);
    if (status == CS_OK)
        return cs_atomic_commit(&file);
    cs_atomic_abort(&file);
    return status;
}

cs_status cs_page_write(const cs_page *page, const char *path) {
    cs_page_writer writer = {.page = page};
    const cs_status status = write_page(&writer, path);
    free(writer.order);
    free(writer.sections);
    return status;
}
