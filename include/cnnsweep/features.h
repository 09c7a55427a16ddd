/* SPDX-License-Identifier: Apache-2.0 */
/* Features: the outputs of the frozen part of a network for every image of a dataset, computed once and stored in a
 * file.
 *
 * File format (version 1), plain HDF5 as h5py opens it. Root attributes: format "cnnsweep-features", version, source (a
 * text that says what made them: the same source gives the same features), width, checksum (XXH3-64, hex, over the
 * XXH3-64s of the arrays in the order listed here). Groups train, val, test, each with features float32 [N,width] and
 * label int32 [N], contiguous, in the dataset's order. The arrays are mapped into memory; after open no HDF5 function
 * is called. */
#ifndef CNNSWEEP_FEATURES_H
#define CNNSWEEP_FEATURES_H

#include "cnnsweep/dataset.h"

enum { CS_SOURCE_MAX = 1024 };

typedef struct cs_features cs_features;
/* Opens a features file. A damaged file, one of another version, or one that was made from another source is
 * CS_ERR_FORMAT with the hint to delete it. */
CS_MUST_CHECK cs_status cs_features_open(const char *path, const char *source, cs_features **out);
void cs_features_close(cs_features *features); /* NULL-safe */
const char *cs_features_path(const cs_features *features);
int cs_features_width(const cs_features *features);
/* Makes the splits those of the dataset (borrowed), which is a view of that whose features these are. */
void cs_features_view(cs_features *features, const cs_dataset *view);
int64_t cs_features_count(const cs_features *features, cs_split split);
const float *cs_features_row(const cs_features *features, cs_split split, int64_t i); /* [width] */

/* Writing. The file appears under its name only when it is committed; until then it is "<path>.tmp". Only one process
 * at a time may write it. A "<path>.tmp" that a killed process left is overwritten. `source` has less than
 * CS_SOURCE_MAX bytes. */
typedef struct cs_features_writer cs_features_writer;
CS_MUST_CHECK cs_status cs_features_create(const char *path, const char *source, int width,
                                           const int64_t counts[CS_SPLIT_COUNT], cs_features_writer **out);
/* Adds the next n rows of the split. */
CS_MUST_CHECK cs_status cs_features_append(cs_features_writer *writer, cs_split split, const float *rows,
                                           const int32_t *labels, int n);
CS_MUST_CHECK cs_status cs_features_commit(cs_features_writer **out); /* frees and clears, also on failure */
void cs_features_abort(cs_features_writer **out);                     /* NULL-safe; leaves nothing behind */

#endif
