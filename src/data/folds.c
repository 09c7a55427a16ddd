/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/folds.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"
#include "cnnsweep/split_groups.h"
#include "dataset_impl.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The samples that are divided, in the order in which they are stored; each once, if it is repeated. */
typedef struct pool {
    const cs_folds *folds;
    int32_t n;
    int n_classes;
    cs_sample_place *places; /* [n] */
    int32_t *labels;         /* [n] */
    const char **groups;     /* [n] */
    int32_t *order;          /* [n] scratch */
    int32_t *fold_of;        /* [n] the result */
} pool;

/* Deals out consecutive samples: the first n % count folds get one more. */
static cs_status assign_plain(const pool *of) {
    const int count = of->folds->fold.count;
    cs_rng rng = cs_rng_at(of->folds->seed, CS_PURPOSE_SPLIT, 0, 0);
    int32_t at = 0;
    cs_rng_permutation(&rng, of->order, (size_t)of->n);
    for (int fold = 0; fold < count; fold++)
        for (int32_t end = at + of->n / count + (fold < of->n % count); at < end; at++)
            of->fold_of[of->folds->shuffle ? of->order[at] : at] = fold;
    return CS_OK;
}

/* Numbers the classes by their first samples, as scikit-learn does: the classes that come later get the folds that are
 * left. Classes without samples come last. */
static void order_classes(const pool *of, int32_t *place_of) {
    int n = 0;
    for (int c = 0; c < of->n_classes; c++)
        place_of[c] = -1;
    for (int32_t i = 0; i < of->n; i++)
        if (place_of[of->labels[i]] < 0)
            place_of[of->labels[i]] = n++;
    for (int c = 0; c < of->n_classes; c++)
        if (place_of[c] < 0)
            place_of[c] = n++;
}

/* Sorts the samples by the numbers of their classes; those of class number k are ordered[first[k]] to
 * ordered[first[k + 1] - 1]. */
static void sort_by_class(const pool *of, const int32_t *place_of, int32_t *first, int32_t *ordered) {
    for (int32_t i = 0; i < of->n; i++)
        first[place_of[of->labels[i]] + 1]++;
    for (int k = 0; k < of->n_classes; k++)
        first[k + 1] += first[k];
    for (int32_t i = 0; i < of->n; i++)
        ordered[first[place_of[of->labels[i]]]++] = i;
    for (int k = of->n_classes; k > 0; k--)
        first[k] = first[k - 1];
    first[0] = 0;
}

/* Sorted by their classes, samples are dealt to one fold after another, which says how many of a class each fold gets.
 * Which of them it gets is drawn, or else the first fold gets the first. */
static void assign_class(const pool *of, int k, int32_t begin, int32_t end, const int32_t *ordered) {
    const int count = of->folds->fold.count;
    cs_rng rng = cs_rng_at(of->folds->seed, CS_PURPOSE_SPLIT, 0, (uint32_t)k);
    int32_t at = 0;
    cs_rng_permutation(&rng, of->order, (size_t)(end - begin));
    for (int fold = 0; fold < count; fold++) {
        /* Of the positions from begin to end - 1 those that are dealt to this fold. */
        const int32_t dealt = (end - fold + count - 1) / count - (begin - fold + count - 1) / count;
        for (int32_t last = at + dealt; at < last; at++)
            of->fold_of[ordered[begin + (of->folds->shuffle ? of->order[at] : at)]] = fold;
    }
}

static cs_status assign_stratified(const pool *of) {
    const size_t classes = (size_t)of->n_classes;
    int32_t *place_of = NULL; /* [classes], and behind it first [classes + 1] and ordered [n] */
    CS_TRY(cs_alloc((size_t)of->n + 2 * classes + 1, sizeof *place_of, "folds", &place_of));
    int32_t *first = place_of + classes, *ordered = first + classes + 1;
    order_classes(of, place_of);
    sort_by_class(of, place_of, first, ordered);
    for (int k = 0; k < of->n_classes; k++)
        assign_class(of, k, first[k], first[k + 1], ordered);
    free(place_of);
    return CS_OK;
}

