/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the weights of samples from a CSV file. */
#include "pack.h"

#include "cnnsweep/memory.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 256 };

/* A file in memory, of which the current line is split into fields in place. */
typedef struct csv_file {
    const char *path;
    char *at;           /* what is left */
    int64_t line, next; /* the number of the first line of the fields, and of what is left */
    char *fields[COLUMNS_MAX];
    int n; /* 0: the file has ended */
} csv_file;

/* Takes a field in quotes, in which a quote is written twice. Returns where it ends. */
static char *take_quoted(csv_file *file, char **field) {
    char *from = file->at + 1, *to = from;
    *field = to;
    for (; *from && (from[0] != '"' || from[1] == '"'); from++) {
        from += from[0] == '"';
        file->next += *from == '\n';
        *to++ = *from;
    }
    char *end = *from ? from + 1 : NULL;
    *to = '\0';
    return end;
}

static cs_status take_field(csv_file *file, char **field, bool *is_last) {
    char *end;
    *field = file->at;
    if (*file->at == '"')
        end = take_quoted(file, field);
    else
        end = file->at + strcspn(file->at, ",\n");
    if (!end)
        return cs_fail(CS_ERR_FORMAT, "%s:%lld: a quote without an end", file->path, (long long)file->line);
    const bool returns = end[0] == '\r' && (end[1] == '\n' || !end[1]);
    char *stop = end + returns;
    if (*stop && *stop != ',' && *stop != '\n')
        return cs_fail(CS_ERR_FORMAT, "%s:%lld: text after a quoted field", file->path, (long long)file->line);
    *is_last = *stop != ',';
    file->next += *stop == '\n';
    file->at = stop + (*stop != '\0');
    if (end > *field && end[-1] == '\r')
        end[-1] = '\0';
    *end = '\0';
    return CS_OK;
}

/* Splits the next line that is not empty. */
static cs_status next_line(csv_file *file) {
    bool is_last = false;
    file->n = 0;
    while (*file->at == '\n' || *file->at == '\r')
        file->next += *file->at++ == '\n';
    file->line = file->next;
    while (*file->at && !is_last) {
        if (file->n == COLUMNS_MAX)
            return cs_fail(CS_ERR_FORMAT, "%s:%lld: more than %d fields", file->path, (long long)file->line,
                           (int)COLUMNS_MAX);
        CS_TRY(take_field(file, &file->fields[file->n], &is_last));
        file->n++;
    }
    return CS_OK;
}

static cs_status find_column(const csv_file *header, const char *name, const char *option, int *out) {
    cs_suggestion suggestion = cs_suggestion_begin(name);
    char guess[128];
    for (*out = 0; *out < header->n; ++*out) {
        if (strcmp(header->fields[*out], name) == 0)
            return CS_OK;
        cs_suggestion_try(&suggestion, header->fields[*out]);
    }
    return cs_hint(cs_fail(CS_ERR_FORMAT, "%s:%lld: there is no column '%s'%s", header->path, (long long)header->line,
                           name, cs_suggestion_text(&suggestion, guess, sizeof guess)),
                   "the first line names the columns, with commas between them; %s says which one it is", option);
}

static cs_status parse_weight(const csv_file *file, const char *text, float *out) {
    char *end;
    const double value = strtod(text, &end);
    while (isspace((unsigned char)*end))
        end++;
    *out = (float)value;
    if (end == text || *end || !(value >= 0) || !isfinite(*out))
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s:%lld: the weight is '%s'", file->path, (long long)file->line, text),
                       "a weight is a number of at least 0, such as 2.5");
    return CS_OK;
}

static int by_id(const void *a, const void *b) {
    const pack_sample *const *first = a, *const *second = b;
    return strcmp((*first)->id, (*second)->id);
}

/* The samples of a list in the order of their ids, and which of them have a weight. */
typedef struct id_index {
    pack_sample **samples;
    bool *given;
    size_t n;
} id_index;

static cs_status take_weight(const csv_file *file, const char *src, const id_index *index, char *id, float weight) {
    const pack_sample key = {.id = id}, *wanted = &key;
    pack_sample **found = bsearch(&wanted, index->samples, index->n, sizeof *index->samples, by_id);
    if (!found)
        return cs_hint(
            cs_fail(CS_ERR_FORMAT, "%s:%lld: there is no image '%s' in %s", file->path, (long long)file->line, id, src),
            "images are named by their paths below SRC, such as %s", index->samples[0]->id);
    bool *given = &index->given[found - index->samples];
    if (*given)
        return cs_fail(CS_ERR_FORMAT, "%s:%lld: '%s' has a weight already", file->path, (long long)file->line, id);
    *given = true;
    (*found)->weight = weight;
    return CS_OK;
}

static cs_status check_all_given(const char *path, const id_index *index) {
    size_t missing = 0, first = 0;
    bool any = false;
    for (size_t i = index->n; i-- > 0;) {
        any = any || index->samples[i]->weight > 0;
        if (!index->given[i]) {
            missing++;
            first = i;
        }
    }
    if (missing > 0)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: %zu of %zu images have no line, the first of them '%s'", path,
                               missing, index->n, index->samples[first]->id),
                       "an image that counts as usual has the weight 1");
    return any ? CS_OK : cs_fail(CS_ERR_FORMAT, "%s: all weights are 0", path);
}

static cs_status read_lines(const pack_options *options, csv_file *file, const id_index *index) {
    int id, weight;
    CS_TRY(next_line(file));
    const int columns = file->n;
    CS_TRY(find_column(file, options->file_column, "--file-column", &id));
    CS_TRY(find_column(file, options->weight_column, "--weight-column", &weight));
    for (;;) {
        float value;
        CS_TRY(next_line(file));
        if (file->n == 0)
            return check_all_given(file->path, index);
        if (file->n != columns)
            return cs_fail(CS_ERR_FORMAT, "%s:%lld: %d fields, but the header has %d", file->path,
                           (long long)file->line, file->n, columns);
        CS_TRY(parse_weight(file, file->fields[weight], &value));
        CS_TRY(take_weight(file, options->src, index, file->fields[id], value));
    }
}

static cs_status open_index(const pack_list *list, id_index *index) {
    index->n = list->n;
    CS_TRY(cs_alloc(list->n, sizeof *index->samples, "image list", &index->samples));
    CS_TRY(cs_alloc(list->n, sizeof *index->given, "image list", &index->given));
    for (size_t i = 0; i < list->n; i++)
        index->samples[i] = &list->samples[i];
    qsort(index->samples, index->n, sizeof *index->samples, by_id);
    return CS_OK;
}

cs_status pack_read_weights(const pack_options *options, pack_list *list) {
    enum { LIMIT = 1 << 30 };
    static const char mark[] = "\xEF\xBB\xBF"; /* a byte order mark, which spreadsheets write */
    char *text = NULL;
    size_t size;
    id_index index = {0};
    CS_TRY(cs_file_read(options->weights, LIMIT, &text, &size));
    csv_file file = {.path = options->weights, .at = text, .next = 1};
    if (strncmp(text, mark, strlen(mark)) == 0)
        file.at += strlen(mark);
    cs_status status = open_index(list, &index);
    if (status == CS_OK)
        status = read_lines(options, &file, &index);
    list->weighted = true;
    free(index.samples);
    free(index.given);
    free(text);
    return status;
}
