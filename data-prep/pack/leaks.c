/* SPDX-License-Identifier: Apache-2.0 */
/* What is done and said about duplicates. A network that is tested on copies of what it was trained on looks better
 * than it is, and copies with different classes cannot all be right. */
#include "pack.h"

#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

const char *pack_duplicates_name(int rule) {
    static const char *const names[PACK_DUPLICATES_COUNT] = {"warn", "drop", "group", "fail"};
    return names[rule];
}

/* Writes a text as a field of a CSV file (RFC 4180). */
static void write_field(FILE *out, const char *text) {
    if (!strpbrk(text, "\",\r\n")) {
        fputs(text, out);
        return;
    }
    putc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', out);
        putc(*text, out);
    }
    putc('"', out);
}

static void write_sample(FILE *out, const pack_list *list, const pack_sample *sample) {
    write_field(out, sample->id);
    fprintf(out, ",%s,", cs_split_name(sample->split));
    write_field(out, list->classes[sample->label]);
    putc(',', out);
}

/* Writes the file of --duplicates-list, if it is asked for: a line for each link. */
static cs_status list_duplicates(const pack_options *options, const pack_list *list, const pack_sets *sets) {
    static const char *const likenesses[] = {"exact", "near", "mirrored"};
    cs_atomic_file *file = NULL;
    if (!options->duplicates_list)
        return CS_OK;
    CS_TRY(cs_atomic_open(options->duplicates_list, &file));
    FILE *out = cs_atomic_stream(file);
    fputs("set,first,first_split,first_class,second,second_split,second_class,likeness,distance\n", out);
    for (size_t i = 0, set = 0; i < sets->n; i++) {
        const pack_link *link = &sets->links[i];
        set += i == 0 || sets->first[link->first] != sets->first[sets->links[i - 1].first];
        fprintf(out, "%zu,", set);
        write_sample(out, list, &list->samples[link->first]);
        write_sample(out, list, &list->samples[link->second]);
        fprintf(out, "%s,%d\n", likenesses[link->likeness], link->distance);
    }
    return cs_atomic_commit(&file);
}

/* Two images of different splits or classes in one set, and how many sets have such. */
typedef struct conflict {
    int64_t sets;
    const pack_sample *a, *b; /* of the first such set */
} conflict;

static void add_conflict(conflict *c, bool *counted, const pack_sample *a, const pack_sample *b) {
    if (!*counted && c->sets++ == 0) {
        c->a = a;
        c->b = b;
    }
    *counted = true;
}

static void warn_of(const pack_list *list, const conflict *c, const char *what) {
    if (c->sets > 0)
        cs_log(CS_LOG_WARN, "%lld set%s of duplicates %s images %s, such as %s (%s, \"%s\") and %s (%s, \"%s\")",
               (long long)c->sets, c->sets == 1 ? "" : "s", c->sets == 1 ? "has" : "have", what, c->a->id,
               cs_split_name(c->a->split), list->classes[c->a->label], c->b->id, cs_split_name(c->b->split),
               list->classes[c->b->label]);
}

static void report(const pack_options *options, const pack_list *list, const pack_sets *sets,
                   cs_duplicate_counts *counts) {
    conflict splits = {0}, classes = {0};
    int64_t exact = 0;
    bool other_split = false, other_class = false;
    *counts = (cs_duplicate_counts){.known = true};
    for (size_t i = 0, last = SIZE_MAX; i < sets->n; i++) {
        const size_t set = sets->first[sets->links[i].first];
        const pack_sample *a = &list->samples[set], *b = &list->samples[sets->links[i].second];
        if (set != last) {
            other_split = other_class = false;
            counts->sets++;
        }
        last = set;
        exact += sets->links[i].likeness == PACK_EXACT;
        if (a->split != b->split)
            add_conflict(&splits, &other_split, a, b);
        if (a->label != b->label)
            add_conflict(&classes, &other_class, a, b);
    }
    counts->images = counts->sets + (int64_t)sets->n;
    counts->across_splits = splits.sets;
    counts->across_classes = classes.sets;
    warn_of(list, &splits, "in different splits");
    warn_of(list, &classes, "of different classes");
    if (sets->n == 0)
        cs_log(CS_LOG_INFO, "no duplicates");
    else
        cs_log(CS_LOG_INFO, "duplicates: %lld set%s of %lld images, %lld of them exact copies%s",
               (long long)counts->sets, counts->sets == 1 ? "" : "s", (long long)counts->images, (long long)exact,
               options->duplicates_list ? "" : " (--duplicates-list FILE names them)");
}