static cs_status assign_grouped(const pool *of) {
    const int count = of->folds->fold.count;
    double *fractions = NULL;
    int32_t n_groups = 0;
    CS_TRY(cs_alloc((size_t)count, sizeof *fractions, "folds", &fractions));
    for (int fold = 0; fold < count; fold++)
        fractions[fold] = 1;
    const cs_group_split split = {.n = of->n,
                                  .labels = of->labels,
                                  .groups = of->groups,
                                  .n_classes = of->n_classes,
                                  .n_parts = count,
                                  .fractions = fractions,
                                  .shuffle = of->folds->shuffle,
                                  .seed = of->folds->seed};
    cs_status status = cs_split_groups(&split, of->fold_of, &n_groups);
    free(fractions);
    if (status == CS_OK && n_groups < count)
        status = cs_fail(CS_ERR_ARG, "%d folds of %d groups of images", count, (int)n_groups);
    return status;
}

static const struct {
    const char *name;
    cs_status (*assign)(const pool *of); /* NULL: AUTO */
} rules[] = {[CS_FOLDS_AUTO] = {"auto", NULL},
             [CS_FOLDS_PLAIN] = {"plain", assign_plain},
             [CS_FOLDS_STRATIFIED] = {"stratified", assign_stratified},
             [CS_FOLDS_GROUPED] = {"grouped", assign_grouped}};
enum { N_RULES = sizeof rules / sizeof *rules };

const char *cs_fold_rule_name(int rule) {
    return rule >= 0 && rule < N_RULES ? rules[rule].name : NULL;
}

/* Reads "2/5". Numbers too large for a long become the largest one, which is out of range too. */
static bool parse_fold(const char *text, long *index, long *count) {
    char *end;
    if (!isdigit((unsigned char)text[0]))
        return false;
    *index = strtol(text, &end, 10);
    if (end[0] != '/' || !isdigit((unsigned char)end[1]))
        return false;
    *count = strtol(end + 1, &end, 10);
    return *end == '\0' && *count >= 2 && *count <= CS_FOLDS_MAX && *index >= 1 && *index <= *count;
}

cs_status cs_fold_read(const char *text, cs_fold *out) {
    long index, count;
    if (strcmp(text, "none") == 0) {
        *out = (cs_fold){.text = "none"};
        return CS_OK;
    }
    if (!parse_fold(text, &index, &count))
        return cs_hint(cs_fail(CS_ERR_ARG, "'%s' is no fold", text), "2/5 is the second of five folds, of at most %d",
                       CS_FOLDS_MAX);
    *out = (cs_fold){.index = (int)index - 1, .count = (int)count};
    snprintf(out->text, sizeof out->text, "%d/%d", out->index + 1, out->count);
    return CS_OK;
}

static cs_fold_rule rule_of(const cs_dataset *stored, const cs_folds *folds) {
    if (folds->rule != CS_FOLDS_AUTO)
        return folds->rule;
    return cs_dataset_has_groups(stored) ? CS_FOLDS_GROUPED : CS_FOLDS_STRATIFIED;
}

/* Are the samples of the split divided? */
static bool is_divided(const cs_folds *folds, cs_split split) {
    return folds->held_out == CS_SPLIT_TEST || split != CS_SPLIT_TEST;
}

static int64_t count_divided(const cs_dataset *stored, const cs_folds *folds) {
    int64_t n = 0;
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++)
        n += is_divided(folds, split) ? cs_dataset_count(stored, split) : 0;
    return n;
}

static void close_pool(pool *of) {
    free(of->places);
    free(of->labels);
    free(of->groups);
    free(of->order);
    free(of->fold_of);
}

static cs_status open_pool(const cs_dataset *stored, const cs_folds *folds, pool *of) {
    const int64_t n = count_divided(stored, folds);
    *of = (pool){.folds = folds, .n_classes = cs_dataset_class_count(stored)};
    CS_TRY(cs_alloc((size_t)n, sizeof *of->places, "folds", &of->places));
    CS_TRY(cs_alloc((size_t)n, sizeof *of->labels, "folds", &of->labels));
    CS_TRY(cs_alloc((size_t)n, sizeof *of->groups, "folds", &of->groups));
    CS_TRY(cs_alloc((size_t)n, sizeof *of->order, "folds", &of->order));
    CS_TRY(cs_alloc((size_t)n, sizeof *of->fold_of, "folds", &of->fold_of));
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++)
        for (int64_t i = 0; is_divided(folds, split) && i < cs_dataset_count(stored, split); i++) {
            if (cs_dataset_is_repeat(stored, split, i))
                continue;
            of->places[of->n] = (cs_sample_place){split, (int32_t)i};
            of->labels[of->n] = cs_dataset_label(stored, split, i);
            of->groups[of->n++] = cs_dataset_group(stored, split, i);
        }
    return CS_OK;
}

