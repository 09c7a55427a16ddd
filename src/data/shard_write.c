/* SPDX-License-Identifier: Apache-2.0 */
/* Writes one shard file. */
#include "dataset_impl.h"

static cs_status begin_split(hid_t file, const char *path, int s, int h, int w, const int64_t *counts, haddr_t at[]) {
    hid_t group = H5I_INVALID_HID;
    cs_status status = CS_OK;
    CS_TRY(cs_hdf5_create_group(file, path, cs_split_name((cs_split)s), &group));
    if (counts) {
        const hsize_t dims[4] = {(hsize_t)counts[s], (hsize_t)h, (hsize_t)w, 3};
        status = cs_hdf5_place(group, path, "images", H5T_NATIVE_UINT8, 4, dims, &at[s]);
    }
    H5Gclose(group);
    return status;
}

cs_status cs_shard_begin(const char *path, int h, int w, const int64_t counts[CS_SPLIT_COUNT],
                         haddr_t at[CS_SPLIT_COUNT]) {
    hid_t file = H5I_INVALID_HID;
    cs_status status = CS_OK;
    size_t bytes = 0;
    for (int s = 0; counts && s < CS_SPLIT_COUNT; s++)
        bytes += (size_t)counts[s] * (size_t)h * (size_t)w * 3;
    CS_TRY(cs_hdf5_create(path, bytes, &file));
    for (int s = 0; s < CS_SPLIT_COUNT && status == CS_OK; s++)
        status = begin_split(file, path, s, h, w, counts, at);
    return cs_hdf5_finish(file, path, status);
}

static cs_status open_group(hid_t file, const char *path, int s, hid_t *group) {
    *group = H5Gopen2(file, cs_split_name((cs_split)s), H5P_DEFAULT);
    return *group < 0 ? cs_fail_hdf5(CS_ERR_IO, path, "open a group") : CS_OK;
}

cs_status cs_shard_place_jpegs(const char *path, const size_t bytes[CS_SPLIT_COUNT], haddr_t at[CS_SPLIT_COUNT]) {
    hid_t file = H5I_INVALID_HID, group = H5I_INVALID_HID;
    cs_status status = CS_OK;
    size_t sum = 0;
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        sum += bytes[s];
    CS_TRY(cs_hdf5_reopen_empty(path, sum, &file));
    for (int s = 0; s < CS_SPLIT_COUNT && status == CS_OK; s++) {
        const hsize_t dims = bytes[s];
        status = open_group(file, path, s, &group);
        if (status != CS_OK)
            break;
        status = cs_hdf5_place(group, path, "jpeg", H5T_NATIVE_UINT8, 1, &dims, &at[s]);
        H5Gclose(group);
    }
    return cs_hdf5_finish(file, path, status);
}

/* Where the columns of a split begin. */
typedef struct placement {
    haddr_t offset, label, id, weight, group;
} placement;

static cs_status place_texts(hid_t group, const char *path, const char *name, const cs_text_column *column, hsize_t n,
                             haddr_t *at) {
    hid_t type = cs_text_type(column->size);
    cs_status status = cs_hdf5_place(group, path, name, type, 1, &n, at);
    H5Tclose(type);
    return status;
}

static cs_status place_columns(hid_t file, const char *path, int s, const cs_split_data *split, placement *at) {
    hsize_t n = (hsize_t)split->n, offsets = n + 1;
    hid_t group = H5I_INVALID_HID;
    cs_status status = CS_OK;
    CS_TRY(open_group(file, path, s, &group));
    if (split->offset)
        status = cs_hdf5_place(group, path, "offset", H5T_NATIVE_INT64, 1, &offsets, &at->offset);
    if (status == CS_OK)
        status = cs_hdf5_place(group, path, "label", H5T_NATIVE_INT32, 1, &n, &at->label);
    if (status == CS_OK)
        status = place_texts(group, path, "id", &split->id, n, &at->id);
    if (status == CS_OK && split->weight)
        status = cs_hdf5_place(group, path, "weight", H5T_NATIVE_FLOAT, 1, &n, &at->weight);
    if (status == CS_OK && split->group.text)
        status = place_texts(group, path, "group", &split->group, n, &at->group);
    H5Gclose(group);
    return status;
}

static cs_status write_columns(int file, const char *path, const cs_split_data *split, const placement *at) {
    size_t n = (size_t)split->n;
    if (split->offset)
        CS_TRY(cs_write_at(file, path, split->offset, (n + 1) * sizeof *split->offset, at->offset));
    CS_TRY(cs_write_at(file, path, split->label, n * sizeof *split->label, at->label));
    if (split->weight)
        CS_TRY(cs_write_at(file, path, split->weight, n * sizeof *split->weight, at->weight));
    if (split->group.text)
        CS_TRY(cs_write_at(file, path, split->group.text, n * split->group.size, at->group));
    return cs_write_at(file, path, split->id.text, n * split->id.size, at->id);
}

cs_status cs_shard_finish(const char *path, int file, const cs_split_data splits[CS_SPLIT_COUNT]) {
    placement places[CS_SPLIT_COUNT] = {{0}};
    hid_t structures = H5I_INVALID_HID;
    cs_status status = CS_OK;
    size_t bytes = 0;
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        bytes += ((size_t)splits[s].n + 1) * (sizeof *splits->offset + sizeof *splits->label + sizeof *splits->weight +
                                              splits[s].id.size + splits[s].group.size);
    CS_TRY(cs_hdf5_reopen(path, bytes, &structures));
    for (int s = 0; s < CS_SPLIT_COUNT && status == CS_OK; s++)
        status = place_columns(structures, path, s, &splits[s], &places[s]);
    status = cs_hdf5_finish(structures, path, status);
    for (int s = 0; s < CS_SPLIT_COUNT && status == CS_OK; s++)
        status = write_columns(file, path, &splits[s], &places[s]);
    return status;
}

cs_status cs_shard_seal(const char *path, const cs_dataset_meta *meta) {
    hid_t file = H5I_INVALID_HID;
    CS_TRY(cs_hdf5_reopen(path, 0, &file));
    cs_status status = cs_meta_write(file, path, meta);
    status = cs_hdf5_finish(file, path, status);
    return status == CS_OK ? cs_file_sync(path) : status;
}

cs_status cs_shard_set_mean_std(const char *path, const double mean[3], const double std[3]) {
    hid_t file = H5I_INVALID_HID;
    CS_TRY(cs_hdf5_reopen(path, 0, &file));
    cs_status status = cs_hdf5_rewrite_numbers(file, path, "mean", H5T_NATIVE_DOUBLE, mean);
    if (status == CS_OK)
        status = cs_hdf5_rewrite_numbers(file, path, "std", H5T_NATIVE_DOUBLE, std);
    status = cs_hdf5_finish(file, path, status);
    return status == CS_OK ? cs_file_sync(path) : status;
}
