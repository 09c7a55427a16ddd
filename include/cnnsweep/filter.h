/* SPDX-License-Identifier: Apache-2.0 */
/* Filters: preprocessing of images that is the same in every epoch and for every split, such as smoothing, contrast, or
 * a crop to the object. cnnsweep-pack applies them to what it packs, and data.filter to the images of a dataset before
 * they are resized and augmented.
 *
 * To add a filter, add a row in src/data/filter/table.c, and its function in a file beside it, declared in filters.h.
 * Job files, cnnsweep-pack, trial keys and the page of the filters follow the table.
 *
 * A filter gives the same bytes on every machine: it computes in integers, or in floats without contraction and without
 * functions of the mathematics library that round differently from version to version. */
#ifndef CNNSWEEP_FILTER_H
#define CNNSWEEP_FILTER_H

#include "cnnsweep/image.h"

enum {
    CS_FILTER_PARAMETERS = 8, /* the most parameters of a filter */
    CS_FILTER_STEPS = 8,      /* the most filters of a chain */
    CS_FILTER_TEXT = 256,     /* bytes that hold any text of a chain */
};

typedef enum cs_filter_type {
    CS_FILTER_NUMBER,
    CS_FILTER_WHOLE, /* a whole number */
    CS_FILTER_ODD,   /* an odd whole number */
    CS_FILTER_CHOICE /* the index of one of the choices */
} cs_filter_type;

typedef struct cs_filter_parameter {
    const char *name; /* NULL ends the parameters of a filter */
    cs_filter_type type;
    float min, max;             /* inclusive; not used by a CHOICE */
    float fallback;             /* the default: part of what a chain's text means, so it must never change */
    const char *const *choices; /* CHOICE: their names, NULL after the last */
} cs_filter_parameter;

/* The scratch memory of one thread. */
typedef struct cs_filter_scratch cs_filter_scratch;

typedef struct cs_filter {
    const char *name;
    const char *doc; /* one line */
    bool crops;      /* the image may become smaller */
    cs_filter_parameter parameters[CS_FILTER_PARAMETERS];
    /* Changes the image, whose new size is at most its old one. `value` has a number for each parameter. */
    cs_status (*apply)(const float *value, cs_filter_scratch *scratch, cs_image *image);
} cs_filter;

/* The table. */
const cs_filter *cs_filters(int *n);
/* Writes what the parameter may be: "a number from 0 to 10". */
void cs_filter_takes(const cs_filter_parameter *parameter, char *out, size_t size);

/* Filters that are applied one after another. {0}: none. */
typedef struct cs_filter_chain {
    char text[CS_FILTER_TEXT]; /* of cs_filter_text; an option shows this beginning of its field */
    int n;
    struct cs_filter_step {
        int filter; /* the index in the table */
        float value[CS_FILTER_PARAMETERS];
    } steps[CS_FILTER_STEPS];
} cs_filter_chain;

/* Parses "none", or the names of filters separated by commas, each with those parameters that differ from their
 * defaults: "median,clahe:clip_limit=3:tiles=4". The first parameter needs no name: "median:5". Everything that is
 * wrong is CS_ERR_ARG. */
CS_MUST_CHECK cs_status cs_filter_parse(const char *text, cs_filter_chain *out);

/* The chain in that form, "none" if it is empty. Two chains are equal if their texts are. */
const char *cs_filter_text(const cs_filter_chain *chain);

/* May an image become smaller? */
bool cs_filter_crops(const cs_filter_chain *chain);

CS_MUST_CHECK cs_status cs_filter_scratch_open(cs_filter_scratch **out);
void cs_filter_scratch_close(cs_filter_scratch *scratch); /* NULL-safe */

/* Applies the chain to the image. After the first images of a size nothing is allocated. */
CS_MUST_CHECK cs_status cs_filter_apply(const cs_filter_chain *chain, cs_filter_scratch *scratch, cs_image *image);

/* How many times a filter that looks for a region found none, and left the image as it was. */
int64_t cs_filter_not_found(const cs_filter_scratch *scratch);

#endif
