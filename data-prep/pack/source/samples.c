/* SPDX-License-Identifier: Apache-2.0 */
#include "samples.h"

#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

cs_status pack_list_add(pack_list *list, const pack_sample *sample) {
    CS_TRY(cs_grow(&list->samples, &list->capacity, list->n + 1, sizeof *list->samples, "image list"));
    pack_sample *added = &list->samples[list->n];
    *added = *sample;
    added->split = sample->source_split;
    added->repeats = sample->source_repeats;
    added->weight = sample->source_weight;
    added->place = list->n;
    added->group = NULL;
    CS_TRY(cs_strdup(sample->id, &added->id));
    list->n++;
    return sample->group ? cs_strdup(sample->group, &added->group) : CS_OK;
}

int64_t pack_list_images(const pack_list *list) {
    int64_t images = 0;
    for (size_t i = 0; i < list->n; i++)
        images += 1 + list->samples[i].repeats;
    return images;
}

void pack_sample_clear(pack_sample *sample) {
    free(sample->id);
    free(sample->group);
}

size_t pack_list_keep(pack_list *list, bool (*keep)(const pack_sample *sample)) {
    size_t kept = 0, all = list->n;
    for (size_t i = 0; i < all; i++)
        if (keep(&list->samples[i]))
            list->samples[kept++] = list->samples[i];
        else
            pack_sample_clear(&list->samples[i]);
    list->n = kept;
    return all - kept;
}

static bool is_taken(const pack_sample *sample) {
    return !sample->left_out;
}

size_t pack_list_leave_out(pack_list *list) {
    return pack_list_keep(list, is_taken);
}

