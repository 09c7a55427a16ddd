/* SPDX-License-Identifier: Apache-2.0 */
/* Datasets that several processes write, one part each, and the joining of the parts into one dataset. */
#include "dataset_impl.h"

#include "cnnsweep/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_SUFFIX ".parts"
#define PART_FILE    "part.json"

void cs_pixel_mean_std(const cs_pixel_sums *sums, double mean[3], double std[3]) {
    double n = (double)sums->pixels;
    for (int c = 0; c < 3; c++) {
        mean[c] = (double)sums->sum[c] / n;
        std[c] = sqrt(fmax(0, (double)sums->square[c] / n - mean[c] * mean[c]));
    }
}

cs_status cs_dataset_part_path(const char *path, int index, char *out, size_t size) {
    return cs_path(out, size, "%s" PARTS_SUFFIX "/part-%05d", path, index);
}

cs_status cs_dataset_parts_folder(const char *path, char *out, size_t size) {
    return cs_path(out, size, "%s" PARTS_SUFFIX, path);
}

/* 64-bit numbers are written as strings, because JSON integers are signed. */
static json_t *number(uint64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    return json_string(text);
}

cs_status cs_part_write(const char *folder, const cs_dataset_part *part) {
    const cs_pixel_sums *sums = &part->sums;
    char path[CS_PATH_MAX];
    CS_TRY(cs_path(path, sizeof path, "%s/%s", folder, PART_FILE));
    json_t *root = json_pack("{s:i, s:i, s:o, s:o, s:[ooo], s:[ooo]}", "part", part->index, "of", part->count, "source",
                             number(part->source), "pixels", number(sums->pixels), "sum", number(sums->sum[0]),
                             number(sums->sum[1]), number(sums->sum[2]), "square", number(sums->square[0]),
                             number(sums->square[1]), number(sums->square[2]));
    return cs_json_write(path, root);
}

static cs_status parse_part(const char *path, json_t *root, cs_dataset_part *part) {
    const char *text[8];
    uint64_t value[8];
    json_error_t error;
    if (json_unpack_ex(root, &error, 0, "{s:i, s:i, s:s, s:s, s:[sss], s:[sss]}", "part", &part->index, "of",
                       &part->count, "source", &text[0], "pixels", &text[1], "sum", &text[2], &text[3], &text[4],
                       "square", &text[5], &text[6], &text[7]) != 0)
        return cs_fail(CS_ERR_FORMAT, "%s: %s", path, error.text);
    if (part->index < 0 || part->index >= part->count)
        return cs_fail(CS_ERR_FORMAT, "%s: part %d of %d", path, part->index, part->count);
    for (int i = 0; i < 8; i++) {
        char *end;
        value[i] = strtoull(text[i], &end, 10);
        if (end == text[i] || *end)
            return cs_fail(CS_ERR_FORMAT, "%s: \"%.40s\" is no number", path, text[i]);
    }
    part->source = value[0];
    part->sums.pixels = value[1];
    memcpy(part->sums.sum, value + 2, sizeof part->sums.sum);
    memcpy(part->sums.square, value + 5, sizeof part->sums.square);
    return CS_OK;
}

cs_status cs_dataset_read_part(const char *part_path, cs_dataset_part *part) {
    enum { LIMIT = 1 << 16 };
    char path[CS_PATH_MAX], *text = NULL;
    size_t size = 0;
    json_error_t error;
    CS_TRY(cs_path(path, sizeof path, "%s/%s", part_path, PART_FILE));
    if (!cs_file_exists(path))
        return cs_fail(CS_ERR_NOT_FOUND, "%s: this part does not exist", part_path);
    CS_TRY(cs_file_read(path, LIMIT, &text, &size));
    json_t *root = json_loadb(text, size, 0, &error);
    free(text);
    if (!root)
        return cs_fail(CS_ERR_FORMAT, "%s:%d:%d: %s", path, error.line, error.column, error.text);
    cs_status status = parse_part(path, root, part);
    json_decref(root);
    return status;
}

/* The dataset that is being joined. */
typedef struct joining {
    char parts[CS_PATH_MAX], whole[CS_PATH_MAX]; /* folders */
    int count;
    cs_pixel_sums sums;
    double mean[3], std[3];
    cs_shard_entry *shards;
    size_t n, capacity;
} joining;

