/* SPDX-License-Identifier: Apache-2.0 */
#include "pack.h"
#include "split_rules.h"

#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"

#include <stdlib.h>
#include <string.h>

/* Turns the numbers of images of each class, counts [n], into those that are asked for. */
static cs_status choose_counts(const pack_options *options, int n, int64_t *counts) {
    int64_t least = INT64_MAX, total = 0;
    for (int c = 0; c < n; c++)
        least = counts[c] < least ? counts[c] : least;
    for (int c = 0; c < n; c++) {
        /* A class without images is refused later, by its name. */
        if (options->balance == PACK_BALANCE_UNDER && least > 0)
            counts[c] = least;
        if (options->per_class > 0 && counts[c] > options->per_class)
            counts[c] = options->per_class;
        total += counts[c];
    }
    if (options->total == 0 || total <= options->total)
        return CS_OK;
    int64_t *parts = NULL;
    CS_TRY(cs_alloc((size_t)n, sizeof *parts, "class counts", &parts));
    pack_divide(counts, n, options->total, parts);
    memcpy(counts, parts, (size_t)n * sizeof *parts);
    free(parts);
    return CS_OK;
}

/* Marks all images of the class that are in train but so many, which are drawn. `members` and `order` [list->n] are
 * working memory. */
static void leave_out(const pack_options *options, pack_list *list, int label, int64_t kept, int32_t *members,
                      int32_t *order) {
    int32_t n = 0;
    for (size_t i = 0; i < list->n; i++)
        if (list->samples[i].label == label && list->samples[i].source_split == CS_SPLIT_TRAIN)
            members[n++] = (int32_t)i;
    cs_rng rng = cs_rng_at((uint64_t)options->seed, CS_PURPOSE_SPLIT, 1, (uint32_t)label);
    cs_rng_permutation(&rng, order, (size_t)n);
    for (int32_t i = (int32_t)kept; i < n; i++)
        list->samples[members[order[i]]].left_out = true;
}

static cs_status draw(const pack_options *options, pack_list *list, const int64_t *counts) {
    int32_t *work = NULL; /* [2,n] */
    CS_TRY(cs_alloc(list->n * 2, sizeof *work, "image list", &work));
    for (int c = 0; c < list->n_classes; c++)
        leave_out(options, list, c, counts[c], work, work + list->n);
    free(work);
    size_t all = list->n, dropped = pack_list_leave_out(list);
    cs_log(CS_LOG_INFO, "%zu of %zu images are taken, drawn by the seed %lld", all - dropped, all,
           (long long)options->seed);
    return CS_OK;
}

/* Records how many images each class has, unless the source has such a record. */
static cs_status record_counts(pack_list *list) {
    if (list->source_counts)
        return CS_OK;
    CS_TRY(cs_alloc((size_t)list->n_classes, sizeof *list->source_counts, "class counts", &list->source_counts));
    for (size_t i = 0; i < list->n; i++)
        list->source_counts[list->samples[i].label]++;
    return CS_OK;
}

cs_status pack_take_amounts(const pack_options *options, pack_list *list) {
    int64_t *counts = NULL; /* [n_classes] */
    if (options->balance == PACK_BALANCE_NONE && options->per_class == 0 && options->total == 0)
        return CS_OK;
    for (size_t i = 0; i < list->n; i++)
        list->samples[i].source_repeats = 0; /* else a class would get more images than are asked for */
    CS_TRY(record_counts(list));
    if (options->balance != PACK_BALANCE_UNDER && options->per_class == 0 && options->total == 0)
        return CS_OK;
    CS_TRY(cs_alloc((size_t)list->n_classes, sizeof *counts, "class counts", &counts));
    for (size_t i = 0; i < list->n; i++)
        counts[list->samples[i].label] += list->samples[i].source_split == CS_SPLIT_TRAIN;
    cs_status status = choose_counts(options, list->n_classes, counts);
    if (status == CS_OK)
        status = draw(options, list, counts);
    free(counts);
    return status;
}
