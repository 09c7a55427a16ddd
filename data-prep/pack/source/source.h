/* SPDX-License-Identifier: Apache-2.0 */
/* Where images come from. source.c has the table of sources.
 *
 * To add one: a file in this folder that defines a pack_source, and its name in the table of source.c. Splitting,
 * decoding, resizing, parts, --skip-bad and writing work over what scan and read give. */
#ifndef CNNSWEEP_PACK_SOURCE_H
#define CNNSWEEP_PACK_SOURCE_H

#include "content.h"
#include "samples.h"

#include <stdio.h>

typedef struct pack_source {
    const char *name; /* of what SRC is: "folder" */
    const char *help; /* what --help says of SRC: "holds ..."; a '\n' begins a line below it */
    const char *unit; /* what has a class or a split there, for messages: "it has a train folder" */
    const char *hint; /* how classes are told, for a source that has too few */
    bool (*recognises)(const char *path);
    /* Lists the samples and classes of SRC, in an order that depends on nothing but what is there. It looks at no
     * image: one that cannot be read is listed, and read fails. `list` comes empty, and is cleared by the caller. */
    cs_status (*scan)(const char *path, pack_list *list);
    /* Gives one sample, with its name; called by several threads at a time. One that is no good is CS_ERR_FORMAT or
     * CS_ERR_IO: it can be left out. */
    cs_status (*read)(const char *path, const pack_sample *sample, pack_content *out);
} pack_source;

/* The source that recognises the path. CS_ERR_ARG, naming the sources there are, if none does. */
CS_MUST_CHECK cs_status pack_source_find(const char *path, const pack_source **out);
/* Says for each source what SRC is, as lines that begin behind `indent` spaces; the last line is not ended. */
void pack_sources_help(FILE *out, int indent);

/* scan and read of the source. A list of less than two classes is CS_ERR_ARG. */
CS_MUST_CHECK cs_status pack_source_scan(const pack_source *source, const char *path, pack_list *list);
CS_MUST_CHECK cs_status pack_source_read(const pack_source *source, const char *path, const pack_sample *sample,
                                         pack_content *out);

#endif
