/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the training room: files of features (features.h) that are computed once and kept. If several processes need
 * the same file at once, one computes it and the others wait. */
#ifndef CNNSWEEP_KEPT_H
#define CNNSWEEP_KEPT_H

#include "cnnsweep/config.h"
#include "cnnsweep/features.h"
#include "cnnsweep/file.h"

#include <signal.h>

/* Returns CS_ERR_INTERRUPTED if the flag is set; `stop` may be NULL. */
CS_MUST_CHECK cs_status cs_check_stop(const volatile sig_atomic_t *stop);

/* The paths of a file, and the text that says what it is made from. */
typedef struct cs_kept {
    char folder[CS_PATH_MAX], path[CS_PATH_MAX], lock[CS_PATH_MAX], source[CS_SOURCE_MAX];
} cs_kept;

/* Names the file by kept->source, which must be set: "<stem>-<hash of the source>.h5" in data.features, or in the
 * folder next to the dataset. */
CS_MUST_CHECK cs_status cs_kept_name(const cs_data_config *data, const char *stem, cs_kept *kept);
/* Opens the file. If it does not exist, `compute` writes it first. */
CS_MUST_CHECK cs_status cs_kept_open(const cs_kept *kept, const volatile sig_atomic_t *stop,
                                     cs_status (*compute)(void *context, const cs_kept *kept), void *context,
                                     cs_features **out);

#endif
