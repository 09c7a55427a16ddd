/* SPDX-License-Identifier: Apache-2.0 */
#include "split_rules.h"

#include "cnnsweep/memory.h"
#include "cnnsweep/split_groups.h"

#include <stdlib.h>

/* The images in train, as the division takes them. */
typedef struct images {
    pack_sample **samples; /* [n] */
    const char **groups;   /* [n] */
    int32_t *labels, *split_of;
    int32_t n;
} images;

static void close_images(images *of) {
    free(of->samples);
    free(of->groups);
    free(of->labels);
    free(of->split_of);
}

static cs_status open_images(const pack_list *list, images *of) {
    CS_TRY(cs_alloc(list->n, sizeof *of->samples, "groups", &of->samples));
    CS_TRY(cs_alloc(list->n, sizeof *of->groups, "groups", &of->groups));
    CS_TRY(cs_alloc(list->n, sizeof *of->labels, "groups", &of->labels));
    CS_TRY(cs_alloc(list->n, sizeof *of->split_of, "groups", &of->split_of));
    for (size_t i = 0; i < list->n; i++) {
        pack_sample *sample = &list->samples[i];
        if (sample->split != CS_SPLIT_TRAIN)
            continue;
        of->samples[of->n] = sample;
        of->groups[of->n] = sample->group ? sample->group : "";
        of->labels[of->n++] = sample->label;
    }
    return CS_OK;
}

cs_status pack_split_by_group(const pack_split_request *request) {
    const double fractions[CS_SPLIT_COUNT] = {1 - request->val - request->test, request->val, request->test};
    images train = {0};
    int32_t n_groups;
    cs_status status = open_images(request->list, &train);
    if (status == CS_OK) {
        const cs_group_split split = {.n = train.n,
                                      .labels = train.labels,
                                      .groups = train.groups,
                                      .n_classes = request->list->n_classes,
                                      .n_parts = CS_SPLIT_COUNT,
                                      .fractions = fractions,
                                      .shuffle = true,
                                      .seed = (uint64_t)request->seed};
        status = cs_split_groups(&split, train.split_of, &n_groups);
    }
    for (int32_t i = 0; status == CS_OK && i < train.n; i++)
        train.samples[i]->split = (cs_split)train.split_of[i];
    close_images(&train);
    return status;
}
