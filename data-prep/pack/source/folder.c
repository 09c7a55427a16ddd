/* SPDX-License-Identifier: Apache-2.0 */
/* A source that is a folder of image files. It has either one folder for each class, or train/, val/ and test/ with one
 * folder for each class in each of them. */
#include "source.h"

#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEEPEST = 16 };

/* The entries of one folder, sorted by the bytes of their names, without hidden ones. */
typedef struct listing {
    struct entry {
        char *name;
        bool folder;
        int broken;     /* errno if the entry cannot be examined, such as a link without a target; else 0 */
        uint64_t stamp; /* checksum of its size and modification time */
    } * entries;
    size_t n, capacity;
} listing;

static void listing_clear(listing *list) {
    for (size_t i = 0; i < list->n; i++)
        free(list->entries[i].name);
    free(list->entries);
    *list = (listing){0};
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static cs_status add_entry(listing *list, const char *path, const char *name) {
    char child[CS_PATH_MAX];
    struct stat info = {0};
    CS_TRY(cs_path(child, sizeof child, "%s/%s", path, name));
    int broken = stat(child, &info) != 0 ? errno : 0;
    const int64_t seen[] = {info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
    CS_TRY(cs_grow(&list->entries, &list->capacity, list->n + 1, sizeof *list->entries, "folder"));
    struct entry *entry = &list->entries[list->n];
    *entry = (struct entry){
        .folder = !broken && S_ISDIR(info.st_mode), .broken = broken, .stamp = cs_checksum(seen, sizeof seen)};
    CS_TRY(cs_strdup(name, &entry->name));
    list->n++;
    return CS_OK;
}

static cs_status read_folder(DIR *folder, const char *path, listing *list) {
    struct dirent *found;
    while ((errno = 0, found = readdir(folder)) != NULL) {
        if (found->d_name[0] != '.')
            CS_TRY(add_entry(list, path, found->d_name));
    }
    if (errno != 0)
        return cs_fail_errno("%s: cannot read the folder", path);
    if (list->n > 0)
        qsort(list->entries, list->n, sizeof *list->entries, by_name);
    return CS_OK;
}

static cs_status list_folder(const char *path, listing *list) {
    *list = (listing){0};
    DIR *folder = opendir(path);
    if (!folder)
        return cs_fail_errno("%s: cannot open the folder", path);
    cs_status status = read_folder(folder, path, list);
    closedir(folder);
    if (status != CS_OK)
        listing_clear(list);
    return status;
}

/* Lists a folder of class folders. An entry that cannot be examined is an error, as it may be a class. */
static cs_status list_classes(const char *path, listing *list) {
    CS_TRY(list_folder(path, list));
    for (size_t i = 0; i < list->n; i++)
        if (list->entries[i].broken) {
            errno = list->entries[i].broken;
            cs_status status = cs_fail_errno("%s/%s: cannot look at it", path, list->entries[i].name);
            listing_clear(list);
            return status;
        }
    return CS_OK;
}

/* Adds all files below SRC/`relative`, also those in nested folders. */
static cs_status scan_class(pack_list *list, const char *src, const char *relative, int label, cs_split split,
                            int depth) {
    char path[CS_PATH_MAX];
    listing found;
    CS_TRY(cs_path(path, sizeof path, "%s/%s", src, relative));
    if (depth > DEEPEST)
        return cs_hint(cs_fail(CS_ERR_ARG, "%s: folders nested deeper than %d", path, DEEPEST), "a link in a circle?");
    CS_TRY(list_folder(path, &found));
    cs_status status = CS_OK;
    for (size_t i = 0; i < found.n && status == CS_OK; i++) {
        char child[CS_PATH_MAX];
        status = cs_path(child, sizeof child, "%s/%s", relative, found.entries[i].name);
        const pack_sample sample = {
            .id = child, .label = label, .source_split = split, .stamp = found.entries[i].stamp};
        if (status == CS_OK)
            status = found.entries[i].folder ? scan_class(list, src, child, label, split, depth + 1)
                                             : pack_list_add(list, &sample);
    }
    listing_clear(&found);
    return status;
}

/* Scans the class folders below SRC/`prefix` ("" or "train/"). The training split defines the classes; the other splits
 * must not have more. */
static cs_status scan_classes(pack_list *list, const char *src, const char *prefix, const listing *found,
                              cs_split split) {
    for (size_t i = 0; i < found->n; i++) {
        const char *name = found->entries[i].name;
        char relative[CS_PATH_MAX];
        if (!found->entries[i].folder) {
            cs_log(CS_LOG_INFO, "%s/%s%s: ignored, as it lies beside the class folders", src, prefix, name);
            continue;
        }
        if (split == CS_SPLIT_TRAIN)
            CS_TRY(pack_list_add_class(list, name));
        int label = pack_list_find_class(list, name);
        if (label < 0)
            return cs_hint(
                cs_fail(CS_ERR_ARG, "%s/%s%s: a class that the training split does not have", src, prefix, name),
                "every class needs a folder in train/");
        CS_TRY(cs_path(relative, sizeof relative, "%s%s", prefix, name));
        CS_TRY(scan_class(list, src, relative, label, split, 0));
    }
    return CS_OK;
}

static cs_status scan_split(pack_list *list, const char *src, const char *name, cs_split split) {
    char path[CS_PATH_MAX], prefix[CS_PATH_MAX];
    listing found;
    CS_TRY(cs_path(path, sizeof path, "%s/%s", src, name));
    CS_TRY(cs_path(prefix, sizeof prefix, "%s/", name));
    CS_TRY(list_classes(path, &found));
    list->split[split] = true;
    cs_status status = scan_classes(list, src, prefix, &found, split);
    listing_clear(&found);
    return status;
}

static cs_status scan_top(pack_list *list, const char *src, const listing *top) {
    const char *folders[CS_SPLIT_COUNT + 1] = {NULL}; /* by split; the last one is a folder that is no split */
    for (size_t i = 0; i < top->n; i++) {
        cs_split split = pack_split_by_name(top->entries[i].name);
        if (!top->entries[i].folder)
            continue;
        if (split < CS_SPLIT_COUNT && folders[split])
            return cs_fail(CS_ERR_ARG, "%s: both %s/ and %s/ are the split \"%s\"", src, folders[split],
                           top->entries[i].name, cs_split_name(split));
        folders[split] = top->entries[i].name;
    }
    if (!folders[CS_SPLIT_TRAIN] && (folders[CS_SPLIT_VAL] || folders[CS_SPLIT_TEST]))
        return cs_hint(cs_fail(CS_ERR_ARG, "%s: there is a %s/ but no train/", src,
                               folders[CS_SPLIT_VAL] ? folders[CS_SPLIT_VAL] : folders[CS_SPLIT_TEST]),
                       "either train/ val/ test/ with class folders in each, or class folders alone");
    if (!folders[CS_SPLIT_TRAIN])
        return scan_classes(list, src, "", top, CS_SPLIT_TRAIN);
    if (folders[CS_SPLIT_COUNT])
        cs_log(CS_LOG_WARN, "%s/%s: ignored, as it is neither train, val nor test", src, folders[CS_SPLIT_COUNT]);
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        if (folders[s])
            CS_TRY(scan_split(list, src, folders[s], (cs_split)s));
    return CS_OK;
}

static cs_status scan(pack_input *input, pack_list *list) {
    listing top;
    CS_TRY(list_classes(input->path, &top));
    cs_status status = scan_top(list, input->path, &top);
    listing_clear(&top);
    return status;
}

static cs_status read_sample(const pack_input *input, const pack_sample *sample, pack_content *out) {
    CS_TRY(cs_path(out->name, sizeof out->name, "%s/%s", input->path, sample->id));
    return pack_content_read_file(out);
}

const pack_source pack_folder_source = {
    .name = "folder",
    .help = "holds train/ val/ test/ with a folder a class in each,\nor a folder a class",
    .unit = "folder",
    .hint = "one folder a class: SRC/cats/*.jpg, SRC/dogs/*.jpg, or the same under SRC/train/",
    .recognises = cs_is_folder,
    .scan = scan,
    .read = read_sample,
};
