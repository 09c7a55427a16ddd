/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/features.h"
#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"
#include "dataset_impl.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORMAT "cnnsweep-features"
enum { VERSION = 1, ARRAYS = 2 /* a split */ };

/* Writes the checksum of the file as text. `sums` are the checksums of features and label, for train, val and test. */
static void checksum_text(uint64_t sums[CS_SPLIT_COUNT][ARRAYS], char text[CS_CHECKSUM_TEXT]) {
    uint64_t all = cs_checksum(sums, CS_SPLIT_COUNT * sizeof *sums);
    snprintf(text, CS_CHECKSUM_TEXT, "%016llx", (unsigned long long)all);
}

/* Writing. */

typedef struct split_writer {
    int64_t n, count; /* rows appended so far, and rows that the split will have */
    haddr_t rows_at, labels_at;
    cs_checksum_stream *rows, *labels;
} split_writer;

struct cs_features_writer {
    char path[CS_PATH_MAX], temporary[CS_PATH_MAX], source[CS_SOURCE_MAX];
    int width;
    int file;
    split_writer splits[CS_SPLIT_COUNT];
};

static cs_status place_split(hid_t file, const cs_features_writer *writer, cs_split split, split_writer *out) {
    const hsize_t dims[2] = {(hsize_t)out->count, (hsize_t)writer->width};
    hid_t group = H5I_INVALID_HID;
    CS_TRY(cs_hdf5_create_group(file, writer->path, cs_split_name(split), &group));
    cs_status status = cs_hdf5_place(group, writer->path, "features", H5T_NATIVE_FLOAT, 2, dims, &out->rows_at);
    if (status == CS_OK)
        status = cs_hdf5_place(group, writer->path, "label", H5T_NATIVE_INT32, 1, dims, &out->labels_at);
    H5Gclose(group);
    return status;
}

static cs_status lay_out(cs_features_writer *writer) {
    hid_t file = H5I_INVALID_HID;
    cs_status status = CS_OK;
    size_t rows = 0;
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        rows += (size_t)writer->splits[s].count;
    CS_TRY(cs_remove_all(writer->temporary));
    CS_TRY(cs_hdf5_create(writer->temporary, rows * ((size_t)writer->width * sizeof(float) + sizeof(int32_t)), &file));
    for (int s = 0; s < CS_SPLIT_COUNT && status == CS_OK; s++)
        status = place_split(file, writer, (cs_split)s, &writer->splits[s]);
    CS_TRY(cs_hdf5_finish(file, writer->path, status));
    writer->file = open(writer->temporary, O_WRONLY);
    return writer->file < 0 ? cs_fail_errno("%s: cannot write", writer->temporary) : CS_OK;
}

cs_status cs_features_create(const char *path, const char *source, int width, const int64_t counts[CS_SPLIT_COUNT],
                             cs_features_writer **out) {
    cs_features_writer *writer = NULL;
    cs_status status;
    if (width < 1)
        return cs_fail(CS_ERR_ARG, "%s: features of %d values", path, width);
    CS_TRY(cs_alloc(1, sizeof *writer, "features", &writer));
    writer->file = -1;
    writer->width = width;
    CS_TRY_GOTO(cs_path(writer->path, sizeof writer->path, "%s", path), fail);
    CS_TRY_GOTO(cs_path(writer->temporary, sizeof writer->temporary, "%s.tmp", path), fail);
    CS_TRY_GOTO(cs_path(writer->source, sizeof writer->source, "%s", source), fail);
    for (int s = 0; s < CS_SPLIT_COUNT; s++) {
        writer->splits[s].count = counts[s];
        CS_TRY_GOTO(cs_checksum_open(&writer->splits[s].rows), fail);
        CS_TRY_GOTO(cs_checksum_open(&writer->splits[s].labels), fail);
    }
    CS_TRY_GOTO(lay_out(writer), fail);
    *out = writer;
    return CS_OK;
fail:
    cs_features_abort(&writer);
    return status;
}

void cs_features_abort(cs_features_writer **out) {
    if (!out || !*out)
        return;
    cs_features_writer *writer = *out;
    *out = NULL;
    for (int s = 0; s < CS_SPLIT_COUNT; s++) {
        cs_checksum_close(writer->splits[s].rows);
        cs_checksum_close(writer->splits[s].labels);
    }
    if (writer->file >= 0)
        close(writer->file);
    if (writer->temporary[0])
        unlink(writer->temporary);
    free(writer);
}

