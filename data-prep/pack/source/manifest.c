/* SPDX-License-Identifier: Apache-2.0 */
/* A source that is a table of image files (a manifest): a CSV or TSV file with a row for each image, which names its
 * file and its class, and may name its split, its group and its weight. A folder with a metadata.csv or
 * metadata.jsonl whose column file_name names the files beside it (as the image folders of Hugging Face have) is such a
 * source, too; its splits may be folders with such a file each. */
#include "source.h"

#include "cnnsweep/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* What the columns of a table are; -1: there is none. */
typedef struct manifest_columns {
    int file, label, split, group, weight;
} manifest_columns;

/* A table whose rows are being read. */
typedef struct manifest {
    pack_csv *table;
    manifest_columns columns;
    const char *root;   /* the folder that ids begin at */
    const char *prefix; /* of the ids: from `root` to the folder that the paths of the table begin at */
    cs_split split;     /* of a table without a column of splits */
    const char *ending; /* that was last added to a path, or "" */
    size_t missing;     /* files that do not exist */
} manifest;

static bool names_files(const char *path) {
    pack_csv *table = NULL;
    if (!cs_file_exists(path) || pack_csv_open(path, &table) != CS_OK)
        return false;
    const bool named = pack_csv_column(table, "file_name") >= 0;
    pack_csv_close(table);
    return named;
}

