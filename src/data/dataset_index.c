/* SPDX-License-Identifier: Apache-2.0 */
/* index.json lists the shards of a folder in their order, with counts and checksums. */
#include "dataset_impl.h"

#include "cnnsweep/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cs_shard_name(char file[64], size_t number) {
    snprintf(file, 64, "shard-%05zu.h5", number);
}

static json_t *entry_to_json(const cs_shard_entry *entry) {
    return json_pack("{s:s, s:s, s:I, s:I, s:I}", "file", entry->file, "checksum", entry->checksum, "train",
                     (json_int_t)entry->counts[CS_SPLIT_TRAIN], "val", (json_int_t)entry->counts[CS_SPLIT_VAL], "test",
                     (json_int_t)entry->counts[CS_SPLIT_TEST]);
}

cs_status cs_json_write(const char *path, json_t *root) {
    char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
    cs_status status =
        text ? cs_file_write(path, text, strlen(text)) : cs_fail(CS_ERR_NO_MEMORY, "%s: no memory", path);
    free(text);
    json_decref(root);
    return status;
}

cs_status cs_index_write(const char *folder, const cs_shard_entry *entries, size_t n) {
    char path[CS_PATH_MAX];
    CS_TRY(cs_path(path, sizeof path, "%s/%s", folder, CS_DATASET_INDEX));
    json_t *shards = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(shards, entry_to_json(&entries[i]));
    json_t *root =
        json_pack("{s:s, s:i, s:o}", "format", CS_DATASET_FORMAT, "version", (int)CS_DATASET_VERSION, "shards", shards);
    return cs_json_write(path, root);
}

static cs_status entry_from_json(const char *path, json_t *value, cs_shard_entry *entry) {
    const char *file, *checksum;
    json_int_t train, val, test;
    json_error_t error;
    if (json_unpack_ex(value, &error, 0, "{s:s, s:s, s:I, s:I, s:I}", "file", &file, "checksum", &checksum, "train",
                       &train, "val", &val, "test", &test) != 0)
        return cs_fail(CS_ERR_FORMAT, "%s: shard entry: %s", path, error.text);
    if (strchr(file, '/') || strlen(file) >= sizeof entry->file || strlen(checksum) >= sizeof entry->checksum)
        return cs_fail(CS_ERR_FORMAT, "%s: bad shard entry \"%.80s\"", path, file);
    strcpy(entry->file, file);
    strcpy(entry->checksum, checksum);
    entry->counts[CS_SPLIT_TRAIN] = train;
    entry->counts[CS_SPLIT_VAL] = val;
    entry->counts[CS_SPLIT_TEST] = test;
    return CS_OK;
}

static cs_status parse_index(const char *path, json_t *root, cs_shard_entry **entries, size_t *n) {
    const char *format;
    int version;
    json_t *shards;
    json_error_t error;
    if (json_unpack_ex(root, &error, 0, "{s:s, s:i, s:o}", "format", &format, "version", &version, "shards", &shards) !=
        0)
        return cs_fail(CS_ERR_FORMAT, "%s: %s", path, error.text);
    if (strcmp(format, CS_DATASET_FORMAT) != 0 || version != CS_DATASET_VERSION || json_array_size(shards) == 0)
        return cs_fail(CS_ERR_FORMAT, "%s: format \"%s\" version %d with %zu shards; wanted \"%s\" version %d", path,
                       format, version, json_array_size(shards), CS_DATASET_FORMAT, CS_DATASET_VERSION);
    *n = json_array_size(shards);
    CS_TRY(cs_alloc(*n, sizeof **entries, "shard list", entries));
    for (size_t i = 0; i < *n; i++)
        CS_TRY(entry_from_json(path, json_array_get(shards, i), &(*entries)[i]));
    return CS_OK;
}

cs_status cs_index_read(const char *folder, cs_shard_entry **entries, size_t *n) {
    enum { LIMIT = 1 << 26 };
    char path[CS_PATH_MAX], *text = NULL;
    size_t size = 0;
    CS_TRY(cs_path(path, sizeof path, "%s/%s", folder, CS_DATASET_INDEX));
    if (!cs_file_exists(path))
        return cs_hint(cs_fail(CS_ERR_NOT_FOUND, "%s: no %s there", folder, CS_DATASET_INDEX),
                       "a folder of images is packed first: cnnsweep-pack SRC OUT");
    CS_TRY(cs_file_read(path, LIMIT, &text, &size));
    json_error_t error;
    json_t *root = json_loadb(text, size, 0, &error);
    free(text);
    if (!root)
        return cs_fail(CS_ERR_FORMAT, "%s:%d:%d: %s", path, error.line, error.column, error.text);
    *entries = NULL;
    cs_status status = parse_index(path, root, entries, n);
    json_decref(root);
    if (status != CS_OK) {
        free(*entries);
        *entries = NULL;
    }
    return status;
}
