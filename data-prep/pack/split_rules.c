/* SPDX-License-Identifier: Apache-2.0 */
#include "split_rules.h"

#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"
#include "cnnsweep/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Lists the images of a class that are in train. Returns how many. */
static int32_t find_members(const pack_list *list, int label, int32_t *members) {
    int32_t n = 0;
    for (size_t i = 0; i < list->n; i++)
        if (list->samples[i].label == label && list->samples[i].split == CS_SPLIT_TRAIN)
            members[n++] = (int32_t)i;
    return n;
}

/* Moves members to val and test, drawn without replacement. */
static void move_drawn(const pack_split_request *request, int label, const int32_t *members, int32_t *order, int32_t n,
                       int32_t to_val, int32_t to_test) {
    cs_rng rng = cs_rng_at((uint64_t)request->seed, CS_PURPOSE_SPLIT, 0, (uint32_t)label);
    cs_rng_permutation(&rng, order, (size_t)n);
    for (int32_t i = 0; i < n && i < to_val + to_test; i++)
        request->list->samples[members[order[i]]].split = i < to_val ? CS_SPLIT_VAL : CS_SPLIT_TEST;
}

/* What a rule needs to draw from one class after another. */
typedef struct classwise {
    int32_t *members, *order; /* [n] */
} classwise;

static cs_status open_classwise(size_t n, classwise *out) {
    *out = (classwise){0};
    CS_TRY(cs_alloc(n, sizeof *out->members, "split", &out->members));
    cs_status status = cs_alloc(n, sizeof *out->order, "split", &out->order);
    if (status != CS_OK)
        free(out->members);
    return status;
}

static void close_classwise(classwise *c) {
    free(c->members);
    free(c->order);
}

static cs_status split_stratified(const pack_split_request *request) {
    classwise c;
    CS_TRY(open_classwise(request->list->n, &c));
    for (int label = 0; label < request->list->n_classes; label++) {
        int32_t n = find_members(request->list, label, c.members);
        move_drawn(request, label, c.members, c.order, n, (int32_t)lround(n * request->val),
                   (int32_t)lround(n * request->test));
    }
    close_classwise(&c);
    return CS_OK;
}

void pack_divide(const int64_t *left, int n, int64_t draws, int64_t *out) {
    int64_t total = 0, given = 0;
    for (int i = 0; i < n; i++)
        total += left[i];
    for (int i = 0; i < n; i++) {
        out[i] = total > 0 ? left[i] * draws / total : 0;
        given += out[i];
    }
    for (; given < draws; given++) {
        int best = -1;
        int64_t most = -1;
        for (int i = 0; i < n; i++) {
            int64_t remainder = total > 0 && out[i] == left[i] * draws / total ? left[i] * draws % total : -1;
            if (remainder > most) {
                most = remainder;
                best = i;
            }
        }
        if (best < 0)
            return;
        out[best]++;
    }
}

/* The numbers of images of each class that train_test_split(test_size=fraction, stratify=labels) of scikit-learn 1.9
 * puts into test: those that are left when the images of train are divided. `left` [n] are the images. */
static void count_drawn(const int64_t *left, int n, double fraction, int64_t *out) {
    int64_t total = 0;
    for (int i = 0; i < n; i++)
        total += left[i];
    pack_divide(left, n, total - (int64_t)ceil(fraction * (double)total), out);
    for (int i = 0; i < n; i++)
        out[i] = left[i] - out[i];
}

/* Two calls of train_test_split, as people write it: test is taken from all, then val from the rest. */
static cs_status split_as_sklearn(const pack_split_request *request) {
    int n = request->list->n_classes;
    int64_t *counts = NULL; /* [3,n] images, those for test, those for val */
    classwise c;
    CS_TRY(cs_alloc((size_t)n * 3, sizeof *counts, "class counts", &counts));
    cs_status status = open_classwise(request->list->n, &c);
    if (status == CS_OK) {
        int64_t *left = counts, *to_test = left + n, *to_val = to_test + n;
        for (int i = 0; i < n; i++)
            left[i] = find_members(request->list, i, c.members);
        count_drawn(left, n, request->test, to_test);
        for (int i = 0; i < n; i++)
            left[i] -= to_test[i];
        count_drawn(left, n, request->val / (1 - request->test), to_val);
        for (int i = 0; i < n; i++) {
            int32_t found = find_members(request->list, i, c.members);
            move_drawn(request, i, c.members, c.order, found, (int32_t)to_val[i], (int32_t)to_test[i]);
        }
        close_classwise(&c);
    }
    free(counts);
    return status;
}

/* Keras' ImageDataGenerator(validation_split=v): of each class the first int(v n) files. */
static cs_status split_first_of_class(const pack_split_request *request) {
    classwise c;
    CS_TRY(open_classwise(request->list->n, &c));
    for (int label = 0; label < request->list->n_classes; label++) {
        int32_t n = find_members(request->list, label, c.members), to_val = (int32_t)(request->val * n);
        for (int32_t i = 0; i < to_val; i++)
            request->list->samples[c.members[i]].split = CS_SPLIT_VAL;
    }
    close_classwise(&c);
    return CS_OK;
}

/* Keras' fit(validation_split=v): the rows from floor(n (1 - v)) on, whatever their classes. */
static cs_status split_last_rows(const pack_split_request *request) {
    pack_list *list = request->list;
    int64_t n = 0, at = 0;
    for (size_t i = 0; i < list->n; i++)
        n += list->samples[i].split == CS_SPLIT_TRAIN;
    int64_t first = (int64_t)floor((double)n * (1 - request->val));
    for (size_t i = 0; i < list->n; i++)
        if (list->samples[i].split == CS_SPLIT_TRAIN && at++ >= first)
            list->samples[i].split = CS_SPLIT_VAL;
    return CS_OK;
}

static const pack_split_rule table[] = {
    {.name = "stratified", .doc = "at random, the same fraction of each class", .assign = split_stratified},
    {.name = "grouped",
     .doc = "by whole groups, with classes as even as can be",
     .keeps_groups = true,
     .assign = pack_split_by_group},
    {.name = "train_test_split",
     .doc = "at random, as many of each class as scikit-learn's function of this name with stratify",
     .assign = split_as_sklearn},
    {.name = "validation_split",
     .doc = "from the end of the list, as Keras' fit(validation_split)",
     .no_test = true,
     .assign = split_last_rows},
    {.name = "generator",
     .doc = "from the beginning of each class, as Keras' ImageDataGenerator(validation_split)",
     .no_test = true,
     .assign = split_first_of_class},
};

const pack_split_rule *pack_split_rules(size_t *n) {
    *n = sizeof table / sizeof *table;
    return table;
}

cs_status pack_parse_split_rule(const char *text, void *target) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].name, text) == 0) {
            *(const pack_split_rule **)target = &table[i];
            return CS_OK;
        }
    return cs_hint(cs_fail(CS_ERR_ARG, "\"%s\" is no rule to split by", text),
                   "stratified, grouped, train_test_split, validation_split or generator");
}

const pack_split_rule *pack_default_rule(const pack_list *list) {
    return &table[list->grouped ? 1 : 0];
}
