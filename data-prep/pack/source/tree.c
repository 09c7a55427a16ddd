/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
enum { DEEPEST = 16 };

/* What systems leave in folders. */
static const char *const litter[] = {"Thumbs.db", "ehthumbs.db", "desktop.ini", "__MACOSX", "Icon\r"};
/* Endings of files that no one takes for images. */
static const char *const other_endings[] = {".csv",  ".tsv", ".txt", ".md",  ".xml",  ".json", ".yaml",  ".yml",
                                            ".html", ".htm", ".pdf", ".doc", ".docx", ".xls",  ".xlsx",  ".npy",
                                            ".npz",  ".mat", ".pkl", ".h5",  ".hdf5", ".py",   ".ipynb", ".log",
                                            ".zip",  ".tar", ".gz",  ".mp4", ".avi",  ".mov"};
enum { LITTER = sizeof litter / sizeof *litter, OTHERS = sizeof other_endings / sizeof *other_endings };

typedef struct tree_scan {
    const pack_tree *tree;
    pack_list *list;
    size_t litter, others[OTHERS]; /* entries that were left out */
    size_t masks;                  /* folders that look as if they had masks */
} tree_scan;

void pack_listing_clear(pack_listing *listing) {
    for (size_t i = 0; i < listing->n; i++)
        free(listing->entries[i].name);
    free(listing->entries);
    *listing = (pack_listing){0};
}

cs_status pack_listing_add(pack_listing *listing, const char *name, const struct pack_entry *entry) {
    CS_TRY(cs_grow(&listing->entries, &listing->capacity, listing->n + 1, sizeof *listing->entries, "folder"));
    struct pack_entry *added = &listing->entries[listing->n];
    *added = *entry;
    CS_TRY(cs_strdup(name, &added->name));
    listing->n++;
    return CS_OK;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct pack_entry *)a)->name, ((const struct pack_entry *)b)->name);
}

/* Whether an entry is no image by its name; then it is counted, unless it is hidden. */
static bool is_left_out(tree_scan *scan, const struct pack_entry *entry) {
    const char *ending = strrchr(entry->name, '.');
    if (*entry->name == '.')
        return true;
    for (int i = 0; i < LITTER; i++)
        if (strcasecmp(entry->name, litter[i]) == 0) {
            scan->litter++;
            return true;
        }
    for (int i = 0; ending && !entry->folder && i < OTHERS; i++)
        if (strcasecmp(ending, other_endings[i]) == 0) {
            scan->others[i]++;
            return true;
        }
    return false;
}

/* Lists a folder, sorted, without what is left out. */
static cs_status list_folder(tree_scan *scan, const char *folder, pack_listing *out) {
    *out = (pack_listing){0};
    cs_status status = scan->tree->list(scan->tree->context, folder, out);
    if (status != CS_OK) {
        pack_listing_clear(out);
        return status;
    }
    size_t kept = 0;
    for (size_t i = 0; i < out->n; i++)
        if (is_left_out(scan, &out->entries[i]))
            free(out->entries[i].name);
        else
            out->entries[kept++] = out->entries[i];
    out->n = kept;
    if (kept > 0)
        qsort(out->entries, kept, sizeof *out->entries, by_name);
    return CS_OK;
}

/* Lists a folder of class folders. An entry that cannot be examined is an error, as it may be a class. */
static cs_status list_classes(tree_scan *scan, const char *folder, pack_listing *out) {
    CS_TRY(list_folder(scan, folder, out));
    for (size_t i = 0; i < out->n; i++)
        if (out->entries[i].broken) {
            errno = out->entries[i].broken;
            cs_status status = cs_fail_errno("%s/%s%s%s: cannot look at it", scan->tree->src, folder,
                                             *folder ? "/" : "", out->entries[i].name);
            pack_listing_clear(out);
            return status;
        }
    return CS_OK;
}

/* Warns of a folder in that of a class whose files are pictures, but not of this class, as masks are. */
static void warn_of_masks(tree_scan *scan, const char *folder, const char *name) {
    static const char *const names[] = {"mask",        "masks",        "label",         "labels",       "annotation",
                                        "annotations", "segmentation", "segmentations", "ground_truth", "groundtruth"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(name, names[i]) == 0 && scan->masks++ == 0)
            cs_log(CS_LOG_WARN, "%s/%s/%s: its files are packed as images of the class, as all below its folder are",
                   scan->tree->src, folder, name);
}

