/* Writing one shard file. Everything is contiguous and allocated early, so that readers can map it. */
#include "dataset_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Room for HDF5's own structures and the attributes, reserved with the data. */
enum { METADATA_RESERVE = 1 << 20, ALIGNMENT = 64 };

/* File access: structures with checksums (1.8 format and later), data aligned for mapped int64 access. */
static hid_t access_list(void) {
    hid_t list = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(list, H5F_LIBVER_V18, H5F_LIBVER_LATEST);
    H5Pset_fclose_degree(list, H5F_CLOSE_STRONG);
    H5Pset_alignment(list, 1, ALIGNMENT);
    return list;
}

/* Creation of `class` without time stamps: the same input gives the same bytes. */
static hid_t creation_list(hid_t class) {
    hid_t list = H5Pcreate(class);
    H5Pset_obj_track_times(list, 0);
    return list;
}

static cs_status write_dataset(hid_t group, const char *path, const char *name, hid_t type, int rank,
                               const hsize_t *dims, const void *values) {
    hid_t list = creation_list(H5P_DATASET_CREATE);
    H5Pset_layout(list, H5D_CONTIGUOUS);
    H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_time(list, H5D_FILL_TIME_NEVER);
    hid_t space = H5Screate_simple(rank, dims, NULL);
    hid_t dataset = H5Dcreate2(group, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    herr_t result = dataset < 0 ? -1 : 0;
    if (dataset >= 0 && dims[0] > 0)
        result = H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    cs_status status = result < 0 ? cs_fail_hdf5(CS_ERR_IO, path, "write a dataset") : CS_OK;
    if (dataset >= 0)
        H5Dclose(dataset);
    H5Sclose(space);
    H5Pclose(list);
    return status;
}

static cs_status write_columns(hid_t group, const char *path, int h, int w, const cs_split_data *split) {
    hsize_t n = (hsize_t)split->n;
    if (split->offset) {
        hsize_t bytes = split->image_bytes, offsets = n + 1;
        CS_TRY(write_dataset(group, path, "jpeg", H5T_NATIVE_UINT8, 1, &bytes, split->images));
        CS_TRY(write_dataset(group, path, "offset", H5T_NATIVE_INT64, 1, &offsets, split->offset));
    } else {
        hsize_t dims[4] = {n, (hsize_t)h, (hsize_t)w, 3};
        CS_TRY(write_dataset(group, path, "images", H5T_NATIVE_UINT8, 4, dims, split->images));
    }
    CS_TRY(write_dataset(group, path, "label", H5T_NATIVE_INT32, 1, &n, split->label));
    hid_t type = cs_text_type(split->id_size);
    cs_status status = write_dataset(group, path, "id", type, 1, &n, split->id);
    H5Tclose(type);
    return status;
}

static cs_status write_splits(hid_t file, const char *path, int h, int w, const cs_split_data *splits) {
    cs_status status = CS_OK;
    for (int s = 0; s < CS_SPLIT_COUNT && status == CS_OK; s++) {
        hid_t list = creation_list(H5P_GROUP_CREATE);
        hid_t group = H5Gcreate2(file, cs_split_name((cs_split)s), H5P_DEFAULT, list, H5P_DEFAULT);
        status =
            group < 0 ? cs_fail_hdf5(CS_ERR_IO, path, "write a group") : write_columns(group, path, h, w, &splits[s]);
        if (group >= 0)
            H5Gclose(group);
        H5Pclose(list);
    }
    return status;
}

/* HDF5 cannot be stopped half way through flushing its structures, so a full disk must show before it starts. What is
 * too much is cut off when the shard is sealed. */
static cs_status reserve_space(const char *path, const cs_split_data *splits) {
    size_t bytes = METADATA_RESERVE;
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        bytes += splits[s].image_bytes + (size_t)splits[s].n * (splits[s].id_size + sizeof(int32_t) + sizeof(int64_t));
    int descriptor = open(path, O_RDWR);
    if (descriptor < 0)
        return cs_fail_errno("%s: cannot write", path);
    errno = posix_fallocate(descriptor, 0, (off_t)bytes);
    bool refused = errno != 0 && errno != EINVAL && errno != EOPNOTSUPP;
    cs_status status = refused ? cs_fail_errno("%s: cannot reserve %zu bytes", path, bytes) : CS_OK;
    close(descriptor);
    return status;
}

cs_status cs_shard_write(const char *path, int h, int w, const cs_split_data splits[CS_SPLIT_COUNT]) {
    cs_hdf5_quiet();
    hid_t access = access_list(), creation = creation_list(H5P_FILE_CREATE);
    hid_t file = H5Fcreate(path, H5F_ACC_EXCL, creation, access);
    H5Pclose(creation);
    H5Pclose(access);
    if (file < 0)
        return cs_fail_hdf5(CS_ERR_IO, path, "create the file");
    cs_status status = reserve_space(path, splits);
    if (status == CS_OK)
        status = write_splits(file, path, h, w, splits);
    if (H5Fclose(file) < 0 && status == CS_OK)
        status = cs_fail_hdf5(CS_ERR_IO, path, "finish the file");
    return status;
}

cs_status cs_shard_seal(const char *path, const cs_dataset_meta *meta) {
    cs_hdf5_quiet();
    hid_t access = access_list();
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, access);
    H5Pclose(access);
    if (file < 0)
        return cs_fail_hdf5(CS_ERR_IO, path, "open the file again");
    cs_status status = cs_meta_write(file, path, meta);
    if (H5Fclose(file) < 0 && status == CS_OK)
        status = cs_fail_hdf5(CS_ERR_IO, path, "finish the file");
    return status == CS_OK ? cs_file_sync(path) : status;
}