cs_status pack_report_duplicates(const pack_options *options, const pack_list *list, const pack_hash *hashes,
                                 const volatile sig_atomic_t *stop, cs_duplicate_counts *counts) {
    pack_sets sets;
    cs_status status = pack_find_duplicates(hashes, list->n, stop, &sets);
    if (status == CS_OK)
        report(options, list, &sets, counts);
    if (status == CS_OK &&
        (options->duplicates == PACK_DUPLICATES_WARN || options->duplicates == PACK_DUPLICATES_GROUP))
        status = list_duplicates(options, list, &sets);
    pack_sets_clear(&sets);
    return status;
}

static bool is_taken(const pack_sample *sample) {
    return !sample->left_out;
}

/* Of each set keeps the first image in train, else in val, else in test. */
static cs_status drop(const pack_options *options, pack_list *list, const pack_sets *sets) {
    size_t *kept = NULL; /* [n] by the first image of the set */
    CS_TRY(list_duplicates(options, list, sets));
    CS_TRY(cs_alloc(list->n, sizeof *kept, "duplicates", &kept));
    for (size_t i = 0; i < list->n; i++) {
        size_t *best = &kept[sets->first[i]];
        if (sets->first[i] == i || list->samples[i].source_split < list->samples[*best].source_split)
            *best = i;
    }
    for (size_t i = 0; i < list->n; i++)
        list->samples[i].left_out = kept[sets->first[i]] != i;
    free(kept);
    const size_t all = list->n, dropped = pack_list_keep(list, is_taken);
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
    CS_TRY(list_duplicates(options, list, sets));
    for (size_t i = 0; i < sets->n && i < NAMED; i++)
        cs_log(CS_LOG_WARN, "%s is a duplicate of %s", list->samples[sets->links[i].second].id,
               list->samples[sets->links[i].first].id);
    if (sets->n == 0)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: %zu of %zu images are duplicates of others (%s); nothing was written",
                           options->input.path, sets->n, list->n,
                           sets->n <= NAMED ? "named above" : "--duplicates-list FILE names all"),
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

static cs_status hashes_path(const char *out, int part, char path[CS_PATH_MAX]) {
    char parts[CS_PATH_MAX];
    CS_TRY(cs_dataset_parts_folder(out, parts, sizeof parts));
    return cs_path(path, CS_PATH_MAX, "%s/hashes-%05d", parts, part);
}

cs_status pack_keep_hashes(const pack_options *options, const pack_hash *hashes, size_t n) {
    char path[CS_PATH_MAX];
    CS_TRY(hashes_path(options->out, options->part.index, path));
    return cs_file_write(path, hashes, n * sizeof *hashes);
}

/* Appends the hashes of a part to bytes[*size]. */
static cs_status read_hashes(const char *out, int part, char **bytes, size_t *size, size_t *capacity) {
    const size_t limit = (size_t)INT32_MAX * sizeof(pack_hash);
    char path[CS_PATH_MAX], *read = NULL;
    size_t n = 0;
    CS_TRY(hashes_path(out, part, path));
    CS_TRY(cs_file_read(path, limit, &read, &n));
    cs_status status = cs_grow(bytes, capacity, *size + n + 1, 1, "hashes");
    if (status == CS_OK)
        memcpy(*bytes + *size, read, n);
    *size += n;
    free(read);
    return status;
}

/* The samples of the joined dataset are in the order of the parts. */
static cs_status report_joined(pack_options *options, const void *hashes, size_t size,
                               const volatile sig_atomic_t *stop) {
    pack_list list = {0};
    cs_duplicate_counts counts = {0};
    options->input.path = options->out;
    setenv("CNNSWEEP_TRUST_SHARDS", "1", 1); /* they are new */
    CS_TRY(pack_source_find(&options->input));
    cs_status status = pack_source_scan(&options->input, &list);
    if (status == CS_OK && size != list.n * sizeof(pack_hash))
        cs_log(CS_LOG_WARN, "duplicates are not looked for, as the parts have no hashes");
    else if (status == CS_OK) {
        status = pack_report_duplicates(options, &list, hashes, stop, &counts);
        if (status == CS_OK)
            status = cs_dataset_count_duplicates(options->out, &counts);
    }
    pack_list_clear(&list);
    pack_source_close(&options->input);
    return status;
}

cs_status pack_join(pack_options *options, const volatile sig_atomic_t *stop) {
    char folder[CS_PATH_MAX], *hashes = NULL;
    size_t size = 0, capacity = 0;
    cs_dataset_part part;
    CS_TRY(cs_dataset_part_path(options->out, 0, folder, sizeof folder));
    if (cs_dataset_read_part(folder, &part) != CS_OK)
        part.count = 0; /* joining says what is wrong */
    cs_status status = CS_OK;
    for (int i = 0; i < part.count && status == CS_OK; i++)
        status = read_hashes(options->out, i, &hashes, &size, &capacity);
    if (status == CS_OK || status == CS_ERR_IO || status == CS_ERR_NOT_FOUND)
        status = cs_dataset_join(options->out);
    if (status == CS_OK)
        status = report_joined(options, hashes, size, stop);
    free(hashes);
    return status;
}