cs_status cs_features_append(cs_features_writer *writer, cs_split split_index, const float *rows, const int32_t *labels,
                             int n) {
    split_writer *split = &writer->splits[split_index];
    size_t row = (size_t)writer->width * sizeof *rows, first = (size_t)split->n;
    if (n < 0 || n > split->count - split->n)
        return cs_fail(CS_ERR_ARG, "%s: more %s rows than were announced", writer->path, cs_split_name(split_index));
    CS_TRY(cs_write_at(writer->file, writer->path, rows, (size_t)n * row, split->rows_at + first * row));
    CS_TRY(cs_write_at(writer->file, writer->path, labels, (size_t)n * sizeof *labels,
                       split->labels_at + first * sizeof *labels));
    cs_checksum_add(split->rows, rows, (size_t)n * row);
    cs_checksum_add(split->labels, labels, (size_t)n * sizeof *labels);
    split->n += n;
    return CS_OK;
}

/* Writes the attributes. They come last, so that an incomplete file has none and cannot be opened as a features
 * file. */
static cs_status write_attributes(const cs_features_writer *writer, hid_t file, const char *checksum) {
    const int version = VERSION;
    CS_TRY(cs_hdf5_write_text(file, writer->path, "format", FORMAT));
    CS_TRY(cs_hdf5_write_numbers(file, writer->path, "version", H5T_NATIVE_INT, 0, &version));
    CS_TRY(cs_hdf5_write_text(file, writer->path, "source", writer->source));
    CS_TRY(cs_hdf5_write_numbers(file, writer->path, "width", H5T_NATIVE_INT, 0, &writer->width));
    return cs_hdf5_write_text(file, writer->path, "checksum", checksum);
}

static cs_status finish(cs_features_writer *writer) {
    uint64_t sums[CS_SPLIT_COUNT][ARRAYS];
    char checksum[CS_CHECKSUM_TEXT];
    hid_t structures = H5I_INVALID_HID;
    for (int s = 0; s < CS_SPLIT_COUNT; s++) {
        split_writer *split = &writer->splits[s];
        if (split->n < split->count)
            return cs_fail(CS_ERR_ARG, "%s: %lld %s rows never came", writer->path,
                           (long long)(split->count - split->n), cs_split_name((cs_split)s));
        sums[s][0] = cs_checksum_close(split->rows);
        sums[s][1] = cs_checksum_close(split->labels);
        split->rows = split->labels = NULL;
    }
    int file = writer->file;
    writer->file = -1;
    if (close(file) != 0)
        return cs_fail_errno("%s: cannot write", writer->path);
    checksum_text(sums, checksum);
    CS_TRY(cs_hdf5_reopen(writer->temporary, 0, &structures));
    CS_TRY(cs_hdf5_finish(structures, writer->path, write_attributes(writer, structures, checksum)));
    return cs_file_move(writer->temporary, writer->path);
}

cs_status cs_features_commit(cs_features_writer **out) {
    cs_status status = finish(*out);
    cs_features_abort(out); /* frees the writer; after the rename there is no temporary file to remove */
    return status;
}

/* Reading. */

struct cs_features {
    char path[CS_PATH_MAX];
    cs_mapping map;
    int width;
    int64_t counts[CS_SPLIT_COUNT];
    const float *rows[CS_SPLIT_COUNT];
    const int32_t *labels[CS_SPLIT_COUNT];
    const cs_dataset *view; /* NULL: the splits are those of the file */
};

static cs_status check_source(const cs_features *features, hid_t file, const char *source) {
    char format[32], stored[CS_SOURCE_MAX];
    int version;
    CS_TRY(cs_hdf5_read_text(file, features->path, "format", format, sizeof format));
    if (strcmp(format, FORMAT) != 0)
        return cs_fail(CS_ERR_FORMAT, "%s: not a features file", features->path);
    CS_TRY(cs_hdf5_read_numbers(file, features->path, "version", H5T_INTEGER, H5T_NATIVE_INT, 1, &version));
    if (version != VERSION)
        return cs_fail(CS_ERR_FORMAT, "%s: format version %d, this program reads %d", features->path, version, VERSION);
    CS_TRY(cs_hdf5_read_text(file, features->path, "source", stored, sizeof stored));
    if (strcmp(stored, source) != 0)
        return cs_fail(CS_ERR_FORMAT, "%s: features of another source: \"%s\", not \"%s\"", features->path, stored,
                       source);
    return CS_OK;
}