/* Writes the path of an entry below SRC. */
static cs_status join(const tree_scan *scan, const char *folder, const char *name, char out[CS_PATH_MAX]) {
    const cs_status status = cs_path(out, CS_PATH_MAX, "%s/%s", folder, name);
    return status == CS_OK ? CS_OK : cs_context(status, "%s", scan->tree->src);
}

/* Adds all files below SRC/`folder`, also those in nested folders. */
static cs_status scan_class(tree_scan *scan, const char *folder, int label, cs_split split, int depth) {
    pack_listing found;
    if (depth > DEEPEST)
        return cs_hint(cs_fail(CS_ERR_ARG, "%s/%s: folders nested deeper than %d", scan->tree->src, folder, DEEPEST),
                       "a link in a circle?");
    CS_TRY(list_folder(scan, folder, &found));
    cs_status status = CS_OK;
    for (size_t i = 0; i < found.n && status == CS_OK; i++) {
        const struct pack_entry *entry = &found.entries[i];
        char child[CS_PATH_MAX];
        status = join(scan, folder, entry->name, child);
        const pack_sample sample = {
            .id = child, .label = label, .source_split = split, .at = entry->at, .stamp = entry->stamp};
        if (entry->folder)
            warn_of_masks(scan, folder, entry->name);
        if (status == CS_OK)
            status =
                entry->folder ? scan_class(scan, child, label, split, depth + 1) : pack_list_add(scan->list, &sample);
    }
    pack_listing_clear(&found);
    return status;
}

/* Writes a name without its letters that have accents, and returns whether it has combining marks, U+0300 to U+036F. In
 * Unicode's form NFC such a letter is one character, in NFD an ASCII letter and a mark; what is left is the same. */
static bool remove_accented(const char *name, char *out, size_t size) {
    size_t n = 0;
    bool marks = false;
    for (const unsigned char *c = (const unsigned char *)name; *c && n + 1 < size; c++) {
        const bool mark = (c[0] == 0xCC && c[1] >= 0x80) || (c[0] == 0xCD && c[1] >= 0x80 && c[1] <= 0xAF);
        if (mark && n > 0 && c[-1] < 0x80)
            n--;
        if (*c < 0x80)
            out[n++] = (char)*c;
        marks = marks || mark;
    }
    out[n] = '\0';
    return marks;
}

static cs_status fail_unknown_class(const tree_scan *scan, const char *prefix, const char *name) {
    char bare[CS_PATH_MAX], other[CS_PATH_MAX];
    cs_status status =
        cs_fail(CS_ERR_ARG, "%s/%s%s: a class that the training split does not have", scan->tree->src, prefix, name);
    const bool marks = remove_accented(name, bare, sizeof bare);
    for (int i = 0; i < scan->list->n_classes; i++)
        if (remove_accented(scan->list->classes[i], other, sizeof other) != marks && strcmp(bare, other) == 0)
            return cs_hint(status,
                           "the training split has it in another Unicode form (NFC or NFD): rename one of them");
    return cs_hint(status, "every class needs a folder in train/");
}

/* Scans the class folders below SRC/`prefix` ("" or "train/"). The training split defines the classes; the other splits
 * must not have more. */
static cs_status scan_classes(tree_scan *scan, const char *prefix, const pack_listing *found, cs_split split) {
    const char *src = scan->tree->src;
    for (size_t i = 0; i < found->n; i++) {
        const char *name = found->entries[i].name;
        char folder[CS_PATH_MAX];
        if (!found->entries[i].folder) {
            cs_log(CS_LOG_INFO, "%s/%s%s: ignored, as it lies beside the class folders", src, prefix, name);
            continue;
        }
        if (split == CS_SPLIT_TRAIN)
            CS_TRY(pack_list_add_class(scan->list, name));
        int label = pack_list_find_class(scan->list, name);
        if (label < 0)
            return fail_unknown_class(scan, prefix, name);
        CS_TRY(cs_path(folder, sizeof folder, "%s%s", prefix, name));
        CS_TRY(scan_class(scan, folder, label, split, 0));
    }
    return CS_OK;
}

