/* SPDX-License-Identifier: Apache-2.0 */
/* A source: where images come from. source.c has the table of sources.
 *
 * To add a source, add a file in this folder that defines a pack_source, and its name in the table of source.c.
 * Splitting, decoding, resizing, parts, --skip-bad and writing then work with what its scan and read return. */
#ifndef CNNSWEEP_PACK_SOURCE_H
#define CNNSWEEP_PACK_SOURCE_H

#include "content.h"
#include "options.h"
#include "samples.h"

#include <stdio.h>

typedef struct pack_source pack_source;

/* SRC, and the options that say how it is read. */
typedef struct pack_input {
    const char *path;                         /* SRC */
    const char *options[PACK_SOURCE_OPTIONS]; /* the text of each; NULL: not given */
    bool one_class;                           /* SRC may have images of one class only */
    const pack_source *source;                /* the one that recognises the path */
    void *state;                              /* what the source keeps between scan and close */
} pack_input;

struct pack_source {
    const char *name; /* what SRC is: "folder" */
    const char *help; /* text of --help about SRC: "holds ..."; a '\n' starts a new line */
    const char *unit; /* what a class or a split is in this source, for messages: "it has a train folder" */
    const char *hint; /* how to give classes, for a source that has too few */
    bool takes[PACK_SOURCE_OPTIONS]; /* which options it has */
    bool (*recognises)(const char *path);
    /* Lists the samples and classes of SRC, in an order that depends only on its contents. It does not read images: a
     * sample that cannot be read is listed too, and `read` fails on it. `list` is empty before the call, and the caller
     * clears it. */
    cs_status (*scan)(pack_input *input, pack_list *list);
    /* Reads one sample and its name. Several threads call it at a time. A sample that cannot be used is CS_ERR_FORMAT
     * or CS_ERR_IO, and can be left out. */
    cs_status (*read)(const pack_input *input, const pack_sample *sample, pack_content *out);
    void (*close)(void *state); /* (optional) frees input->state */
};

/* Finds the source that recognises input->path. If there is none, that is CS_ERR_ARG naming all sources. */
CS_MUST_CHECK cs_status pack_source_find(pack_input *input);
/* Prints for each source what SRC is. New lines are indented by `indent` spaces; the last line has no newline. */
void pack_sources_help(FILE *out, int indent);

/* Calls the functions of the source. A list of too few classes, and an option that the source does not take, are
 * CS_ERR_ARG. */
CS_MUST_CHECK cs_status pack_source_scan(pack_input *input, pack_list *list);
CS_MUST_CHECK cs_status pack_source_read(const pack_input *input, const pack_sample *sample, pack_content *out);
void pack_source_close(pack_input *input); /* also without a scan before */

#endif