static cs_status read_split(cs_features *features, hid_t file, cs_split split) {
    cs_extent rows = {0}, labels = {0};
    const char *name = cs_split_name(split);
    CS_TRY(cs_hdf5_find(file, features->path, &features->map, name, "features", H5T_NATIVE_FLOAT, &rows));
    CS_TRY(cs_hdf5_find(file, features->path, &features->map, name, "label", H5T_NATIVE_INT32, &labels));
    if (rows.rank != 2 || labels.rank != 1 || rows.dims[0] != labels.dims[0] ||
        rows.dims[1] != (hsize_t)features->width)
        return cs_fail(CS_ERR_FORMAT, "%s: %s: features has another shape than [labels, width]", features->path, name);
    features->counts[split] = (int64_t)rows.dims[0];
    features->rows[split] = rows.bytes;
    features->labels[split] = labels.bytes;
    return CS_OK;
}

static cs_status verify_checksum(const cs_features *features, hid_t file) {
    uint64_t sums[CS_SPLIT_COUNT][ARRAYS];
    char text[CS_CHECKSUM_TEXT], stored[CS_CHECKSUM_TEXT];
    for (int s = 0; s < CS_SPLIT_COUNT; s++) {
        size_t n = (size_t)features->counts[s];
        sums[s][0] = cs_checksum(features->rows[s], n * (size_t)features->width * sizeof(float));
        sums[s][1] = cs_checksum(features->labels[s], n * sizeof(int32_t));
    }
    checksum_text(sums, text);
    CS_TRY(cs_hdf5_read_text(file, features->path, "checksum", stored, sizeof stored));
    if (strcmp(text, stored) != 0)
        return cs_fail(CS_ERR_FORMAT, "%s: altered or damaged: checksum %s, but %s was written", features->path, text,
                       stored);
    return CS_OK;
}

static cs_status read_file(cs_features *features, const char *source) {
    hid_t file;
    cs_status status;
    CS_TRY_GOTO(cs_hdf5_map(features->path, &features->map, &file), done);
    CS_TRY_GOTO(check_source(features, file, source), done);
    CS_TRY_GOTO(cs_hdf5_read_numbers(file, features->path, "width", H5T_INTEGER, H5T_NATIVE_INT, 1, &features->width),
                done);
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        CS_TRY_GOTO(read_split(features, file, (cs_split)s), done);
    status = verify_checksum(features, file);
done:
    if (file >= 0)
        H5Fclose(file);
    return status;
}

cs_status cs_features_open(const char *path, const char *source, cs_features **out) {
    cs_features *features = NULL;
    CS_TRY(cs_alloc(1, sizeof *features, "features", &features));
    cs_status status = cs_path(features->path, sizeof features->path, "%s", path);
    if (status == CS_OK)
        status = read_file(features, source);
    if (status != CS_OK) {
        cs_features_close(features);
        return status == CS_ERR_FORMAT ? cs_hint(status, "delete it: the features are then computed again") : status;
    }
    *out = features;
    return CS_OK;
}

void cs_features_close(cs_features *features) {
    if (!features)
        return;
    cs_hdf5_unmap(&features->map);
    free(features);
}

const char *cs_features_path(const cs_features *features) {
    return features->path;
}

int cs_features_width(const cs_features *features) {
    return features->width;
}

void cs_features_view(cs_features *features, const cs_dataset *view) {
    features->view = view;
}

int64_t cs_features_count(const cs_features *features, cs_split split) {
    return features->view ? cs_dataset_count(features->view, split) : features->counts[split];
}

const float *cs_features_row(const cs_features *features, cs_split split, int64_t i) {
    if (features->view)
        cs_dataset_place(features->view, &split, &i);
    return features->rows[split] + (size_t)i * (size_t)features->width;
}
