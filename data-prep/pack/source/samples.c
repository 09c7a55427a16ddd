/* SPDX-License-Identifier: Apache-2.0 */
#include "samples.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

cs_status pack_list_add(pack_list *list, const pack_sample *sample) {
    CS_TRY(cs_grow(&list->samples, &list->capacity, list->n + 1, sizeof *list->samples, "image list"));
    pack_sample *added = &list->samples[list->n];
    *added = *sample;
    added->split = sample->source_split;
    added->place = list->n;
    CS_TRY(cs_strdup(sample->id, &added->id));
    list->n++;
    return CS_OK;
}

cs_status pack_list_add_class(pack_list *list, const char *name) {
    char **grown = realloc(list->classes, ((size_t)list->n_classes + 1) * sizeof *grown);
    if (!grown)
        return cs_fail(CS_ERR_NO_MEMORY, "no memory for %d classes", list->n_classes + 1);
    list->classes = grown;
    CS_TRY(cs_strdup(name, &list->classes[list->n_classes]));
    list->n_classes++;
    return CS_OK;
}

int pack_list_find_class(const pack_list *list, const char *name) {
    for (int i = 0; i < list->n_classes; i++)
        if (strcmp(list->classes[i], name) == 0)
            return i;
    return -1;
}

void pack_list_clear(pack_list *list) {
    for (size_t i = 0; i < list->n; i++)
        free(list->samples[i].id);
    for (int i = 0; i < list->n_classes; i++)
        free(list->classes[i]);
    free(list->samples);
    free(list->classes);
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
