/* SPDX-License-Identifier: Apache-2.0 */
/* A source that is a folder of image files. */
#include "source.h"
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

static cs_status add_entry(pack_listing *list, const char *path, const char *name) {
    char child[CS_PATH_MAX];
    struct stat info = {0};
    CS_TRY(cs_path(child, sizeof child, "%s/%s", path, name));
    int broken = stat(child, &info) != 0 ? errno : 0;
    const int64_t seen[] = {info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
    const struct pack_entry entry = {
        .folder = !broken && S_ISDIR(info.st_mode), .broken = broken, .stamp = cs_checksum(seen, sizeof seen)};
    return pack_listing_add(list, name, &entry);
}

static cs_status read_folder(DIR *folder, const char *path, pack_listing *list) {
    struct dirent *found;
    while ((errno = 0, found = readdir(folder)) != NULL) {
        if (found->d_name[0] != '.')
            CS_TRY(add_entry(list, path, found->d_name));
    }
    return errno != 0 ? cs_fail_errno("%s: cannot read the folder", path) : CS_OK;
}

static cs_status list_folder(void *context, const char *folder, pack_listing *list) {
    const pack_input *input = context;
    char path[CS_PATH_MAX];
    CS_TRY(cs_path(path, sizeof path, "%s%s%s", input->path, *folder ? "/" : "", folder));
    DIR *opened = opendir(path);
    if (!opened)
        return cs_fail_errno("%s: cannot open the folder", path);
    cs_status status = read_folder(opened, path, list);
    closedir(opened);
    return status;
}

static cs_status scan(pack_input *input, pack_list *list) {
    const pack_tree tree = {.src = input->path, .context = input, .list = list_folder};
    return pack_tree_scan(&tree, list);
}

static cs_status read_sample(const pack_input *input, const pack_sample *sample, pack_content *out) {
    CS_TRY(cs_path(out->name, sizeof out->name, "%s/%s", input->path, sample->id));
    return pack_content_read_file(out);
}

extern const pack_source pack_folder_source;
const pack_source pack_folder_source = {
    .name = "folder",
    .help = "holds train/ val/ test/ with a folder a class in each,\nor a folder a class",
    .unit = "folder",
    .hint = "one folder a class: SRC/cats/*.jpg, SRC/dogs/*.jpg, or the same under SRC/train/",
    .recognises = cs_is_folder,
    .scan = scan,
    .read = read_sample,
};
