/* SPDX-License-Identifier: Apache-2.0 */
#include "csv_reader.h"
#include "json_lines.h"

#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <csv.h>

/* The row that libcsv fills. */
typedef struct csv_row {
    pack_row fields;
    bool complete;
    cs_status status; /* of the functions that libcsv calls */
} csv_row;

struct pack_csv {
    const char *path;
    char *text; /* the whole file */
    const char *at;
    int64_t line, next_line; /* of the current row, and of `at` */
    bool json;               /* the rows are lines of JSON */
    struct csv_parser parser;
    csv_row header, row;
};

static void add_field(void *field, size_t size, void *target) {
    csv_row *row = target;
    if (row->status == CS_OK)
        row->status = pack_row_add(&row->fields, field, size);
}

static void end_row(int last, void *target) {
    csv_row *row = target;
    (void)last;
    row->complete = true;
}

static const char *field_of(const csv_row *row, int column) {
    return pack_row_field(&row->fields, (size_t)column);
}

/* The number of bytes of the line at `at`, with its CR, LF or CR LF. */
static size_t line_length(const char *at) {
    size_t length = strcspn(at, "\r\n");
    length += at[length] == '\r' && at[length + 1] == '\n';
    return length + (at[length] != '\0');
}

static void skip_empty_lines(pack_csv *csv) {
    for (const char *at = csv->at;; csv->at = at, csv->next_line++) {
        at += strspn(at, " \t");
        const size_t end = strcspn(at, "\r\n");
        if (end > 0 || *at == '\0')
            return;
        at += line_length(at);
    }
}

/* Gives libcsv the next line. It does not count lines, so it gets them one by one. */
static cs_status parse_line(pack_csv *csv, csv_row *row) {
    const size_t length = line_length(csv->at);
    const size_t taken = csv_parse(&csv->parser, csv->at, length, add_field, end_row, row);
    if (taken != length && csv_error(&csv->parser) != CSV_EPARSE)
        return cs_fail(CS_ERR_NO_MEMORY, "%s: %s", csv->path, csv_strerror(csv_error(&csv->parser)));
    if (taken != length)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s:%lld:%zu: a quote in the middle of a field", csv->path,
                               (long long)csv->next_line, taken + 1),
                       "a field with a quote in it is written in quotes, and the quote twice: \"5\"\" wide\"");
    csv->at += length;
    csv->next_line++;
    return row->status;
}

static cs_status finish_last_row(pack_csv *csv, csv_row *row) {
    if (csv_fini(&csv->parser, add_field, end_row, row) != 0)
        return cs_fail(CS_ERR_FORMAT, "%s:%lld: a quote without an end", csv->path, (long long)csv->line);
    return row->status;
}

/* Reads the next line of JSON, or the names in it, which leaves it the next one. */
static cs_status read_json(pack_csv *csv, csv_row *row) {
    const size_t length = line_length(csv->at);
    if (length == 0)
        return CS_OK;
    if (row == &csv->header)
        return cs_context(pack_json_names(csv->at, length, &row->fields), "%s:%lld", csv->path, (long long)csv->line);
    CS_TRY(cs_context(pack_json_values(csv->at, length, &csv->header.fields, &row->fields), "%s:%lld", csv->path,
                      (long long)csv->line));
    csv->at += length;
    csv->next_line++;
    return CS_OK;
}

/* Reads the next row that has a field with text in it. Without one, row->fields.n is 0. */
static cs_status read_row(pack_csv *csv, csv_row *row) {
    do {
        row->fields.n = row->fields.n_bytes = 0;
        row->complete = false;
        skip_empty_lines(csv);
        csv->line = csv->next_line;
        if (csv->json)
            return read_json(csv, row);
        while (*csv->at && !row->complete)
            CS_TRY(parse_line(csv, row));
        if (!row->complete)
            CS_TRY(finish_last_row(csv, row));
    } while (row->complete && row->fields.n_bytes == row->fields.n);
    return CS_OK;
}