/* The split that the samples of a fold are in. */
static cs_split split_of(const cs_folds *folds, int32_t fold) {
    if (fold == folds->fold.index)
        return folds->held_out;
    const int after = (folds->fold.index + 1) % folds->fold.count;
    return folds->held_out == CS_SPLIT_TEST && fold == after ? CS_SPLIT_VAL : CS_SPLIT_TRAIN;
}

static void add_place(cs_dataset_view *view, cs_split to, cs_sample_place place) {
    view->places[to][view->counts[to]++] = place;
}

/* Adds a sample that was divided. Its repeats, which follow it, are there for training alone. */
static void add_sample(const cs_dataset *stored, cs_split to, cs_sample_place place, cs_dataset_view *view) {
    const int64_t n = cs_dataset_count(stored, place.split);
    add_place(view, to, place);
    for (place.i++; to == CS_SPLIT_TRAIN && place.i < n && cs_dataset_is_repeat(stored, place.split, place.i);
         place.i++)
        add_place(view, to, place);
}

/* Lists the places of the samples of each split; those that are not divided stay where they are. */
static cs_status list_places(const cs_dataset *stored, const pool *of, cs_dataset_view *view) {
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++) {
        const int64_t all = count_divided(stored, of->folds) + cs_dataset_count(stored, split);
        CS_TRY(cs_alloc((size_t)all, sizeof *view->places[split], "folds", &view->places[split]));
        for (int64_t i = 0; !is_divided(of->folds, split) && i < cs_dataset_count(stored, split); i++)
            add_place(view, split, (cs_sample_place){split, (int32_t)i});
    }
    for (int32_t i = 0; i < of->n; i++)
        add_sample(stored, split_of(of->folds, of->fold_of[i]), of->places[i], view);
    return CS_OK;
}

static cs_status check_splits(const cs_folds *folds, const cs_dataset_view *view) {
    const cs_split needed[] = {CS_SPLIT_TRAIN, CS_SPLIT_VAL, folds->held_out};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (view->counts[needed[i]] == 0)
            return cs_hint(
                cs_fail(CS_ERR_ARG, "fold %s has no images for %s", folds->fold.text, cs_split_name(needed[i])),
                "there are too few images or groups for so many folds");
    return CS_OK;
}

static cs_status check_request(const cs_dataset *stored, const cs_folds *folds) {
    const int64_t n = count_divided(stored, folds);
    if (folds->held_out == CS_SPLIT_TEST && folds->fold.count == 2)
        return cs_hint(cs_fail(CS_ERR_ARG, "with two folds, one for test and one for val, none is left for train"),
                       "use three or more");
    if (n < folds->fold.count)
        return cs_fail(CS_ERR_ARG, "%d folds of %lld images", folds->fold.count, (long long)n);
    if (n > INT32_MAX)
        return cs_fail(CS_ERR_UNSUPPORTED, "%lld images are too many for folds", (long long)n);
    if (folds->rule == CS_FOLDS_GROUPED && !cs_dataset_has_groups(stored))
        return cs_hint(cs_fail(CS_ERR_ARG, "folds by groups, but the images have none"),
                       "cnnsweep-pack stores groups with --group-column or --group-regex");
    return CS_OK;
}

/* Identifies the splits of a fold among all that the dataset can have. */
static uint64_t key_of(const cs_dataset *stored, const cs_folds *folds) {
    char text[128], seed[32] = "in order";
    if (folds->shuffle)
        snprintf(seed, sizeof seed, "seed %llu", (unsigned long long)folds->seed);
    const int length =
        snprintf(text, sizeof text, "%016llx fold %s %s %s %s", (unsigned long long)cs_dataset_checksum(stored),
                 folds->fold.text, rules[rule_of(stored, folds)].name, cs_split_name(folds->held_out), seed);
    return cs_checksum(text, (size_t)length);
}

