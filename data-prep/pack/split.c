#include "pack.h"

#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"

#include <math.h>
#include <stdlib.h>

static cs_status fail_without_images(const char *class) {
    return cs_hint(cs_fail(CS_ERR_ARG, "class \"%s\" has no images to train on", class),
                   "remove its folder, add images, or leave more of them to train");
}

cs_status pack_check_classes(const pack_list *list) {
    int64_t *counts = NULL;
    CS_TRY(cs_alloc((size_t)list->n_classes, sizeof *counts, "class counts", &counts));
    for (size_t i = 0; i < list->n; i++)
        counts[list->items[i].label] += list->items[i].split == CS_SPLIT_TRAIN;
    cs_status status = CS_OK;
    for (int i = 0; i < list->n_classes && status == CS_OK; i++)
        if (counts[i] == 0)
            status = fail_without_images(list->classes[i]);
    free(counts);
    return status;
}

/* Of the class's training images, drawn without replacement: round(n * val) go to val, round(n * test) to test. */
static void split_class(const pack_options *options, pack_list *list, int label, double val, double test,
                        int32_t *members, int32_t *order) {
    int32_t n = 0;
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].label == label && list->items[i].split == CS_SPLIT_TRAIN)
            members[n++] = (int32_t)i;
    cs_rng rng = cs_rng_at((uint64_t)options->seed, CS_PURPOSE_SPLIT, 0, (uint32_t)label);
    cs_rng_permutation(&rng, order, (size_t)n);
    int32_t to_val = (int32_t)lround(n * val), to_test = (int32_t)lround(n * test);
    for (int32_t i = 0; i < n && i < to_val + to_test; i++)
        list->items[members[order[i]]].split = i < to_val ? CS_SPLIT_VAL : CS_SPLIT_TEST;
}

static cs_status check_options(const pack_options *options, const pack_list *list) {
    if (list->split[CS_SPLIT_TRAIN] && options->has_split)
        return cs_hint(cs_fail(CS_ERR_ARG, "--split: %s is split already, it has a train folder", options->src),
                       "--val carves validation out of train");
    if (!list->split[CS_SPLIT_TRAIN] && options->val > 0)
        return cs_hint(cs_fail(CS_ERR_ARG, "--val: %s has no train folder to carve from", options->src),
                       "--split 0.8,0.1,0.1 splits class folders");
    if (list->split[CS_SPLIT_VAL] && options->val > 0)
        return cs_fail(CS_ERR_ARG, "--val: %s has a validation folder already", options->src);
    if (list->n > INT32_MAX)
        return cs_fail(CS_ERR_UNSUPPORTED, "%s: %zu files are too many for one dataset", options->src, list->n);
    return CS_OK;
}

/* By split, else as they are: stable, as items of a split are in the order of their names. */
static cs_status sort_by_split(pack_list *list) {
    pack_item *sorted = NULL;
    CS_TRY(cs_alloc(list->n, sizeof *sorted, "image list", &sorted));
    size_t n = 0;
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        for (size_t i = 0; i < list->n; i++)
            if (list->items[i].split == (cs_split)s)
                sorted[n++] = list->items[i];
    free(list->items);
    list->items = sorted;
    list->capacity = list->n;
    return CS_OK;
}

cs_status pack_split(const pack_options *options, pack_list *list) {
    CS_TRY(check_options(options, list));
    bool done = list->split[CS_SPLIT_TRAIN];
    double val = done ? options->val : options->split[CS_SPLIT_VAL];
    double test = done ? 0 : options->split[CS_SPLIT_TEST];
    int32_t *members = NULL, *order = NULL;
    cs_status status = cs_alloc(list->n, sizeof *members, "split", &members);
    if (status == CS_OK)
        status = cs_alloc(list->n, sizeof *order, "split", &order);
    for (int label = 0; status == CS_OK && label < list->n_classes; label++)
        split_class(options, list, label, val, test, members, order);
    free(members);
    free(order);
    CS_TRY(status);
    CS_TRY(sort_by_split(list));
    return pack_check_classes(list);
}