/* Of comma, tab and semicolon, the one that the line has most often outside quotes. */
static char find_separator(const char *at) {
    static const char separators[] = ",\t;";
    size_t counts[sizeof separators - 1] = {0}, best = 0;
    bool quoted = false;
    for (; *at && *at != '\n' && *at != '\r'; at++) {
        quoted ^= *at == '"';
        const char *found = quoted ? NULL : memchr(separators, *at, sizeof counts / sizeof *counts);
        if (found)
            counts[found - separators]++;
    }
    for (size_t i = 1; i < sizeof counts / sizeof *counts; i++)
        if (counts[i] > counts[best])
            best = i;
    return separators[best];
}

static cs_status read_header(pack_csv *csv, size_t size) {
    static const char mark[] = "\xEF\xBB\xBF"; /* UTF-8's byte order mark */
    if (strlen(csv->text) != size)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: not a table of text: it has a NUL byte", csv->path),
                       "is it UTF-16? then save it as UTF-8");
    if (strncmp(csv->at, mark, strlen(mark)) == 0)
        csv->at += strlen(mark);
    csv_set_delim(&csv->parser, (unsigned char)find_separator(csv->at));
    CS_TRY(read_row(csv, &csv->header));
    if (csv->header.fields.n == 0)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: an empty table", csv->path), "its first line names the columns");
    return CS_OK;
}

cs_status pack_csv_open(const char *path, pack_csv **out) {
    enum { LIMIT = 2000 << 20 };
    pack_csv *csv = NULL;
    size_t size = 0;
    CS_TRY(cs_alloc(1, sizeof *csv, "table", &csv));
    csv->path = path;
    csv->next_line = 1;
    csv->json = pack_is_json_lines(path);
    csv_init(&csv->parser, CSV_STRICT | CSV_STRICT_FINI);
    cs_status status = cs_file_read(path, LIMIT, &csv->text, &size);
    if (status == CS_OK) {
        csv->at = csv->text;
        status = read_header(csv, size);
    }
    if (status != CS_OK) {
        pack_csv_close(csv);
        return status;
    }
    *out = csv;
    return CS_OK;
}

void pack_csv_close(pack_csv *csv) {
    if (!csv)
        return;
    csv_free(&csv->parser);
    pack_row_clear(&csv->header.fields);
    pack_row_clear(&csv->row.fields);
    free(csv->text);
    free(csv);
}

const char *pack_csv_path(const pack_csv *csv) {
    return csv->path;
}

int64_t pack_csv_line(const pack_csv *csv) {
    return csv->line;
}

int pack_csv_column(const pack_csv *csv, const char *name) {
    for (size_t i = 0; i < csv->header.fields.n; i++)
        if (strcasecmp(field_of(&csv->header, (int)i), name) == 0)
            return (int)i;
    return -1;
}

cs_status pack_csv_find(const pack_csv *csv, const char *name, const char *option, int *column) {
    cs_suggestion suggestion = cs_suggestion_begin(name);
    char guess[128];
    *column = pack_csv_column(csv, name);
    if (*column >= 0)
        return CS_OK;
    for (size_t i = 0; i < csv->header.fields.n; i++)
        cs_suggestion_try(&suggestion, field_of(&csv->header, (int)i));
    return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: there is no column '%s'%s", csv->path, name,
                           cs_suggestion_text(&suggestion, guess, sizeof guess)),
                   "the first line names the columns; %s says which one it is", option);
}

const char *pack_csv_column_name(const pack_csv *csv, int column) {
    return field_of(&csv->header, column);
}

void pack_csv_list_columns(const pack_csv *csv, char *out, size_t size) {
    size_t used = 0;
    *out = '\0';
    for (size_t i = 0; i < csv->header.fields.n && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i == 0 ? "" : ", ", field_of(&csv->header, (int)i));
}

cs_status pack_csv_next(pack_csv *csv, bool *more) {
    CS_TRY(read_row(csv, &csv->row));
    *more = csv->row.fields.n > 0;
    if (*more && csv->row.fields.n != csv->header.fields.n)
        return cs_fail(CS_ERR_FORMAT, "%s:%lld: %zu fields, but the header has %zu", csv->path, (long long)csv->line,
                       csv->row.fields.n, csv->header.fields.n);
    return CS_OK;
}

const char *pack_csv_field(const pack_csv *csv, int column) {
    return field_of(&csv->row, column);
}

cs_status pack_csv_context(const pack_csv *csv, int column, cs_status code) {
    return cs_context(code, "%s:%lld: column '%s'", csv->path, (long long)csv->line, pack_csv_column_name(csv, column));
}
