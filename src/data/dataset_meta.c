/* SPDX-License-Identifier: Apache-2.0 */
/* The root attributes of a shard: a function that writes them, one that reads them, and what both use. */
#include "dataset_impl.h"

#include "cnnsweep/memory.h"
#include "cnnsweep/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *cs_split_name(cs_split split) {
    static const char *const names[CS_SPLIT_COUNT] = {"train", "val", "test"};
    return names[split];
}

void cs_dataset_library_version(char *out, size_t size) {
    unsigned major = 0, minor = 0, release = 0;
    H5get_libversion(&major, &minor, &release);
    snprintf(out, size, "%u.%u.%u", major, minor, release);
}

static cs_status write_names(hid_t file, const char *path, const char *attribute, char *const *names, int n) {
    size_t longest = 0;
    for (int i = 0; i < n; i++)
        if (strlen(names[i]) > longest)
            longest = strlen(names[i]);
    char *block = NULL;
    CS_TRY(cs_alloc((size_t)n, longest + 1, "class names", &block));
    for (int i = 0; i < n; i++)
        strcpy(block + (size_t)i * (longest + 1), names[i]);
    hid_t type = cs_text_type(longest + 1);
    cs_status status = cs_hdf5_write_numbers(file, path, attribute, type, (hsize_t)n, block);
    H5Tclose(type);
    free(block);
    return status;
}

static cs_status write_source_classes(hid_t file, const char *path, const cs_source_classes *source) {
    if (source->n == 0)
        return CS_OK;
    CS_TRY(write_names(file, path, "source_classes", source->names, source->n));
    return cs_hdf5_write_numbers(file, path, "source_labels", H5T_NATIVE_INT32, (hsize_t)source->n, source->labels);
}

enum { DUPLICATE_COUNTS = 4 };

/* Numbers of -1 are written where they are not known, so that a known number can take their place. */
static void list_duplicates(const cs_duplicate_counts *counts, int64_t out[DUPLICATE_COUNTS]) {
    const int64_t numbers[] = {counts->sets, counts->images, counts->across_splits, counts->across_classes};
    for (int i = 0; i < DUPLICATE_COUNTS; i++)
        out[i] = counts->known ? numbers[i] : -1;
}

cs_status cs_shard_set_duplicates(const char *path, const cs_duplicate_counts *counts) {
    int64_t numbers[DUPLICATE_COUNTS];
    hid_t file = H5I_INVALID_HID;
    list_duplicates(counts, numbers);
    CS_TRY(cs_hdf5_reopen(path, 0, &file));
    cs_status status = cs_hdf5_rewrite_numbers(file, path, "duplicates", H5T_NATIVE_INT64, numbers);
    status = cs_hdf5_finish(file, path, status);
    return status == CS_OK ? cs_file_sync(path) : status;
}

static cs_status write_duplicates(hid_t file, const char *path, const cs_duplicate_counts *counts) {
    int64_t numbers[DUPLICATE_COUNTS];
    list_duplicates(counts, numbers);
    return cs_hdf5_write_numbers(file, path, "duplicates", H5T_NATIVE_INT64, DUPLICATE_COUNTS, numbers);
}

cs_status cs_meta_write(hid_t file, const char *path, const cs_dataset_meta *meta) {
    const int version = CS_DATASET_VERSION;
    char resize[CS_RESIZE_TEXT];
    CS_TRY(cs_hdf5_write_text(file, path, "format", CS_DATASET_FORMAT));
    CS_TRY(cs_hdf5_write_numbers(file, path, "version", H5T_NATIVE_INT, 0, &version));
    CS_TRY(write_names(file, path, "classes", meta->classes, meta->n_classes));
    CS_TRY(write_source_classes(file, path, &meta->source_classes));
    if (meta->source_counts)
        CS_TRY(cs_hdf5_write_numbers(file, path, "source_counts", H5T_NATIVE_INT64, (hsize_t)meta->n_classes,
                                     meta->source_counts));
    CS_TRY(cs_hdf5_write_numbers(file, path, "mean", H5T_NATIVE_DOUBLE, 3, meta->mean));
    CS_TRY(cs_hdf5_write_numbers(file, path, "std", H5T_NATIVE_DOUBLE, 3, meta->std));
    CS_TRY(cs_hdf5_write_text(file, path, "resize", cs_resize_text(meta->resize, resize)));
    CS_TRY(cs_hdf5_write_numbers(file, path, "height", H5T_NATIVE_INT, 0, &meta->h));
    CS_TRY(cs_hdf5_write_numbers(file, path, "width", H5T_NATIVE_INT, 0, &meta->w));
    if (strcmp(meta->filter, "none") != 0)
        CS_TRY(cs_hdf5_write_text(file, path, "filter", meta->filter));
    if (strcmp(meta->decode, "default") != 0)
        CS_TRY(cs_hdf5_write_text(file, path, "decode", meta->decode));
    CS_TRY(write_duplicates(file, path, &meta->duplicates));
    return cs_hdf5_write_text(file, path, "checksum", meta->checksum);
}

