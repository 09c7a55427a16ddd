/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the weights of samples from a CSV file. */
#include "pack.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

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
        return cs_hint(pack_csv_context(table, column, cs_fail(CS_ERR_FORMAT, "there is no image '%s' in %s", id, src)),
                       "images are named by their paths below SRC, such as %s", index->samples[0]->id);
    bool *given = &index->given[found - index->samples];
    if (*given)
        return pack_csv_context(table, column, cs_fail(CS_ERR_FORMAT, "'%s' has a weight already", id));
    *given = true;
    (*found)->source_weight = weight;
    return CS_OK;
}

static cs_status check_all_given(const char *path, const id_index *index) {
    size_t missing = 0, first = 0;
    bool any = false;
    for (size_t i = index->n; i-- > 0;) {
        any = any || index->samples[i]->source_weight > 0;
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
    const char *const *names = options->input.options;
    CS_TRY(pack_find_column(table, PACK_FILE_COLUMN, names[PACK_FILE_COLUMN], true, &id));
    CS_TRY(pack_find_column(table, PACK_WEIGHT_COLUMN, names[PACK_WEIGHT_COLUMN], true, &weight));
    for (;;) {
        float value;
        CS_TRY(pack_csv_next(table, &more));
        if (!more)
            return check_all_given(options->input.options[PACK_WEIGHTS], index);
        CS_TRY(pack_read_weight(table, weight, &value));
        CS_TRY(take_weight(table, options->input.path, index, id, value));
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
    CS_TRY(pack_csv_open(options->input.options[PACK_WEIGHTS], &table));
    cs_status status = open_index(list, &index);
    if (status == CS_OK)
        status = read_rows(options, table, &index);
    list->weighted = true;
    free(index.samples);
    free(index.given);
    pack_csv_close(table);
    return status;
}
