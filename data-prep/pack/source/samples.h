/* SPDX-License-Identifier: Apache-2.0 */
/* The classes and samples that a source of images has. */
#ifndef CNNSWEEP_PACK_SAMPLES_H
#define CNNSWEEP_PACK_SAMPLES_H

#include "cnnsweep/dataset.h"

typedef struct pack_sample {
    char *id;    /* unique, stored in the dataset; for a file in a folder it is its path below SRC */
    char *group; /* what it has in common with samples that belong into the same split; NULL or "": nothing */
    int32_t label;
    cs_split source_split; /* the split that the source puts it in; train if the source is not split */
    cs_split split;        /* the split that it gets in the dataset */
    int source_repeats;    /* how many more times the source has it, in the same split */
    int repeats;           /* how many more times the dataset gets it */
    float source_weight;   /* in the loss of training; 1 if the source gives none */
    float weight;          /* that it gets in the dataset, if the list is weighted */
    uint64_t at;           /* position in SRC, for sources that need more than the id to find the sample */
    uint64_t stamp;        /* changes when the sample does, such as a checksum of a file's size and modification time */
    size_t place;          /* index in the order of the scan */
    bool stored;           /* it is in the dataset to which others are added, and stays in it as it is */
    bool bad;              /* the image cannot be used */
    bool left_out;         /* not packed: a duplicate, or more than are asked for */
} pack_sample;

/* All samples, in the order of the dataset. */
typedef struct pack_list {
    pack_sample *samples;
    size_t n, capacity;
    char **classes; /* by label */
    int *by_name;   /* the labels in the order of the classes' names */
    int n_classes;
    cs_source_classes source_classes; /* of an earlier grouping, if there was one */
    int64_t *source_counts;           /* [n_classes] images before numbers of them were chosen; NULL: all are taken */
    bool weighted;                    /* samples have weights */
    bool grouped;                     /* samples have groups */
    const char *filter;               /* that the images went through before, or NULL; borrowed from the source */
    const char *decode;               /* the rules by which they were decoded before, or NULL; borrowed likewise */
    bool split[CS_SPLIT_COUNT];       /* the source says which samples are in this split; none set: all are in train */
} pack_list;

/* Appends a copy of `sample`, of its id and of its group, and sets its place, split, repeats and weight. */
CS_MUST_CHECK cs_status pack_list_add(pack_list *list, const pack_sample *sample);
/* The images that the dataset gets, with those that are repeated. */
int64_t pack_list_images(const pack_list *list);
void pack_sample_clear(pack_sample *sample); /* frees its texts */
/* Keeps those samples of which keep() is true and frees the others. Returns how many it freed. */
size_t pack_list_keep(pack_list *list, bool (*keep)(const pack_sample *sample));
/* Frees the samples that are left_out. Returns how many. */
size_t pack_list_leave_out(pack_list *list);
/* Adds a class, which gets the next label. Its name is made printable (cs_text_printable), for files and for tables. */
CS_MUST_CHECK cs_status pack_list_add_class(pack_list *list, const char *source_name);
int pack_list_find_class(const pack_list *list, const char *source_name); /* its label, or -1 */
/* The label of the class, which is added if the list does not have it yet. */
CS_MUST_CHECK cs_status pack_list_label(pack_list *list, const char *name, int32_t *label);
/* Exchanges the classes of two lists, and not their samples. */
void pack_list_swap_classes(pack_list *a, pack_list *b);
/* Keeps a copy of each class and the label that it gets, label_of[n_classes], in list->source_classes; if there are
 * source classes already, they get the labels that their classes get. */
CS_MUST_CHECK cs_status pack_list_record_classes(pack_list *list, const int32_t *label_of);
/* Gives the classes their labels in the order of their names, and all samples the new labels. Names that are all whole
 * numbers are put in the order of the numbers, if `numbers` says so. */
CS_MUST_CHECK cs_status pack_list_sort_classes(pack_list *list, bool numbers);
/* Finds two samples with the same id that are not both stored; false if there are none. */
CS_MUST_CHECK cs_status pack_list_find_twins(const pack_list *list, bool *found, size_t twins[2]);
void pack_list_clear(pack_list *list);

/* Whether the text is a whole number, such as 10 or -1. */
bool pack_whole_number(const char *text, long long *value);

/* The split that a folder's name means ("train", "Validation", "testing"), or CS_SPLIT_COUNT. */
cs_split pack_split_by_name(const char *name);

#endif
