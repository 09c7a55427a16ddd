/* SPDX-License-Identifier: Apache-2.0 */
/* A source that is a packed dataset, to pack some of its classes, other groups of them or images of another size, when
 * the images themselves are not at hand. Ids, splits, groups, weights and repeats stay as they are. */
#include "source.h"

#include "cnnsweep/memory.h"

#include <stdio.h>
#include <string.h>

/* A file of HDF5, or a folder of shards. */
static bool recognises(const char *path) {
    static const char signature[8] = "\x89HDF\r\n\x1a\n";
    char shard[CS_PATH_MAX], first[sizeof signature];
    if (cs_is_folder(path))
        return cs_path(shard, sizeof shard, "%s/index.json", path) == CS_OK && cs_file_exists(shard) &&
               cs_path(shard, sizeof shard, "%s/shard-00000.h5", path) == CS_OK && cs_file_exists(shard);
    FILE *file = fopen(path, "rb");
    const bool read = file && fread(first, sizeof first, 1, file) == 1;
    if (file)
        fclose(file);
    return read && memcmp(first, signature, sizeof first) == 0;
}

static void close_dataset(void *state) {
    cs_dataset_close(state);
}

/* Adds the classes, how many images they had, and what became of those of its own source. */
static cs_status add_classes(const cs_dataset *dataset, pack_list *list) {
    const cs_source_classes *from = cs_dataset_source_classes(dataset);
    cs_source_classes *to = &list->source_classes;
    for (int i = 0; i < cs_dataset_class_count(dataset); i++)
        CS_TRY(pack_list_add_class(list, cs_dataset_class(dataset, i)));
    if (cs_dataset_source_counts(dataset)) {
        CS_TRY(cs_alloc((size_t)list->n_classes, sizeof *list->source_counts, "classes", &list->source_counts));
        memcpy(list->source_counts, cs_dataset_source_counts(dataset),
               (size_t)list->n_classes * sizeof *list->source_counts);
    }
    if (from->n == 0)
        return CS_OK;
    CS_TRY(cs_alloc((size_t)from->n, sizeof *to->names, "classes", &to->names));
    CS_TRY(cs_alloc((size_t)from->n, sizeof *to->labels, "classes", &to->labels));
    memcpy(to->labels, from->labels, (size_t)from->n * sizeof *to->labels);
    for (; to->n < from->n; to->n++)
        CS_TRY(cs_strdup(from->names[to->n], &to->names[to->n]));
    return CS_OK;
}

static cs_status add_split(const cs_dataset *dataset, cs_split split, uint64_t stamp, pack_list *list) {
    const int64_t n = cs_dataset_count(dataset, split);
    list->split[split] = n > 0 || split == CS_SPLIT_TRAIN;
    for (int64_t i = 0; i < n; i++) {
        if (cs_dataset_is_repeat(dataset, split, i)) {
            list->samples[list->n - 1].source_repeats++;
            list->samples[list->n - 1].repeats++;
            continue;
        }
        const pack_sample sample = {.id = (char *)cs_dataset_id(dataset, split, i),
                                    .group = list->grouped ? (char *)cs_dataset_group(dataset, split, i) : NULL,
                                    .label = cs_dataset_label(dataset, split, i),
                                    .source_split = split,
                                    .at = (uint64_t)i,
                                    .stamp = stamp,
                                    .source_weight = cs_dataset_weight(dataset, split, i)};
        CS_TRY(pack_list_add(list, &sample));
    }
    return CS_OK;
}

static cs_status scan(pack_input *input, pack_list *list) {
    cs_dataset *dataset = NULL;
    CS_TRY(cs_dataset_open(input->path, &dataset));
    input->state = dataset;
    const uint64_t stamp = cs_dataset_checksum(dataset);
    list->weighted = cs_dataset_has_weights(dataset);
    list->grouped = cs_dataset_has_groups(dataset);
    list->filter = cs_dataset_filter(dataset);
    if (cs_dataset_encoding(dataset) == CS_ENCODING_RAW)
        list->decode = cs_dataset_decode(dataset);
    CS_TRY(add_classes(dataset, list));
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        CS_TRY(add_split(dataset, (cs_split)s, stamp, list));
    return CS_OK;
}

static cs_status read_sample(const pack_input *input, const pack_sample *sample, pack_content *out) {
    const cs_dataset *dataset = input->state;
    int h, w;
    (void)snprintf(out->name, sizeof out->name, "%s: %s", input->path, sample->id);
    const uint8_t *bytes = cs_dataset_bytes(dataset, sample->source_split, (int64_t)sample->at, &out->size);
    out->is_pixels = cs_dataset_encoding(dataset) == CS_ENCODING_RAW;
    if (out->is_pixels) {
        cs_dataset_image_size(dataset, &h, &w);
        CS_TRY(cs_image_reserve(&out->pixels, h, w));
        memcpy(out->pixels.pixels, bytes, out->size);
        out->size = 0; /* of out->bytes */
        return CS_OK;
    }
    CS_TRY(cs_grow(&out->bytes, &out->capacity, out->size, 1, "image file"));
    memcpy(out->bytes, bytes, out->size);
    return CS_OK;
}

extern const pack_source pack_packed_source;
const pack_source pack_packed_source = {
    .name = "dataset",
    .help = "is a dataset, to choose classes or sizes again",
    .unit = "split",
    .hint = "a dataset of at least two classes",
    .recognises = recognises,
    .scan = scan,
    .read = read_sample,
    .close = close_dataset,
};
