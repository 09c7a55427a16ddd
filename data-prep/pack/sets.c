/* SPDX-License-Identifier: Apache-2.0 */
#include "sets.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>

/* Adds an image to the set of which it is not the first. */
static void add_image(pack_set *set, const pack_place *places, size_t image) {
    set->n++;
    if (set->other_split == set->first && places[image].split != places[set->first].split)
        set->other_split = image;
    if (set->other_class == set->first && places[image].label != places[set->first].label)
        set->other_class = image;
}

cs_status pack_describe_sets(const pack_sets *sets, const pack_place *places, size_t n_images, pack_set **out,
                             size_t *n) {
    size_t *number = NULL; /* [n_images] of the set that begins with the image */
    size_t found = 0;
    *out = NULL;
    *n = 0;
    CS_TRY(cs_alloc(n_images, sizeof *number, "duplicates", &number));
    cs_status status = cs_alloc(sets->n, sizeof **out, "duplicates", out); /* a set has a link at least */
    for (size_t i = 0; i < sets->n && status == CS_OK; i++) {              /* which are sorted by their sets */
        const size_t first = sets->first[sets->links[i].first];
        if (found == 0 || (*out)[found - 1].first != first) {
            number[first] = found;
            (*out)[found++] = (pack_set){.first = first, .n = 1, .other_split = first, .other_class = first};
        }
        (*out)[found - 1].exact += sets->links[i].likeness == PACK_EXACT;
    }
    for (size_t i = 0; i < n_images && status == CS_OK; i++)
        if (sets->first[i] != i)
            add_image(&(*out)[number[sets->first[i]]], places, i);
    free(number);
    *n = found;
    return status;
}

cs_duplicate_counts pack_count_sets(const pack_set *sets, size_t n) {
    cs_duplicate_counts counts = {.known = true, .sets = (int64_t)n};
    for (size_t i = 0; i < n; i++) {
        counts.images += (int64_t)sets[i].n;
        counts.across_splits += sets[i].other_split != sets[i].first;
        counts.across_classes += sets[i].other_class != sets[i].first;
    }
    return counts;
}
