/* SPDX-License-Identifier: Apache-2.0 */
/* The dataset to which images are added. */
#ifndef CNNSWEEP_PACK_APPEND_H
#define CNNSWEEP_PACK_APPEND_H

#include "pack.h"

/* Opens the dataset and checks it. The caller closes *out, also after a failure. */
CS_MUST_CHECK cs_status pack_append_open(const char *path, pack_appended **out);
void pack_append_close(pack_appended *appended); /* NULL-safe */
/* Sets the options that say how images are packed to those of the dataset. */
CS_MUST_CHECK cs_status pack_append_rules(const pack_appended *appended, pack_options *options);
/* `asked` are the options `own` of the dataset, without filter and size of shards, and what was given beside them.
 * Those that say otherwise than the dataset are CS_ERR_ARG. */
CS_MUST_CHECK cs_status pack_append_check(const pack_options *own, const pack_options *asked);

/* Makes `list` the list of the dataset's images and, after them, of those of the source, with the classes of the
 * dataset; then options->input reads both. A class that the dataset does not have, or an id that it has, is CS_ERR_ARG.
 */
CS_MUST_CHECK cs_status pack_append_list(pack_options *options, pack_list *list);

#endif