/* Whether the folder has a table in the form of Hugging Face, whose path becomes `path`. */
static bool has_metadata(const char *folder, char path[CS_PATH_MAX]) {
    static const char *const names[] = {"metadata.csv", "metadata.jsonl"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (cs_path(path, CS_PATH_MAX, "%s/%s", folder, names[i]) == CS_OK && names_files(path))
            return true;
    return false;
}

/* The folder of a split below `path` that has such a table, or NULL; `table` becomes the path of the table. */
static const char *split_folder(const char *path, cs_split split, char table[CS_PATH_MAX]) {
    static const char *const names[] = {"train", "training", "val", "valid", "validation", "test", "testing"};
    char folder[CS_PATH_MAX];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (pack_split_by_name(names[i]) == split && cs_path(folder, sizeof folder, "%s/%s", path, names[i]) == CS_OK &&
            has_metadata(folder, table))
            return names[i];
    return NULL;
}

static bool recognises(const char *path) {
    static const char *const endings[] = {".csv", ".tsv", ".txt", ".jsonl", ".ndjson"};
    char table[CS_PATH_MAX];
    if (cs_is_folder(path))
        return has_metadata(path, table) || split_folder(path, CS_SPLIT_TRAIN, table);
    const char *ending = strrchr(path, '.');
    for (size_t i = 0; ending && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(ending, endings[i]) == 0)
            return cs_file_exists(path);
    return false;
}

static cs_status find_columns(const pack_input *input, const pack_csv *table, manifest_columns *columns) {
    const struct {
        pack_source_option option;
        bool needed;
        int *column;
    } wanted[] = {
        {PACK_FILE_COLUMN, true, &columns->file},      {PACK_LABEL_COLUMN, true, &columns->label},
        {PACK_SPLIT_COLUMN, false, &columns->split},   {PACK_GROUP_COLUMN, false, &columns->group},
        {PACK_WEIGHT_COLUMN, false, &columns->weight},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        CS_TRY(pack_find_column(table, wanted[i].option, input->options[wanted[i].option], wanted[i].needed,
                                wanted[i].column));
    return CS_OK;
}

/* The path of a file by its id, which is below `root` or absolute. */
static cs_status full_path(const char *root, const char *id, char out[CS_PATH_MAX]) {
    return *id == '/' ? cs_path(out, CS_PATH_MAX, "%s", id) : cs_path(out, CS_PATH_MAX, "%s/%s", root, id);
}

/* Whether the file `id` with `ending` exists; then its id is `found`, and its stamp is set. */
static cs_status try_file(const manifest *from, const char *id, const char *ending, char found[CS_PATH_MAX],
                          uint64_t *stamp) {
    char path[CS_PATH_MAX];
    struct stat info;
    CS_TRY(cs_path(found, CS_PATH_MAX, "%s%s", id, ending));
    CS_TRY(full_path(from->root, found, path));
    *stamp = 0;
    if (stat(path, &info) == 0) {
        const int64_t seen[] = {info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
        *stamp = cs_checksum(seen, sizeof seen) | 1; /* 0 is for files that do not exist */
    }
    return CS_OK;
}

/* Finds the file that the row names. Tables often leave out the endings of the files; the one that the last file had is
 * tried first. A file that does not exist keeps its name and the stamp 0. */
static cs_status find_file(manifest *from, char found[CS_PATH_MAX], uint64_t *stamp) {
    static const char *const endings[] = {".jpg", ".jpeg", ".png",  ".JPG", ".JPEG", ".PNG", ".bmp",
                                          ".tif", ".tiff", ".webp", ".gif", ".ppm",  ".pgm"};
    const char *name = pack_csv_field(from->table, from->columns.file);
    char id[CS_PATH_MAX];
    CS_TRY(cs_path(id, sizeof id, "%s%s", *name == '/' ? "" : from->prefix, name));
    CS_TRY(try_file(from, id, "", found, stamp));
    if (*stamp == 0 && strchr(id, '\\')) { /* as Windows writes paths */
        for (char *at = id; (at = strchr(at, '\\'));)
            *at = '/';
        CS_TRY(try_file(from, id, "", found, stamp));
    }
    if (*stamp == 0 && *from->ending)
        CS_TRY(try_file(from, id, from->ending, found, stamp));
    for (size_t i = 0; *stamp == 0 && i < sizeof endings / sizeof *endings; i++) {
        CS_TRY(try_file(from, id, endings[i], found, stamp));
        if (*stamp != 0)
            from->ending = endings[i];
    }
    return *stamp == 0 ? cs_path(found, CS_PATH_MAX, "%s", id) : CS_OK;
}

static cs_status read_split(const manifest *from, cs_split *split) {
    *split = from->split;
    if (from->columns.split < 0)
        return CS_OK;
    const char *text = pack_csv_field(from->table, from->columns.split);
    *split = pack_split_by_name(text);
    if (*split < CS_SPLIT_COUNT)
        return CS_OK;
    return cs_hint(
        pack_csv_context(from->table, from->columns.split, cs_fail(CS_ERR_FORMAT, "the split is '%s'", text)),
        "a split is train, val or test; --split-column names another column");
}

static cs_status add_row(manifest *from, pack_list *list) {
    const manifest_columns *columns = &from->columns;
    const char *label = pack_csv_field(from->table, columns->label);
    char id[CS_PATH_MAX];
    pack_sample sample = {.id = id, .at = (uint64_t)pack_csv_line(from->table), .source_weight = 1};
    if (!*pack_csv_field(from->table, columns->file))
        return pack_csv_context(from->table, columns->file, cs_fail(CS_ERR_FORMAT, "the path is empty"));
    if (!*label)
        return cs_hint(pack_csv_context(from->table, columns->label, cs_fail(CS_ERR_FORMAT, "the class is empty")),
                       "remove rows of images that have no class");
    const cs_status status = find_file(from, id, &sample.stamp);
    if (status != CS_OK)
        return pack_csv_context(from->table, columns->file, status);
    if (columns->group >= 0)
        sample.group = (char *)pack_csv_field(from->table, columns->group);
    CS_TRY(read_split(from, &sample.source_split));
    if (columns->weight >= 0)
        CS_TRY(pack_read_weight(from->table, columns->weight, &sample.source_weight));
    CS_TRY(pack_list_label(list, label, &sample.label));
    from->missing += sample.stamp == 0;
    list->split[sample.source_split] = list->split[sample.source_split] || columns->split >= 0;
    return pack_list_add(list, &sample);
}

/* If no image exists at all, the paths begin at another folder. */
static cs_status check_missing(const manifest *from, const pack_list *list, size_t first) {
    const size_t n = list->n - first;
    if (n == 0 || from->missing < n)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_NOT_FOUND, "%s: none of its %zu images exists in %s, such as %s",
                           pack_csv_path(from->table), n, from->root, list->samples[first].id),
                   "--root names the folder at which the paths begin");
}

static void say_columns(const manifest *from) {
    const struct {
        const char *what;
        int column;
    } used[] = {{"files", from->columns.file},
                {", classes", from->columns.label},
                {", splits", from->columns.split},
                {", groups", from->columns.group},
                {", weights", from->columns.weight}};
    char text[512];
    size_t n = 0;
    for (size_t i = 0; i < sizeof used / sizeof *used && n < sizeof text; i++)
        if (used[i].column >= 0)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s from '%s'", used[i].what,
                                  pack_csv_column_name(from->table, used[i].column));
    cs_log(CS_LOG_INFO, "%s: %s", pack_csv_path(from->table), text);
}

