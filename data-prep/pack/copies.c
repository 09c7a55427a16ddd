/* SPDX-License-Identifier: Apache-2.0 */
/* What is done about duplicates before the images are split: --duplicates drop, group and fail. */
#include "pack.h"

#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

const char *pack_duplicates_name(int rule) {
    static const char *const names[PACK_DUPLICATES_COUNT] = {"warn", "drop", "group", "fail"};
    return names[rule];
}

/* Whether `a` is kept rather than `b`, which comes before it: an image that the dataset has already, else one in train,
 * else one in val. */
static bool is_kept_rather(const pack_sample *a, const pack_sample *b) {
    return a->stored == b->stored && a->source_split < b->source_split;
}

/* Keeps of each set the first of those that is_kept_rather prefers, and all that the dataset has already. */
static cs_status drop(const pack_options *options, pack_list *list, const pack_sets *sets) {
    size_t *kept = NULL; /* [n] by the first image of the set */
    CS_TRY(pack_list_duplicates(options, list, sets));
    CS_TRY(cs_alloc(list->n, sizeof *kept, "duplicates", &kept));
    for (size_t i = 0; i < list->n; i++) {
        size_t *best = &kept[sets->first[i]];
        if (sets->first[i] == i || is_kept_rather(&list->samples[i], &list->samples[*best]))
            *best = i;
    }
    for (size_t i = 0; i < list->n; i++)
        list->samples[i].left_out = kept[sets->first[i]] != i && !list->samples[i].stored;
    free(kept);
    const size_t all = list->n, dropped = pack_list_leave_out(list);
    cs_log(CS_LOG_INFO, "%zu of %zu images are left out, as duplicates of others (--duplicates drop)", dropped, all);
    return CS_OK;
}

typedef struct group_member {
    const char *group;
    size_t image;
} group_member;

static int by_group(const void *a, const void *b) {
    return strcmp(((const group_member *)a)->group, ((const group_member *)b)->group);
}

/* Makes one set of the sets that have images of the same group. */
static cs_status unite_groups(const pack_list *list, pack_sets *sets) {
    group_member *members = NULL;
    size_t n = 0;
    CS_TRY(cs_alloc(list->n, sizeof *members, "groups", &members));
    for (size_t i = 0; i < list->n; i++)
        if (list->samples[i].group && list->samples[i].group[0])
            members[n++] = (group_member){list->samples[i].group, i};
    qsort(members, n, sizeof *members, by_group);
    for (size_t i = 1; i < n; i++)
        if (strcmp(members[i - 1].group, members[i].group) == 0)
            (void)pack_unite(sets->first, members[i - 1].image, members[i].image);
    free(members);
    return CS_OK;
}

static cs_status set_group(pack_sample *sample, const char *name) {
    if (sample->group && strcmp(sample->group, name) == 0)
        return CS_OK;
    free(sample->group);
    sample->group = NULL;
    return cs_strdup(name, &sample->group);
}

/* Gives the image and the first of its set the group of the set: the first that one of its images has, or else a new
 * one. */
static cs_status name_group(pack_list *list, size_t image, size_t first, char **name) {
    char text[CS_PATH_MAX];
    if (!*name) {
        snprintf(text, sizeof text, "like %s", list->samples[first].id);
        CS_TRY(cs_strdup(text, name));
    }
    CS_TRY(set_group(&list->samples[first], *name));
    return set_group(&list->samples[image], *name);
}

static cs_status group(pack_list *list, pack_sets *sets) {
    char **names = NULL; /* [n] of each set, by its first image */
    if (sets->n == 0)
        return CS_OK;
    CS_TRY(unite_groups(list, sets));
    CS_TRY(cs_alloc(list->n, sizeof *names, "groups", &names));
    cs_status status = CS_OK;
    for (size_t i = 0; i < list->n && status == CS_OK; i++) {
        char **name = &names[pack_set_of(sets->first, i)];
        if (!*name && list->samples[i].group && list->samples[i].group[0])
            status = cs_strdup(list->samples[i].group, name);
    }
    for (size_t i = 0; i < list->n && status == CS_OK; i++) {
        const size_t first = pack_set_of(sets->first, i);
        if (first != i)
            status = name_group(list, i, first, &names[first]);
    }
    for (size_t i = 0; i < list->n; i++)
        free(names[i]);
    free(names);
    list->grouped = true;
    return status;
}

static cs_status fail_if_any(const pack_options *options, const pack_list *list, const pack_sets *sets) {
    enum { NAMED = 20 };
    size_t n = 0;
    CS_TRY(pack_list_duplicates(options, list, sets));
    for (size_t i = 0; i < sets->n; i++) {
        const pack_sample *second = &list->samples[sets->links[i].second];
        if (!second->stored && n++ < NAMED)
            cs_log(CS_LOG_WARN, "%s is a duplicate of %s", second->id, list->samples[sets->links[i].first].id);
    }
    if (n == 0)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: %zu of %zu images are duplicates of others (%s); nothing was written",
                           options->input.path, n, list->n,
                           n <= NAMED ? "named above" : "--duplicates-list FILE names all"),
                   "--duplicates drop leaves them out, group keeps them in one split");
}

static cs_status treat(const pack_options *options, pack_list *list, pack_sets *sets) {
    if (options->duplicates == PACK_DUPLICATES_DROP)
        return drop(options, list, sets);
    return options->duplicates == PACK_DUPLICATES_GROUP ? group(list, sets) : fail_if_any(options, list, sets);
}

cs_status pack_treat_duplicates(const pack_options *options, pack_list *list, const volatile sig_atomic_t *stop) {
    pack_search search = {.options = options, .stop = stop};
    pack_hash *hashes = NULL;
    pack_sets sets = {0};
    if (options->duplicates == PACK_DUPLICATES_WARN)
        return CS_OK;
    CS_TRY(cs_alloc(list->n, sizeof *hashes, "hashes", &hashes));
    cs_status status = cs_progress_open("looking for duplicates", "images", (int64_t)list->n, &search.progress);
    if (status == CS_OK)
        status = pack_hash_images(&search, list, hashes);
    cs_progress_close(search.progress);
    if (status == CS_OK)
        status = pack_find_duplicates(hashes, list->n, stop, &sets);
    if (status == CS_OK)
        status = treat(options, list, &sets);
    pack_sets_clear(&sets);
    free(hashes);
    return status;
}
