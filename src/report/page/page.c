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

/* Sections in the order of the page; those of single trials follow. To add one: a row here and its function. */
static cs_status (*const sections[])(cs_page_writer *writer) = {
    cs_page_summary,  cs_page_table_section, cs_page_leaderboard, print_charts, cs_page_sharing,
    cs_page_failures, cs_page_augmentations, cs_page_network,     cs_page_job,
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

static cs_status print_sections(cs_page_writer *writer) {
    print_head(writer->page, writer->out);
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        CS_TRY(sections[i](writer));
    return CS_OK;
}

/* Has `print` print into memory; `text` and `size` replace what they had before. */
static cs_status print_to_memory(cs_page_writer *writer, cs_status (*print)(cs_page_writer *writer), char **text,
                                 size_t *size) {
    free(*text);
    *text = NULL;
    writer->out = open_memstream(text, size);
    if (!writer->out)
        return cs_fail(CS_ERR_NO_MEMORY, "no memory for the page");
    const cs_status status = print(writer);
    const bool failed = ferror(writer->out);
    if (fclose(writer->out) != 0 || failed)
        return status == CS_OK ? cs_fail(CS_ERR_NO_MEMORY, "no memory for the page") : status;
    return status;
}

/* Links lead to the sections of trials, as many of which are printed as there is room for. That is nearly always all of
 * them, so that what comes before is printed again only where it has links to others. */
static cs_status make_parts(cs_page_writer *writer) {
    writer->n_sections = writer->page->n_trials;
    CS_TRY(print_to_memory(writer, print_sections, &writer->front, &writer->front_size));
    CS_TRY(print_to_memory(writer, cs_page_print_trials, &writer->trials, &writer->trials_size));
    if (writer->n_sections == writer->page->n_trials)
        return CS_OK;
    return print_to_memory(writer, print_sections, &writer->front, &writer->front_size);
}

static cs_status write_parts(cs_page_writer *writer, const char *path) {
    cs_atomic_file *file = NULL;
    CS_TRY(cs_atomic_open(path, &file));
    writer->out = cs_atomic_stream(file);
    fwrite(writer->front, 1, writer->front_size, writer->out);
    cs_page_begin_trials(writer);
    fwrite(writer->trials, 1, writer->trials_size, writer->out);
    cs_page_end_section(writer->out);
    print_foot(writer->out);
    return cs_atomic_commit(&file);
}

cs_status cs_page_write(const cs_page *page, const char *path) {
    cs_page_writer writer;
    cs_status status = cs_page_writer_open(page, &writer);
    if (status == CS_OK)
        status = make_parts(&writer);
    if (status == CS_OK)
        status = write_parts(&writer, path);
    cs_page_writer_close(&writer);
    return status;
}