void cs_meta_clear(cs_dataset_meta *meta) {
    cs_free_texts(meta->classes, meta->n_classes);
    cs_free_texts(meta->source_classes.names, meta->source_classes.n);
    free(meta->source_classes.labels);
    free(meta->source_counts);
    meta->source_counts = NULL;
    meta->source_classes = (cs_source_classes){0};
    meta->classes = NULL;
    meta->n_classes = 0;
}

static cs_status check_format(hid_t file, const char *path) {
    char format[32];
    int version = 0;
    cs_status status = cs_hdf5_read_text(file, path, "format", format, sizeof format);
    if (status != CS_OK || strcmp(format, CS_DATASET_FORMAT) != 0)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: not a cnnsweep dataset", path), "cnnsweep-pack makes one");
    CS_TRY(cs_hdf5_read_numbers(file, path, "version", H5T_INTEGER, H5T_NATIVE_INT, 1, &version));
    if (version != CS_DATASET_VERSION)
        return cs_hint(cs_fail(CS_ERR_UNSUPPORTED, "%s: format version %d, this program reads %d", path, version,
                               CS_DATASET_VERSION),
                       "pack the images again");
    return CS_OK;
}

static cs_status read_source_classes(hid_t file, const char *path, int n_classes, cs_source_classes *source) {
    if (H5Aexists(file, "source_classes") <= 0)
        return CS_OK;
    CS_TRY(cs_hdf5_read_texts(file, path, "source_classes", -1, &source->n, &source->names));
    CS_TRY(cs_alloc((size_t)source->n, sizeof *source->labels, "source classes", &source->labels));
    CS_TRY(cs_hdf5_read_numbers(file, path, "source_labels", H5T_INTEGER, H5T_NATIVE_INT32, source->n, source->labels));
    for (int i = 0; i < source->n; i++)
        if (source->labels[i] < -1 || source->labels[i] >= n_classes)
            return cs_fail(CS_ERR_FORMAT, "%s: source_labels has %d, but there are %d classes", path,
                           (int)source->labels[i], n_classes);
    return CS_OK;
}

static cs_status read_source_counts(hid_t file, const char *path, cs_dataset_meta *meta) {
    const size_t n = (size_t)meta->n_classes;
    if (H5Aexists(file, "source_counts") <= 0)
        return CS_OK;
    CS_TRY(cs_alloc(n, sizeof *meta->source_counts, "source counts", &meta->source_counts));
    CS_TRY(cs_hdf5_read_numbers(file, path, "source_counts", H5T_INTEGER, H5T_NATIVE_INT64, meta->n_classes,
                                meta->source_counts));
    for (size_t i = 0; i < n; i++)
        if (meta->source_counts[i] < 0)
            return cs_fail(CS_ERR_FORMAT, "%s: source_counts has %lld", path, (long long)meta->source_counts[i]);
    return CS_OK;
}

/* Names in datasets of other programs, and of earlier versions of this one, can have line ends that tear tables. */
static cs_status make_printable(char **names, int n) {
    char printable[CS_PATH_MAX];
    for (int i = 0; i < n; i++) {
        cs_text_printable(names[i], printable, sizeof printable);
        if (strcmp(names[i], printable) == 0)
            continue;
        free(names[i]);
        names[i] = NULL;
        CS_TRY(cs_strdup(printable, &names[i]));
    }
    return CS_OK;
}

