/* SPDX-License-Identifier: Apache-2.0 */
#include "pack.h"
#include "split_rules.h"

#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>

static cs_status fail_without_images(const pack_options *options, const char *class) {
    return cs_hint(cs_fail(CS_ERR_ARG, "class \"%s\" has no images to train on", class),
                   "remove its %s, add images, or leave more of them to train", options->input.source->unit);
}

/* The number of images of a class in each split. */
typedef int64_t class_counts[CS_SPLIT_COUNT];

static cs_status count_images(const pack_list *list, class_counts **out) {
    CS_TRY(cs_alloc((size_t)list->n_classes, sizeof **out, "class counts", out));
    for (size_t i = 0; i < list->n; i++)
        (*out)[list->samples[i].label][list->samples[i].split]++;
    return CS_OK;
}

static cs_status check_classes(const pack_options *options, const pack_list *list) {
    class_counts *counts = NULL;
    CS_TRY(count_images(list, &counts));
    cs_status status = CS_OK;
    for (int i = 0; i < list->n_classes && status == CS_OK; i++)
        if (counts[i][CS_SPLIT_TRAIN] == 0)
            status = fail_without_images(options, list->classes[i]);
    free(counts);
    return status;
}

static cs_status check_options(const pack_options *options, const pack_list *list) {
    const char *unit = options->input.source->unit;
    if (list->split[CS_SPLIT_TRAIN] && options->has_split)
        return cs_hint(
            cs_fail(CS_ERR_ARG, "--split: %s is split already, it has a train %s", options->input.path, unit),
            "--val carves validation out of train");
    if (!list->split[CS_SPLIT_TRAIN] && options->val > 0)
        return cs_hint(cs_fail(CS_ERR_ARG, "--val: %s has no train %s to carve from", options->input.path, unit),
                       "--split 0.8,0.1,0.1 splits class %ss", unit);
    if (list->split[CS_SPLIT_VAL] && options->val > 0)
        return cs_fail(CS_ERR_ARG, "--val: %s has a validation %s already", options->input.path, unit);
    if (list->n > INT32_MAX)
        return cs_fail(CS_ERR_UNSUPPORTED, "%s: %zu files are too many for one dataset", options->input.path, list->n);
    return CS_OK;
}

static int by_place(const void *a, const void *b) {
    const pack_sample *first = a, *second = b;
    return (first->place > second->place) - (first->place < second->place);
}

/* Restores the order and the splits of the scan, with repeats and weights, which an earlier split has changed. */
static void restore(pack_list *list) {
    qsort(list->samples, list->n, sizeof *list->samples, by_place);
    for (size_t i = 0; i < list->n; i++) {
        pack_sample *sample = &list->samples[i];
        sample->split = sample->source_split;
        sample->repeats = sample->source_repeats;
        sample->weight = sample->source_weight;
    }
}

/* Sorts the samples by split. The sort is stable, so that the samples of a split stay in the order of their names. */
static cs_status sort_by_split(pack_list *list) {
    pack_sample *sorted = NULL;
    CS_TRY(cs_alloc(list->n, sizeof *sorted, "image list", &sorted));
    size_t n = 0;
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        for (size_t i = 0; i < list->n; i++)
            if (list->samples[i].split == (cs_split)s)
                sorted[n++] = list->samples[i];
    free(list->samples);
    list->samples = sorted;
    list->capacity = list->n;
    return CS_OK;
}

static bool has_groups(const pack_list *list) {
    for (size_t i = 0; i < list->n; i++)
        if (list->samples[i].group && list->samples[i].group[0])
            return true;
    return false;
}

