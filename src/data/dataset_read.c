/* SPDX-License-Identifier: Apache-2.0 */
/* A dataset is a list of mapped shards; a sample is found by the number of samples in the shards before it. A view of a
 * dataset has its shards, but says of each sample of a split where it is stored. */
#include "dataset_impl.h"

#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cs_dataset {
    char path[CS_PATH_MAX];
    cs_shard *shards;
    size_t n_shards;
    int64_t (*first)[CS_SPLIT_COUNT]; /* [n_shards+1] samples of each split in all earlier shards */
    const cs_dataset *stored;         /* NULL: it is no view, and owns the shards */
    cs_dataset_view view;
};

static cs_status fail_other_shard(const cs_shard *shard, const char *what) {
    return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: %s differ from those of the other shards", shard->path, what),
                   "shards of two datasets are mixed: pack the images again");
}

/* Checks that all shards belong to one dataset. */
static cs_status check_same(const cs_shard *first, const cs_shard *shard) {
    const cs_dataset_meta *a = &first->meta, *b = &shard->meta;
    bool same_classes = a->n_classes == b->n_classes;
    for (int i = 0; same_classes && i < a->n_classes; i++)
        same_classes = strcmp(a->classes[i], b->classes[i]) == 0;
    if (!same_classes)
        return fail_other_shard(shard, "classes");
    if (a->h != b->h || a->w != b->w || a->resize.interpolation != b->resize.interpolation ||
        a->resize.aspect != b->resize.aspect || strcmp(a->filter, b->filter) != 0 || strcmp(a->decode, b->decode) != 0)
        return fail_other_shard(shard, "size, resize rule, filter or rules of decoding");
    if (!first->splits[0].offset != !shard->splits[0].offset)
        return fail_other_shard(shard, "encodings");
    if (!first->splits[0].weight != !shard->splits[0].weight)
        return fail_other_shard(shard, "weights");
    if (!first->splits[0].group.text != !shard->splits[0].group.text)
        return fail_other_shard(shard, "groups");
    for (int c = 0; c < 3; c++)
        if (a->mean[c] != b->mean[c] || a->std[c] != b->std[c])
            return fail_other_shard(shard, "mean or std");
    return CS_OK;
}

static cs_status open_shard(cs_dataset *dataset, const char *path, bool verify, const cs_shard_entry *entry) {
    cs_shard *shard = &dataset->shards[dataset->n_shards];
    CS_TRY(cs_shard_open(path, verify, shard));
    size_t i = dataset->n_shards++;
    for (int s = 0; s < CS_SPLIT_COUNT; s++) {
        dataset->first[i + 1][s] = dataset->first[i][s] + shard->splits[s].n;
        if (entry && (entry->counts[s] != shard->splits[s].n || strcmp(entry->checksum, shard->meta.checksum) != 0))
            return cs_fail(CS_ERR_FORMAT, "%s: not the shard that %s lists", path, CS_DATASET_INDEX);
    }
    return check_same(&dataset->shards[0], shard);
}

static cs_status open_shards(cs_dataset *dataset, bool verify, const cs_shard_entry *entries, size_t n) {
    CS_TRY(cs_alloc(n, sizeof *dataset->shards, "shards", &dataset->shards));
    CS_TRY(cs_alloc(n + 1, sizeof *dataset->first, "shards", &dataset->first));
    for (size_t i = 0; i < n; i++) {
        char path[CS_PATH_MAX];
        if (entries)
            CS_TRY(cs_path(path, sizeof path, "%s/%s", dataset->path, entries[i].file));
        else
            CS_TRY(cs_path(path, sizeof path, "%s", dataset->path));
        CS_TRY(open_shard(dataset, path, verify, entries ? &entries[i] : NULL));
    }
    return CS_OK;
}

cs_status cs_dataset_open(const char *path, cs_dataset **out) {
    const char *trust = getenv("CNNSWEEP_TRUST_SHARDS");
    bool verify = !trust || strcmp(trust, "1") != 0;
    if (!cs_file_exists(path))
        return cs_hint(cs_fail(CS_ERR_NOT_FOUND, "%s: no such dataset", path), "cnnsweep-pack SRC %s makes it", path);
    cs_dataset *dataset = NULL;
    cs_shard_entry *entries = NULL;
    size_t n = 1;
    CS_TRY(cs_alloc(1, sizeof *dataset, "dataset", &dataset));
    cs_status status = cs_path(dataset->path, sizeof dataset->path, "%s", path);
    if (status == CS_OK && cs_is_folder(path))
        status = cs_index_read(path, &entries, &n);
    if (status == CS_OK)
        status = open_shards(dataset, verify, entries, n);
    free(entries);
    if (status != CS_OK) {
        cs_dataset_close(dataset);
        return status;
    }
    *out = dataset;
    return CS_OK;
}