static cs_status scan_split(tree_scan *scan, const char *name, cs_split split) {
    char prefix[CS_PATH_MAX];
    pack_listing found;
    CS_TRY(cs_path(prefix, sizeof prefix, "%s/", name));
    CS_TRY(list_classes(scan, name, &found));
    scan->list->split[split] = true;
    cs_status status = scan_classes(scan, prefix, &found, split);
    pack_listing_clear(&found);
    return status;
}

/* One folder alone that has only folders is a folder around those of the classes. */
static cs_status check_only_folder(tree_scan *scan, const char *name) {
    pack_listing below;
    bool files = false;
    CS_TRY(list_folder(scan, name, &below));
    for (size_t i = 0; i < below.n; i++)
        files = files || !below.entries[i].folder;
    const bool around = below.n > 0 && !files;
    pack_listing_clear(&below);
    if (!around)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_ARG, "%s: only one class, %s; two are needed", scan->tree->src, name),
                   "%s has only folders: if they are the classes, SRC is %s/%s; in an archive --root names it", name,
                   scan->tree->src, name);
}

/* Whether the name of a split is a part of the name, such as of "train_images" or "2020-test". */
static bool names_split(const char *name, cs_split split) {
    char word[CS_PATH_MAX];
    for (size_t length; *name; name += length) {
        length = strspn(name, LETTERS);
        if (length > 0 && cs_path(word, sizeof word, "%.*s", (int)length, name) == CS_OK &&
            pack_split_by_name(word) == split)
            return true;
        length += strcspn(name + length, LETTERS);
    }
    return false;
}

/* Says if the folders of the classes look like splits, or like a folder around those of the classes. */
static cs_status check_classes(tree_scan *scan, const pack_listing *top) {
    const struct pack_entry *only = NULL, *like[CS_SPLIT_COUNT] = {NULL};
    size_t folders = 0;
    for (size_t i = 0; i < top->n; i++)
        if (top->entries[i].folder) {
            only = &top->entries[i];
            folders++;
            for (int s = 0; s < CS_SPLIT_COUNT; s++)
                like[s] = names_split(only->name, (cs_split)s) ? only : like[s];
        }
    const struct pack_entry *other = like[CS_SPLIT_TEST] ? like[CS_SPLIT_TEST] : like[CS_SPLIT_VAL];
    if (like[CS_SPLIT_TRAIN] && other)
        cs_log(CS_LOG_WARN, "%s: %s and %s are taken as classes; if they are splits, call them train, val and test",
               scan->tree->src, like[CS_SPLIT_TRAIN]->name, other->name);
    return folders == 1 ? check_only_folder(scan, only->name) : CS_OK;
}

static cs_status scan_top(tree_scan *scan, const pack_listing *top) {
    const char *src = scan->tree->src;
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
    if (!folders[CS_SPLIT_TRAIN]) {
        CS_TRY(check_classes(scan, top));
        return scan_classes(scan, "", top, CS_SPLIT_TRAIN);
    }
    if (folders[CS_SPLIT_COUNT])
        cs_log(CS_LOG_WARN, "%s/%s: ignored, as it is neither train, val nor test", src, folders[CS_SPLIT_COUNT]);
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        if (folders[s])
            CS_TRY(scan_split(scan, folders[s], (cs_split)s));
    return CS_OK;
}

static void say_left_out(const tree_scan *scan) {
    char text[512];
    size_t used = 0, kinds = 0;
    text[0] = '\0';
    for (int i = 0; i < OTHERS && used < sizeof text; i++)
        if (scan->others[i] > 0)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%zu %s", kinds++ ? ", " : "", scan->others[i],
                                     other_endings[i]);
    if (scan->litter > 0 && used < sizeof text)
        snprintf(text + used, sizeof text - used, "%s%zu of the system (such as Thumbs.db)", kinds ? ", " : "",
                 scan->litter);
    if (*text)
        cs_log(CS_LOG_INFO, "%s: left out, as they are no images by their names: %s", scan->tree->src, text);
}

cs_status pack_tree_scan(const pack_tree *tree, pack_list *list) {
    tree_scan scan = {.tree = tree, .list = list};
    pack_listing top;
    CS_TRY(list_classes(&scan, "", &top));
    cs_status status = scan_top(&scan, &top);
    pack_listing_clear(&top);
    say_left_out(&scan);
    return status;
}