/* The rule by which images are drawn; NULL: none are. */
static cs_status find_rule(const pack_options *options, const pack_list *list, const pack_split_request *request,
                           const pack_split_rule **out) {
    const pack_split_rule *rule = options->rule ? options->rule : pack_default_rule(list);
    *out = NULL;
    if (request->val == 0 && request->test == 0)
        return CS_OK;
    if (list->grouped && !rule->keeps_groups)
        return cs_hint(
            cs_fail(CS_ERR_ARG, "--split-rule %s: images of a group would get into different splits", rule->name),
            "leave it out for the rule grouped");
    if (!list->grouped && rule->keeps_groups)
        return cs_hint(cs_fail(CS_ERR_ARG, "--split-rule %s: the images have no groups", rule->name),
                       "--group-column names the column of a table that has them, --group-regex a part of the paths");
    if (rule->no_test && request->test > 0)
        return cs_hint(cs_fail(CS_ERR_ARG, "--split-rule %s makes no test split", rule->name),
                       "--split 0.8,0.2,0 asks for none");
    *out = rule;
    return CS_OK;
}

cs_status pack_split(const pack_options *options, pack_list *list) {
    CS_TRY(check_options(options, list));
    restore(list);
    bool done = list->split[CS_SPLIT_TRAIN];
    size_t settled;
    CS_TRY(pack_settle_splits(list, !done, &settled));
    pack_list drawn = *list; /* those whose split is drawn */
    drawn.samples += settled;
    drawn.n -= settled;
    if (settled > 0)
        drawn.grouped = has_groups(&drawn);
    const pack_split_request request = {.list = &drawn,
                                        .val = done ? options->val : options->split[CS_SPLIT_VAL],
                                        .test = done ? 0 : options->split[CS_SPLIT_TEST],
                                        .seed = options->seed};
    const pack_split_rule *rule = NULL;
    if (drawn.n > 0)
        CS_TRY(find_rule(options, &drawn, &request, &rule));
    if (rule)
        CS_TRY(rule->assign(&request));
    if (settled > 0)
        qsort(list->samples, list->n, sizeof *list->samples, by_place);
    for (size_t i = 0; i < list->n; i++)
        if (list->samples[i].split != list->samples[i].source_split)
            list->samples[i].repeats = 0; /* only training is to see an image again */
    CS_TRY(sort_by_split(list));
    CS_TRY(check_classes(options, list));
    return pack_balance_train(options, list);
}

static bool is_good(const pack_sample *sample) {
    return !sample->bad;
}

/* Warns of classes that have no image left for validation or test: they can be trained, but their numbers in that split
 * mean nothing. */
static void warn_of_empty_splits(const pack_list *list, const class_counts *before, const class_counts *now) {
    for (int i = 0; i < list->n_classes; i++)
        for (int s = CS_SPLIT_VAL; s < CS_SPLIT_COUNT; s++)
            if (before[i][s] > 0 && now[i][s] == 0)
                cs_log(CS_LOG_WARN, "class \"%s\" has no images left for %s, without the bad ones", list->classes[i],
                       cs_split_name((cs_split)s));
}

cs_status pack_list_bad(const pack_options *options, const pack_list *list) {
    cs_atomic_file *file = NULL;
    if (!options->bad_list)
        return CS_OK;
    CS_TRY(cs_atomic_open(options->bad_list, &file));
    for (size_t i = 0; i < list->n; i++)
        if (list->samples[i].bad)
            fprintf(cs_atomic_stream(file), "%s\n", list->samples[i].id);
    return cs_atomic_commit(&file);
}

cs_status pack_leave_out(const pack_options *options, pack_list *list) {
    class_counts *before = NULL, *now = NULL;
    CS_TRY(count_images(list, &before));
    size_t all = list->n, dropped = pack_list_keep(list, is_good);
    if (dropped > 0)
        cs_log(CS_LOG_WARN, "%zu of %zu files left out (--skip-bad); packing the rest", dropped, all);
    cs_status status = pack_split(options, list);
    if (status == CS_OK)
        status = count_images(list, &now);
    if (status == CS_OK)
        warn_of_empty_splits(list, before, now);
    free(before);
    free(now);
    return status;
}