static cs_status read_rows(const pack_input *input, manifest *from, pack_list *list) {
    const size_t first = list->n;
    bool more = true;
    CS_TRY(find_columns(input, from->table, &from->columns));
    say_columns(from);
    list->grouped = list->grouped || from->columns.group >= 0;
    list->weighted = list->weighted || from->columns.weight >= 0;
    for (;;) {
        CS_TRY(pack_csv_next(from->table, &more));
        if (!more)
            return check_missing(from, list, first);
        CS_TRY(add_row(from, list));
    }
}

static cs_status read_table(const pack_input *input, const char *path, const char *root, const char *prefix,
                            cs_split split, pack_list *list) {
    manifest from = {.root = root, .prefix = prefix, .split = split, .ending = ""};
    CS_TRY(pack_csv_open(path, &from.table));
    cs_status status = read_rows(input, &from, list);
    pack_csv_close(from.table);
    return status;
}

/* The folder at which the paths begin. */
static cs_status find_root(const pack_input *input, char root[CS_PATH_MAX]) {
    const char *given = input->options[PACK_ROOT];
    if (given || cs_is_folder(input->path))
        return cs_path(root, CS_PATH_MAX, "%s", given ? given : input->path);
    return pack_parent_folder(input->path, root);
}

static cs_status read_folder(const pack_input *input, const char *root, pack_list *list) {
    char path[CS_PATH_MAX], prefix[CS_PATH_MAX];
    if (has_metadata(input->path, path))
        return read_table(input, path, root, "", CS_SPLIT_TRAIN, list);
    for (int s = 0; s < CS_SPLIT_COUNT; s++) {
        const char *folder = split_folder(input->path, (cs_split)s, path);
        if (!folder)
            continue;
        list->split[s] = true;
        CS_TRY(cs_path(prefix, sizeof prefix, "%s/", folder));
        CS_TRY(read_table(input, path, root, prefix, (cs_split)s, list));
    }
    return CS_OK;
}

static cs_status check_twins(const pack_input *input, const pack_list *list) {
    size_t twins[2];
    bool found;
    CS_TRY(pack_list_find_twins(list, &found, twins));
    if (!found)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_FORMAT, "%s:%llu: '%s' stands in line %llu already", input->path,
                           (unsigned long long)list->samples[twins[1]].at, list->samples[twins[1]].id,
                           (unsigned long long)list->samples[twins[0]].at),
                   "an image has one row, with one class");
}

static cs_status scan(pack_input *input, pack_list *list) {
    char root[CS_PATH_MAX];
    CS_TRY(find_root(input, root));
    if (cs_is_folder(input->path))
        CS_TRY(read_folder(input, root, list));
    else
        CS_TRY(read_table(input, input->path, root, "", CS_SPLIT_TRAIN, list));
    CS_TRY(check_twins(input, list));
    return pack_list_sort_classes(list, true);
}

static cs_status read_sample(const pack_input *input, const pack_sample *sample, pack_content *out) {
    char root[CS_PATH_MAX];
    CS_TRY(find_root(input, root));
    CS_TRY(full_path(root, sample->id, out->name));
    return pack_content_read_file(out);
}

extern const pack_source pack_manifest_source;
const pack_source pack_manifest_source = {
    .name = "table",
    .help = "is a CSV, TSV or JSONL file with a row an image, which\nnames its file and class, or a folder with such "
            "a\nmetadata.csv or metadata.jsonl",
    .unit = "row",
    .hint = "a row an image: its path, its class; the first row names the columns: path,label",
    .takes = {[PACK_ROOT] = true,
              [PACK_FILE_COLUMN] = true,
              [PACK_LABEL_COLUMN] = true,
              [PACK_SPLIT_COLUMN] = true,
              [PACK_GROUP_COLUMN] = true,
              [PACK_WEIGHT_COLUMN] = true},
    .recognises = recognises,
    .scan = scan,
    .read = read_sample,
};