static cs_status divide(const cs_dataset *stored, const cs_folds *folds, cs_dataset_view *view) {
    pool of;
    CS_TRY(check_request(stored, folds));
    cs_status status = open_pool(stored, folds, &of);
    if (status == CS_OK)
        status = rules[rule_of(stored, folds)].assign(&of);
    if (status == CS_OK)
        status = list_places(stored, &of, view);
    if (status == CS_OK)
        status = check_splits(folds, view);
    close_pool(&of);
    return status;
}

cs_status cs_dataset_open_fold(const cs_dataset *stored, const cs_folds *folds, cs_dataset **out) {
    cs_dataset_view view = {0};
    cs_status status = CS_OK;
    if (folds->fold.count > 0) {
        view.key = key_of(stored, folds);
        status = divide(stored, folds, &view);
    }
    if (status == CS_OK)
        return cs_dataset_open_view(stored, &view, out);
    cs_dataset_view_clear(&view);
    return cs_context(status, "%s", cs_dataset_path(stored));
}

void cs_folds_expect(const cs_dataset *stored, const cs_folds *folds, int64_t counts[CS_SPLIT_COUNT]) {
    const int64_t n = count_divided(stored, folds);
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++)
        counts[split] = cs_dataset_count(stored, split);
    if (folds->fold.count == 0)
        return;
    const int64_t each = n / folds->fold.count;
    counts[CS_SPLIT_VAL] = counts[folds->held_out] = each;
    counts[CS_SPLIT_TRAIN] = n - each * (folds->held_out == CS_SPLIT_TEST ? 2 : 1);
}

static cs_status warn_of_small_classes(const cs_dataset *stored, const cs_folds *folds) {
    const int n_classes = cs_dataset_class_count(stored), named = 10;
    int64_t *counts = NULL;
    CS_TRY(cs_alloc((size_t)n_classes, sizeof *counts, "class counts", &counts));
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++)
        for (int64_t i = 0; is_divided(folds, split) && i < cs_dataset_count(stored, split); i++)
            counts[cs_dataset_label(stored, split, i)]++;
    int small = 0;
    for (int c = 0; c < n_classes; c++)
        if (counts[c] < folds->fold.count && small++ < named)
            cs_log(CS_LOG_WARN, "%s: class \"%s\" has %lld image%s for %d folds: some folds have none of it",
                   cs_dataset_path(stored), cs_dataset_class(stored, c), (long long)counts[c],
                   counts[c] == 1 ? "" : "s", folds->fold.count);
    if (small > named)
        cs_log(CS_LOG_WARN, "%s: and %d more classes", cs_dataset_path(stored), small - named);
    free(counts);
    return CS_OK;
}

cs_status cs_folds_log(const cs_dataset *stored, const cs_folds *folds) {
    const cs_fold_rule rule = rule_of(stored, folds);
    const int64_t sets = cs_dataset_duplicates(stored).sets;
    const bool is_test = folds->held_out == CS_SPLIT_TEST;
    if (folds->fold.count == 0)
        return CS_OK;
    cs_log(CS_LOG_INFO, "%s: the %lld images of %s in %d folds, %s: each is %s%s", cs_dataset_path(stored),
           (long long)count_divided(stored, folds), is_test ? "all splits" : "train and val", folds->fold.count,
           rules[rule].name, is_test ? "test once, and the one after it val" : "val once",
           is_test || cs_dataset_count(stored, CS_SPLIT_TEST) == 0 ? "" : ", and test stays as it is");
    if (sets > 0 && rule != CS_FOLDS_GROUPED)
        cs_log(CS_LOG_WARN,
               "%s: %lld set%s of duplicates may have images in different folds: results are then better than on new "
               "images (cnnsweep-pack --duplicates group keeps them together)",
               cs_dataset_path(stored), (long long)sets, sets == 1 ? "" : "s");
    return warn_of_small_classes(stored, folds);
}