void cs_dataset_close(cs_dataset *dataset) {
    if (!dataset)
        return;
    for (size_t i = 0; i < dataset->n_shards && !dataset->stored; i++)
        cs_shard_close(&dataset->shards[i]);
    if (!dataset->stored) {
        free(dataset->shards);
        free(dataset->first);
    }
    cs_dataset_view_clear(&dataset->view);
    free(dataset);
}

void cs_dataset_view_clear(cs_dataset_view *view) {
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        free(view->places[s]);
    *view = (cs_dataset_view){0};
}

cs_status cs_dataset_open_view(const cs_dataset *stored, const cs_dataset_view *view, cs_dataset **out) {
    cs_dataset_view own = *view;
    cs_status status = cs_alloc(1, sizeof **out, "dataset", out);
    if (status != CS_OK) {
        cs_dataset_view_clear(&own);
        return status;
    }
    **out = *stored;
    (*out)->stored = stored;
    (*out)->view = own;
    return CS_OK;
}

const cs_dataset *cs_dataset_stored(const cs_dataset *dataset) {
    return dataset->stored ? dataset->stored : dataset;
}

void cs_dataset_place(const cs_dataset *dataset, cs_split *split, int64_t *i) {
    const cs_sample_place *places = dataset->view.places[*split];
    if (!places)
        return;
    *split = places[*i].split;
    *i = places[*i].i;
}

const char *cs_dataset_path(const cs_dataset *dataset) {
    return dataset->path;
}

int cs_dataset_shard_count(const cs_dataset *dataset) {
    return (int)dataset->n_shards;
}

int64_t cs_dataset_shard_bytes(const cs_dataset *dataset) {
    size_t most = 0;
    for (size_t i = 0; i < dataset->n_shards; i++) {
        size_t bytes = 0;
        for (int s = 0; s < CS_SPLIT_COUNT; s++)
            bytes += dataset->shards[i].splits[s].image_bytes;
        most = bytes > most ? bytes : most;
    }
    return (int64_t)most;
}

int cs_dataset_class_count(const cs_dataset *dataset) {
    return dataset->shards[0].meta.n_classes;
}

const char *cs_dataset_class(const cs_dataset *dataset, int class_index) {
    return dataset->shards[0].meta.classes[class_index];
}

const cs_source_classes *cs_dataset_source_classes(const cs_dataset *dataset) {
    return &dataset->shards[0].meta.source_classes;
}

const int64_t *cs_dataset_source_counts(const cs_dataset *dataset) {
    return dataset->shards[0].meta.source_counts;
}

cs_encoding cs_dataset_encoding(const cs_dataset *dataset) {
    return dataset->shards[0].splits[0].offset ? CS_ENCODING_JPEG : CS_ENCODING_RAW;
}

cs_resize cs_dataset_resize(const cs_dataset *dataset) {
    return dataset->shards[0].meta.resize;
}

const char *cs_dataset_filter(const cs_dataset *dataset) {
    return dataset->shards[0].meta.filter;
}

const char *cs_dataset_decode(const cs_dataset *dataset) {
    return dataset->shards[0].meta.decode;
}

void cs_dataset_image_size(const cs_dataset *dataset, int *h, int *w) {
    *h = dataset->shards[0].meta.h;
    *w = dataset->shards[0].meta.w;
}

cs_duplicate_counts cs_dataset_duplicates(const cs_dataset *dataset) {
    return dataset->shards[0].meta.duplicates;
}

void cs_dataset_mean_std(const cs_dataset *dataset, double mean[3], double std[3]) {
    memcpy(mean, dataset->shards[0].meta.mean, 3 * sizeof *mean);
    memcpy(std, dataset->shards[0].meta.std, 3 * sizeof *std);
}

