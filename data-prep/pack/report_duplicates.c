/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"
#include "sets.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>

enum { SETS = 12, IMAGES_OF_SET = 6 };

/* Those in different splits first, then those of different classes, then the others, each in their order. */
static int worst_first(const void *a, const void *b) {
    const pack_set *p = a, *q = b;
    const bool splits[] = {p->other_split != p->first, q->other_split != q->first};
    const bool classes[] = {p->other_class != p->first, q->other_class != q->first};
    if (splits[0] != splits[1])
        return splits[0] ? -1 : 1;
    if (classes[0] != classes[1])
        return classes[0] ? -1 : 1;
    return (p->first > q->first) - (p->first < q->first);
}

static cs_status print_set(pack_page *page, const pack_sets *sets, const pack_set *set) {
    size_t shown = 0;
    fprintf(page->out, "<h3>%zu images, %s%s%s</h3>\n<div>\n", set->n,
            set->exact + 1 == set->n ? "equal pixels" : "nearly equal",
            set->other_split != set->first ? ", in different splits" : "",
            set->other_class != set->first ? ", of different classes" : "");
    for (size_t i = set->first; i < page->n && shown < IMAGES_OF_SET; i++)
        if (sets->first[i] == set->first) {
            CS_TRY(pack_print_figure(page, &page->images[i]));
            shown++;
        }
    fputs("</div>\n", page->out);
    return CS_OK;
}

static cs_status print_sets(pack_page *page, const pack_sets *sets, pack_set *described, size_t n) {
    const cs_duplicate_counts counts = pack_count_sets(described, n);
    if (n == 0)
        return CS_OK;
    qsort(described, n, sizeof *described, worst_first);
    pack_begin_section(page->out, "duplicates", "Duplicates");
    fprintf(page->out, "<p%s>%lld sets of %lld images, %lld in different splits, %lld of different classes%s</p>\n",
            counts.across_splits + counts.across_classes > 0 ? " class=\"warning\"" : "", (long long)counts.sets,
            (long long)counts.images, (long long)counts.across_splits, (long long)counts.across_classes,
            n > SETS ? "; some of them are" : "");
    for (size_t i = 0; i < n && i < SETS; i++)
        CS_TRY(print_set(page, sets, &described[i]));
    pack_end_section(page->out);
    return CS_OK;
}

static cs_status find_sets(pack_page *page, pack_hash *hashes, pack_place *places, const volatile sig_atomic_t *stop) {
    pack_sets sets = {0};
    pack_set *described = NULL;
    size_t n = 0;
    for (size_t i = 0; i < page->n; i++) {
        hashes[i] = page->images[i].hash;
        places[i] = (pack_place){page->images[i].split, page->images[i].label};
    }
    cs_status status = pack_find_duplicates(hashes, page->n, stop, &sets);
    if (status == CS_OK)
        status = pack_describe_sets(&sets, places, page->n, &described, &n);
    if (status == CS_OK)
        status = print_sets(page, &sets, described, n);
    free(described);
    pack_sets_clear(&sets);
    return status;
}

cs_status pack_print_duplicates(pack_page *page, const volatile sig_atomic_t *stop) {
    pack_hash *hashes = NULL;
    pack_place *places = NULL;
    CS_TRY(cs_alloc(page->n, sizeof *hashes, "duplicates", &hashes));
    cs_status status = cs_alloc(page->n, sizeof *places, "duplicates", &places);
    if (status == CS_OK)
        status = find_sets(page, hashes, places, stop);
    free(hashes);
    free(places);
    return status;
}