/* Checks that all parts exist and belong to one dataset, and adds up their sums. */
static cs_status check_parts(const char *path, joining *join) {
    cs_dataset_part first = {0}, part = {0};
    join->count = 1;
    for (int i = 0; i < join->count; i++) {
        char folder[CS_PATH_MAX];
        CS_TRY(cs_dataset_part_path(path, i, folder, sizeof folder));
        cs_status status = cs_dataset_read_part(folder, &part);
        if (status == CS_ERR_NOT_FOUND)
            return cs_hint(status, "pack it with --part %d/N", i);
        CS_TRY(status);
        if (i == 0)
            first = part;
        if (part.index != i || part.count != first.count || part.source != first.source)
            return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: part %d of %d, of other images or options than the first part",
                                   folder, part.index, part.count),
                           "remove %s and pack all parts again", join->parts);
        join->count = part.count;
        join->sums.pixels += part.sums.pixels;
        for (int c = 0; c < 3; c++) {
            join->sums.sum[c] += part.sums.sum[c];
            join->sums.square[c] += part.sums.square[c];
        }
    }
    cs_pixel_mean_std(&join->sums, join->mean, join->std);
    return CS_OK;
}

/* Writes the statistics of the whole dataset into a shard and moves the shard to its final number. A shard that was
 * moved before an interruption has them already. */
static cs_status take_shard(joining *join, const char *folder, const cs_shard_entry *entry) {
    char from[CS_PATH_MAX], to[CS_PATH_MAX];
    CS_TRY(cs_grow(&join->shards, &join->capacity, join->n + 1, sizeof *join->shards, "shards"));
    cs_shard_entry *taken = &join->shards[join->n];
    *taken = *entry;
    cs_shard_name(taken->file, join->n);
    CS_TRY(cs_path(from, sizeof from, "%s/%s", folder, entry->file));
    CS_TRY(cs_path(to, sizeof to, "%s/%s", join->whole, taken->file));
    join->n++;
    if (!cs_file_exists(from) && cs_file_exists(to))
        return CS_OK;
    CS_TRY(cs_shard_set_mean_std(from, join->mean, join->std));
    return cs_file_move(from, to);
}

static cs_status take_part(joining *join, const char *path, int index) {
    char folder[CS_PATH_MAX];
    cs_shard_entry *entries = NULL;
    size_t n = 0;
    CS_TRY(cs_dataset_part_path(path, index, folder, sizeof folder));
    CS_TRY(cs_index_read(folder, &entries, &n));
    cs_status status = CS_OK;
    for (size_t i = 0; i < n && status == CS_OK; i++) {
        const int64_t *counts = entries[i].counts;
        /* A part is empty if there are more parts than shards. */
        if (counts[CS_SPLIT_TRAIN] + counts[CS_SPLIT_VAL] + counts[CS_SPLIT_TEST] > 0)
            status = take_shard(join, folder, &entries[i]);
    }
    free(entries);
    return status;
}

static cs_status join_parts(const char *path, joining *join) {
    if (cs_file_exists(path))
        return cs_hint(cs_fail(CS_ERR_ARG, "%s: already exists", path), "remove it first, or choose another name");
    CS_TRY(cs_dataset_parts_folder(path, join->parts, sizeof join->parts));
    CS_TRY(cs_path(join->whole, sizeof join->whole, "%s/whole", join->parts));
    CS_TRY(check_parts(path, join));
    CS_TRY(cs_folder_create(join->whole));
    for (int i = 0; i < join->count; i++)
        CS_TRY(take_part(join, path, i));
    CS_TRY(cs_index_write(join->whole, join->shards, join->n));
    CS_TRY(cs_file_sync(join->whole));
    CS_TRY(cs_file_move(join->whole, path));
    return cs_remove_all(join->parts);
}

cs_status cs_dataset_join(const char *path) {
    char name[CS_PATH_MAX];
    cs_file_lock *lock = NULL;
    joining join = {0};
    CS_TRY(cs_path(name, sizeof name, "%s" PARTS_SUFFIX ".lock", path));
    CS_TRY(cs_file_lock_try(name, &lock));
    if (!lock)
        return cs_fail(CS_ERR_ARG, "%s: another process is joining its parts", path);
    cs_status status = join_parts(path, &join);
    cs_file_lock_release(lock);
    free(join.shards);
    return status;
}

cs_status cs_dataset_count_duplicates(const char *path, const cs_duplicate_counts *counts) {
    cs_shard_entry *entries = NULL;
    size_t n = 0;
    CS_TRY(cs_index_read(path, &entries, &n));
    cs_status status = CS_OK;
    for (size_t i = 0; i < n && status == CS_OK; i++) {
        char shard[CS_PATH_MAX];
        status = cs_path(shard, sizeof shard, "%s/%s", path, entries[i].file);
        if (status == CS_OK)
            status = cs_shard_set_duplicates(shard, counts);
    }
    free(entries);
    return status;
}
