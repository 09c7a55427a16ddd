/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the weights of samples from a CSV file. */
#include "csv_reader.h"
#include "pack.h"

#include "cnnsweep/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static cs_status parse_weight(const pack_csv *table, int column, float *out) {
    const char *text = pack_csv_field(table, column);
    char *end;
    const double value = strtod(text, &end);
    *out = (float)value;
    if (end == text || *end || !(value >= 0) || !isfinite(*out))
        return cs_hint(pack_csv_fail(table, column, "the weight is '%s'", text),
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

static cs_status take_weight(const pack_csv *table, const char *src, const id_index *index, int column, float weight) {
    char *id = (char *)pack_csv_field(table, column);
    const pack_sample key = {.id = id}, *wanted = &key;
    pack_sample **found = bsearch(&wanted, index->samples, index->n, sizeof *index->samples, by_id);
    if (!found)
        return cs_hint(pack_csv_fail(table, column, "there is no image '%s' in %s", id, src),
                       "images are named by their paths below SRC, such as %s", index->samples[0]->id);
    bool *given = &index->given[found - index->samples];
    if (*given)
        return pack_csv_fail(table, column, "'%s' has a weight already", id);
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

static cs_status read_rows(const pack_options *options, pack_csv *table, const id_index *index) {
    int id, weight;
    bool more;
    CS_TRY(pack_csv_find(table, options->file_column, "--file-column", &id));
    CS_TRY(pack_csv_find(table, options->weight_column, "--weight-column", &weight));
    for (;;) {
        float value;
        CS_TRY(pack_csv_next(table, &more));
        if (!more)
            return check_all_given(options->weights, index);
        CS_TRY(parse_weight(table, weight, &value));
        CS_TRY(take_weight(table, options->src, index, id, value));
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
    pack_csv *table = NULL;
    id_index index = {0};
    CS_TRY(pack_csv_open(options->weights, &table));
    cs_status status = open_index(list, &index);
    if (status == CS_OK)
        status = read_rows(options, table, &index);
    list->weighted = true;
    free(index.samples);
    free(index.given);
    pack_csv_close(table);
    return status;
}
