/* SPDX-License-Identifier: Apache-2.0 */
/* What is said about duplicates. A network that is tested on copies of what it was trained on looks better
 * than it is, and copies with different classes cannot all be right. */
#include "pack.h"
#include "sets.h"

#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

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

cs_status pack_list_duplicates(const pack_options *options, const pack_list *list, const pack_sets *sets) {
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

static void warn_of(const pack_list *list, int64_t sets, size_t first, size_t second, const char *what) {
    const pack_sample *a = &list->samples[first], *b = &list->samples[second];
    cs_log(CS_LOG_WARN, "%lld set%s of duplicates %s images %s, such as %s (%s, \"%s\") and %s (%s, \"%s\")",
           (long long)sets, sets == 1 ? "" : "s", sets == 1 ? "has" : "have", what, a->id, cs_split_name(a->split),
           list->classes[a->label], b->id, cs_split_name(b->split), list->classes[b->label]);
}

static void say_counts(const pack_options *options, const pack_list *list, const pack_set *sets, size_t n,
                       const cs_duplicate_counts *counts) {
    size_t exact = 0, a = 0, b = 0; /* a: the first set with images in different splits, b: of different classes */
    while (a < n && sets[a].other_split == sets[a].first)
        a++;
    while (b < n && sets[b].other_class == sets[b].first)
        b++;
    for (size_t i = 0; i < n; i++)
        exact += sets[i].exact;
    if (a < n)
        warn_of(list, counts->across_splits, sets[a].first, sets[a].other_split, "in different splits");
    if (b < n)
        warn_of(list, counts->across_classes, sets[b].first, sets[b].other_class, "of different classes");
    if (n == 0)
        cs_log(CS_LOG_INFO, "no duplicates");
    else
        cs_log(CS_LOG_INFO, "duplicates: %zu set%s of %lld images, %zu of them exact copies%s", n, n == 1 ? "" : "s",
               (long long)counts->images, exact,
               options->duplicates_list ? "" : " (--duplicates-list FILE names them)");
}

/* Says how many of the images that are added are in a set with one that was there. */
static cs_status say_added(const pack_list *list, const pack_sets *sets) {
    bool *known = NULL; /* [n] the set that begins with this image has one that was there */
    size_t added = 0, alike = 0;
    CS_TRY(cs_alloc(list->n, sizeof *known, "duplicates", &known));
    for (size_t i = 0; i < list->n; i++)
        known[sets->first[i]] = known[sets->first[i]] || list->samples[i].stored;
    for (size_t i = 0; i < list->n; i++) {
        added += !list->samples[i].stored;
        alike += !list->samples[i].stored && known[sets->first[i]];
    }
    free(known);
    if (alike > 0)
        cs_log(CS_LOG_WARN, "%zu of the %zu images that are added are duplicates of images that were there", alike,
               added);
    return CS_OK;
}

static cs_status report(const pack_options *options, const pack_list *list, const pack_sets *sets,
                        cs_duplicate_counts *counts) {
    pack_place *places = NULL;
    pack_set *described = NULL;
    size_t n = 0;
    CS_TRY(cs_alloc(list->n, sizeof *places, "duplicates", &places));
    for (size_t i = 0; i < list->n; i++)
        places[i] = (pack_place){list->samples[i].split, list->samples[i].label};
    cs_status status = pack_describe_sets(sets, places, list->n, &described, &n);
    if (status == CS_OK) {
        *counts = pack_count_sets(described, n);
        if (options->appended)
            status = say_added(list, sets);
        say_counts(options, list, described, n, counts);
    }
    free(places);
    free(described);
    return status;
}

cs_status pack_report_duplicates(const pack_options *options, const pack_list *list, const pack_hash *hashes,
                                 const volatile sig_atomic_t *stop, cs_duplicate_counts *counts) {
    pack_sets sets;
    cs_status status = pack_find_duplicates(hashes, list->n, stop, &sets);
    if (status == CS_OK)
        status = report(options, list, &sets, counts);
    if (status == CS_OK &&
        (options->duplicates == PACK_DUPLICATES_WARN || options->duplicates == PACK_DUPLICATES_GROUP))
        status = pack_list_duplicates(options, list, &sets);
    pack_sets_clear(&sets);
    return status;
}

static cs_status hashes_path(const char *out, int part, char path[CS_PATH_MAX]) {
    char parts[CS_PATH_MAX];
    CS_TRY(cs_dataset_parts_folder(out, parts, sizeof parts));
    return cs_path(path, CS_PATH_MAX, "%s/hashes-%05d", parts, part);
}

/* An image that is repeated in the part has its hash as often, as the next part can have the rest of the repeats. */
cs_status pack_keep_hashes(const pack_options *options, const pack_list *list, const pack_hash *hashes) {
    char path[CS_PATH_MAX];
    pack_hash *kept = NULL;
    size_t n = 0;
    CS_TRY(hashes_path(options->out, options->part.index, path));
    CS_TRY(cs_alloc((size_t)pack_list_images(list), sizeof *kept, "hashes", &kept));
    for (size_t i = 0; i < list->n; i++)
        for (int k = 0; k <= list->samples[i].repeats; k++)
            kept[n++] = hashes[i];
    cs_status status = cs_file_write(path, kept, n * sizeof *kept);
    free(kept);
    return status;
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

/* Keeps one hash of each image, however often it is repeated. */
static void drop_repeats(const pack_list *list, pack_hash *hashes) {
    for (size_t i = 0, at = 0; i < list->n; i++) {
        hashes[i] = hashes[at];
        at += 1 + (size_t)list->samples[i].repeats;
    }
}

/* The samples of the joined dataset are in the order of the parts. */
static cs_status report_joined(pack_options *options, void *hashes, size_t size, const volatile sig_atomic_t *stop) {
    pack_list list = {0};
    cs_duplicate_counts counts = {0};
    options->input.path = options->out;
    setenv("CNNSWEEP_TRUST_SHARDS", "1", 1); /* they are new */
    CS_TRY(pack_source_find(&options->input));
    cs_status status = pack_source_scan(&options->input, &list);
    if (status == CS_OK && (!hashes || size != (size_t)pack_list_images(&list) * sizeof(pack_hash)))
        cs_log(CS_LOG_WARN, "duplicates are not looked for, as the parts have no hashes");
    else if (status == CS_OK) {
        drop_repeats(&list, hashes);
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