static cs_status read_duplicates(hid_t file, const char *path, cs_duplicate_counts *counts) {
    int64_t numbers[DUPLICATE_COUNTS];
    if (H5Aexists(file, "duplicates") <= 0)
        return CS_OK;
    CS_TRY(cs_hdf5_read_numbers(file, path, "duplicates", H5T_INTEGER, H5T_NATIVE_INT64, DUPLICATE_COUNTS, numbers));
    if (numbers[0] < 0)
        return CS_OK;
    *counts = (cs_duplicate_counts){.known = true,
                                    .sets = numbers[0],
                                    .images = numbers[1],
                                    .across_splits = numbers[2],
                                    .across_classes = numbers[3]};
    return CS_OK;
}

cs_status cs_meta_read(hid_t file, const char *path, cs_dataset_meta *meta) {
    *meta = (cs_dataset_meta){.filter = "none", .decode = "default"};
    char resize[CS_RESIZE_TEXT];
    CS_TRY(check_format(file, path));
    CS_TRY(cs_hdf5_read_numbers(file, path, "mean", H5T_FLOAT, H5T_NATIVE_DOUBLE, 3, meta->mean));
    CS_TRY(cs_hdf5_read_numbers(file, path, "std", H5T_FLOAT, H5T_NATIVE_DOUBLE, 3, meta->std));
    CS_TRY(cs_hdf5_read_numbers(file, path, "height", H5T_INTEGER, H5T_NATIVE_INT, 1, &meta->h));
    CS_TRY(cs_hdf5_read_numbers(file, path, "width", H5T_INTEGER, H5T_NATIVE_INT, 1, &meta->w));
    if (meta->h < 0 || meta->w < 0)
        return cs_fail(CS_ERR_FORMAT, "%s: images of %d x %d", path, meta->h, meta->w);
    CS_TRY(cs_hdf5_read_text(file, path, "resize", resize, sizeof resize));
    if (!cs_resize_parse(resize, &meta->resize))
        return cs_fail(CS_ERR_FORMAT, "%s: unknown resize rule \"%s\"", path, resize);
    if (H5Aexists(file, "filter") > 0)
        CS_TRY(cs_hdf5_read_text(file, path, "filter", meta->filter, sizeof meta->filter));
    if (H5Aexists(file, "decode") > 0)
        CS_TRY(cs_hdf5_read_text(file, path, "decode", meta->decode, sizeof meta->decode));
    CS_TRY(read_duplicates(file, path, &meta->duplicates));
    CS_TRY(cs_hdf5_read_text(file, path, "checksum", meta->checksum, sizeof meta->checksum));
    CS_TRY(cs_hdf5_read_texts(file, path, "classes", -1, &meta->n_classes, &meta->classes));
    CS_TRY(make_printable(meta->classes, meta->n_classes));
    CS_TRY(read_source_counts(file, path, meta));
    return read_source_classes(file, path, meta->n_classes, &meta->source_classes);
}

void cs_split_checksum(const cs_split_data splits[CS_SPLIT_COUNT], const uint64_t images[CS_SPLIT_COUNT],
                       char text[CS_CHECKSUM_TEXT]) {
    enum { COLUMNS = 6 };
    uint64_t sums[CS_SPLIT_COUNT * COLUMNS];
    size_t count = 0;
    for (int s = 0; s < CS_SPLIT_COUNT; s++) {
        const cs_split_data *split = &splits[s];
        size_t n = (size_t)split->n;
        sums[count++] = images[s];
        if (split->offset)
            sums[count++] = cs_checksum(split->offset, (n + 1) * sizeof *split->offset);
        sums[count++] = cs_checksum(split->label, n * sizeof *split->label);
        sums[count++] = cs_checksum(split->id.text, n * split->id.size);
        if (split->weight)
            sums[count++] = cs_checksum(split->weight, n * sizeof *split->weight);
        if (split->group.text)
            sums[count++] = cs_checksum(split->group.text, n * split->group.size);
    }
    snprintf(text, CS_CHECKSUM_TEXT, "%016llx", (unsigned long long)cs_checksum(sums, count * sizeof *sums));
}