/* The first place in list->by_name whose class is not before `name`. */
static int place_of(const pack_list *list, const char *name) {
    int low = 0, high = list->n_classes;
    while (low < high) {
        const int middle = (low + high) / 2;
        if (strcmp(list->classes[list->by_name[middle]], name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

cs_status pack_list_add_class(pack_list *list, const char *source_name) {
    const size_t n = (size_t)list->n_classes;
    size_t capacity = n, places = n; /* grows by one, as there are few classes */
    char name[CS_PATH_MAX];
    cs_text_printable(source_name, name, sizeof name);
    if (pack_list_find_class(list, name) >= 0)
        return cs_fail(CS_ERR_FORMAT, "two classes are called \"%s\"", name);
    const int place = place_of(list, name);
    CS_TRY(cs_grow(&list->classes, &capacity, n + 1, sizeof *list->classes, "classes"));
    CS_TRY(cs_grow(&list->by_name, &places, n + 1, sizeof *list->by_name, "classes"));
    CS_TRY(cs_strdup(name, &list->classes[n]));
    memmove(&list->by_name[place + 1], &list->by_name[place], (n - (size_t)place) * sizeof *list->by_name);
    list->by_name[place] = list->n_classes++;
    return CS_OK;
}

int pack_list_find_class(const pack_list *list, const char *source_name) {
    char name[CS_PATH_MAX];
    cs_text_printable(source_name, name, sizeof name);
    const int place = place_of(list, name);
    if (place == list->n_classes || strcmp(list->classes[list->by_name[place]], name) != 0)
        return -1;
    return list->by_name[place];
}

cs_status pack_list_label(pack_list *list, const char *name, int32_t *label) {
    *label = pack_list_find_class(list, name);
    if (*label >= 0)
        return CS_OK;
    *label = list->n_classes;
    return pack_list_add_class(list, name);
}

void pack_list_swap_classes(pack_list *a, pack_list *b) {
    const pack_list first = *a;
    a->classes = b->classes;
    a->by_name = b->by_name;
    a->n_classes = b->n_classes;
    b->classes = first.classes;
    b->by_name = first.by_name;
    b->n_classes = first.n_classes;
}

cs_status pack_list_record_classes(pack_list *list, const int32_t *label_of) {
    cs_source_classes *source = &list->source_classes;
    if (source->n == 0) {
        CS_TRY(cs_alloc((size_t)list->n_classes, sizeof *source->names, "classes", &source->names));
        CS_TRY(cs_alloc((size_t)list->n_classes, sizeof *source->labels, "classes", &source->labels));
        for (; source->n < list->n_classes; source->n++) {
            source->labels[source->n] = source->n;
            CS_TRY(cs_strdup(list->classes[source->n], &source->names[source->n]));
        }
    }
    for (int i = 0; i < source->n; i++)
        source->labels[i] = source->labels[i] < 0 ? -1 : label_of[source->labels[i]];
    return CS_OK;
}

typedef struct numbered_class {
    long long number; /* 0 if the names are not numbers */
    char *name;
    int label;
} numbered_class;

static int by_number_and_name(const void *a, const void *b) {
    const numbered_class *first = a, *second = b;
    if (first->number != second->number)
        return first->number < second->number ? -1 : 1;
    return strcmp(first->name, second->name);
}

bool pack_whole_number(const char *text, long long *value) {
    char *end;
    const size_t digits = strspn(text + (*text == '-'), "0123456789");
    *value = strtoll(text, &end, 10);
    return digits > 0 && digits < 19 && !*end;
}

cs_status pack_list_sort_classes(pack_list *list, bool numbers) {
    numbered_class *sorted = NULL;
    int *labels = NULL;
    const size_t n = (size_t)list->n_classes;
    CS_TRY(cs_alloc(n, sizeof *sorted, "classes", &sorted));
    cs_status status = cs_alloc(n, sizeof *labels, "classes", &labels);
    for (size_t i = 0; i < n; i++) {
        sorted[i] = (numbered_class){.name = list->classes[i], .label = (int)i};
        numbers = numbers && pack_whole_number(sorted[i].name, &sorted[i].number);
    }
    for (size_t i = 0; i < n && !numbers; i++)
        sorted[i].number = 0;
    if (status == CS_OK) {
        qsort(sorted, n, sizeof *sorted, by_number_and_name);
        for (size_t i = 0; i < n; i++) {
            list->classes[i] = sorted[i].name;
            labels[sorted[i].label] = (int)i;
        }
        for (size_t i = 0; i < n; i++)
            list->by_name[i] = labels[list->by_name[i]];
        for (size_t i = 0; i < list->n; i++)
            list->samples[i].label = labels[list->samples[i].label];
    }
    free(sorted);
    free(labels);
    return status;
}

typedef struct hashed_id {
    uint64_t hash;
    size_t sample;
} hashed_id;

static int by_hash(const void *a, const void *b) {
    const hashed_id *first = a, *second = b;
    if (first->hash != second->hash)
        return first->hash < second->hash ? -1 : 1;
    return (first->sample > second->sample) - (first->sample < second->sample);
}

cs_status pack_list_find_twins(const pack_list *list, bool *found, size_t twins[2]) {
    hashed_id *ids = NULL;
    CS_TRY(cs_alloc(list->n, sizeof *ids, "image list", &ids));
    for (size_t i = 0; i < list->n; i++)
        ids[i] = (hashed_id){cs_checksum(list->samples[i].id, strlen(list->samples[i].id)), i};
    qsort(ids, list->n, sizeof *ids, by_hash);
    *found = false;
    for (size_t i = 1; i < list->n && !*found; i++) {
        twins[0] = ids[i - 1].sample;
        twins[1] = ids[i].sample;
        const pack_sample *a = &list->samples[twins[0]], *b = &list->samples[twins[1]];
        *found = ids[i - 1].hash == ids[i].hash && !(a->stored && b->stored) && strcmp(a->id, b->id) == 0;
    }
    free(ids);
    return CS_OK;
}

void pack_list_clear(pack_list *list) {
    for (size_t i = 0; i < list->n; i++)
        pack_sample_clear(&list->samples[i]);
    for (int i = 0; i < list->n_classes; i++)
        free(list->classes[i]);
    for (int i = 0; i < list->source_classes.n; i++)
        free(list->source_classes.names[i]);
    free(list->source_classes.names);
    free(list->source_classes.labels);
    free(list->source_counts);
    free(list->samples);
    free(list->classes);
    free(list->by_name);
    *list = (pack_list){0};
}

cs_split pack_split_by_name(const char *name) {
    static const struct {
        const char *name;
        cs_split split;
    } names[] = {
        {"train", CS_SPLIT_TRAIN},    {"training", CS_SPLIT_TRAIN}, {"val", CS_SPLIT_VAL},      {"valid", CS_SPLIT_VAL},
        {"validation", CS_SPLIT_VAL}, {"test", CS_SPLIT_TEST},      {"testing", CS_SPLIT_TEST},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(name, names[i].name) == 0)
            return names[i].split;
    return CS_SPLIT_COUNT;
}