void cs_dataset_warn_if_black(const cs_dataset *dataset) {
    const double most_mean = 1, most_std = 0.5; /* of values that are all 0 or 1 */
    double mean[3], std[3], highest_mean = 0, highest_std = 0;
    cs_dataset_mean_std(dataset, mean, std);
    for (int c = 0; c < 3; c++) {
        highest_mean = mean[c] > highest_mean ? mean[c] : highest_mean;
        highest_std = std[c] > highest_std ? std[c] : highest_std;
    }
    if (cs_dataset_count(dataset, CS_SPLIT_TRAIN) > 0 && highest_mean <= most_mean && highest_std <= most_std)
        cs_log(CS_LOG_WARN,
               "the training images of %s are nearly black (mean %.3g, std %.3g of 255): were values in 0..1 stored as "
               "bytes? Pack images with values 0..255",
               dataset->path, highest_mean, highest_std);
}

/* The shards' checksums cover their arrays only. So the number of classes and the image size, by which networks are
 * built, and the resize rule for stored JPEGs are added to them. */
uint64_t cs_dataset_checksum(const cs_dataset *dataset) {
    const cs_dataset_meta *meta = &dataset->shards[0].meta;
    if (dataset->view.key != 0)
        return dataset->view.key;
    /* one number, so that the checksums of datasets that were packed before there was a fit are what they were */
    const int32_t resize = (int32_t)meta->resize.interpolation + ((int32_t)meta->resize.aspect << 8);
    const int32_t shape[] = {meta->h, meta->w, meta->n_classes, resize};
    uint64_t sum = cs_checksum(shape, sizeof shape);
    for (size_t i = 0; i < dataset->n_shards; i++) {
        char text[2 * CS_CHECKSUM_TEXT];
        int length =
            snprintf(text, sizeof text, "%016llx%s", (unsigned long long)sum, dataset->shards[i].meta.checksum);
        sum = cs_checksum(text, (size_t)length);
    }
    return sum;
}

int64_t cs_dataset_count(const cs_dataset *dataset, cs_split split) {
    if (dataset->view.places[split])
        return dataset->view.counts[split];
    return dataset->first[dataset->n_shards][split];
}

/* Finds the shard with sample *i of the split and returns the shard's data of that split; *i becomes the index in
 * it. */
static const cs_split_data *locate(const cs_dataset *dataset, cs_split split, int64_t *i) {
    size_t low = 0, high = dataset->n_shards;
    cs_dataset_place(dataset, &split, i);
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (dataset->first[middle][split] <= *i)
            low = middle;
        else
            high = middle;
    }
    *i -= dataset->first[low][split];
    return &dataset->shards[low].splits[split];
}

int32_t cs_dataset_label(const cs_dataset *dataset, cs_split split, int64_t i) {
    const cs_split_data *data = locate(dataset, split, &i);
    return data->label[i];
}

bool cs_dataset_has_weights(const cs_dataset *dataset) {
    return dataset->shards[0].splits[0].weight != NULL;
}

float cs_dataset_weight(const cs_dataset *dataset, cs_split split, int64_t i) {
    const cs_split_data *data = locate(dataset, split, &i);
    return data->weight ? data->weight[i] : 1;
}

const char *cs_dataset_id(const cs_dataset *dataset, cs_split split, int64_t i) {
    const cs_split_data *data = locate(dataset, split, &i);
    return data->id.text + (size_t)i * data->id.size;
}

bool cs_dataset_has_groups(const cs_dataset *dataset) {
    return dataset->shards[0].splits[0].group.text != NULL;
}

const char *cs_dataset_group(const cs_dataset *dataset, cs_split split, int64_t i) {
    const cs_split_data *data = locate(dataset, split, &i);
    return data->group.text ? data->group.text + (size_t)i * data->group.size : "";
}

const uint8_t *cs_dataset_bytes(const cs_dataset *dataset, cs_split split, int64_t i, size_t *size) {
    const cs_split_data *data = locate(dataset, split, &i);
    if (data->offset) {
        *size = (size_t)(data->offset[i + 1] - data->offset[i]);
        return data->images + data->offset[i];
    }
    *size = data->image_bytes / (size_t)data->n;
    return data->images + (size_t)i * *size;
}

bool cs_dataset_is_repeat(const cs_dataset *dataset, cs_split split, int64_t i) {
    size_t size[2];
    if (i == 0 || strcmp(cs_dataset_id(dataset, split, i - 1), cs_dataset_id(dataset, split, i)) != 0 ||
        cs_dataset_label(dataset, split, i - 1) != cs_dataset_label(dataset, split, i))
        return false;
    const uint8_t *before = cs_dataset_bytes(dataset, split, i - 1, &size[0]);
    const uint8_t *bytes = cs_dataset_bytes(dataset, split, i, &size[1]);
    return size[0] == size[1] && memcmp(before, bytes, size[0]) == 0;
}
