/* SPDX-License-Identifier: Apache-2.0 */
/* The rules by which folders become classes and splits, for the sources whose images lie in folders: SRC has a folder
 * for each class, or train/, val/ and test/ with a folder for each class in each. Everything below the folder of a
 * class is an image of it, except what is hidden, what systems leave behind (Thumbs.db, __MACOSX) and files that have
 * the endings of other things (.csv, .xml), which are counted. */
#ifndef CNNSWEEP_PACK_TREE_H
#define CNNSWEEP_PACK_TREE_H

#include "samples.h"

/* The entries of one folder. */
typedef struct pack_listing {
    struct pack_entry {
        char *name;
        bool folder;
        int broken;     /* errno if the entry cannot be examined, such as a link without a target; else 0 */
        uint64_t stamp; /* changes when the file does */
        uint64_t at;    /* becomes the sample's */
    } * entries;
    size_t n, capacity;
} pack_listing;

/* Adds an entry with a copy of the name. */
CS_MUST_CHECK cs_status pack_listing_add(pack_listing *listing, const char *name, const struct pack_entry *entry);
void pack_listing_clear(pack_listing *listing);

/* Where the folders are. */
typedef struct pack_tree {
    const char *src; /* for messages */
    void *context;
    /* Lists a folder, which is named by its path below SRC ("" is SRC itself), in any order, each entry once. */
    cs_status (*list)(void *context, const char *folder, pack_listing *out);
} pack_tree;

/* Lists the samples and classes of the tree, sorted by the bytes of the names in each folder. */
CS_MUST_CHECK cs_status pack_tree_scan(const pack_tree *tree, pack_list *list);

#endif
