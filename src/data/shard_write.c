/* Writing one shard file. HDF5 lays out the datasets, contiguous and allocated early, so that readers can map them;
 * their bytes are written past it, which makes a full disk an ordinary error. */
#include "dataset_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { METADATA_RESERVE = 1 << 17, METADATA_BLOCK = 1 << 13, ALIGNMENT = 64 };

/* File access: structures with checksums (1.8 format and later), kept together; data aligned for mapped access. */
static hid_t access_list(void) {
    hid_t list = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(list, H5F_LIBVER_V18, H5F_LIBVER_LATEST);
    H5Pset_fclose_degree(list, H5F_CLOSE_STRONG);
    H5Pset_meta_block_size(list, METADATA_BLOCK);
    H5Pset_alignment(list, 1, ALIGNMENT);
    return list;
}

/* Creation of `class` without time stamps: the same input gives the same bytes. */
static hid_t creation_list(hid_t class) {
    hid_t list = H5Pcreate(class);
    H5Pset_obj_track_times(list, 0);
    return list;
}

/* HDF5 cannot be stopped half way through flushing its structures, so there must be room for them before it starts, and
 * the file must be allowed to grow by `bytes` of data: HDF5 1.10 crashes at exit after a close that failed. What is too
 * much is cut off when it closes the file. */
static cs_status reserve(const char *path, size_t bytes) {
    struct stat info;
    int descriptor = open(path, O_RDWR);
    if (descriptor < 0)
        return cs_fail_errno("%s: cannot write", path);
    bool grown =
        fstat(descriptor, &info) == 0 && ftruncate(descriptor, info.st_size + METADATA_RESERVE + (off_t)bytes) == 0;
    errno = grown ? posix_fallocate(descriptor, info.st_size, METADATA_RESERVE) : errno;
    bool refused = errno != 0 && errno != EINVAL && errno != EOPNOTSUPP;
    cs_status status = refused ? cs_fail_errno("%s: cannot write", path) : CS_OK;
    close(descriptor);
    return status;
}

/* Creates a dataset without writing it; *at is where its bytes belong. */
static cs_status place_dataset(hid_t group, const char *path, const char *name, hid_t type, int rank,
                               const hsize_t *dims, haddr_t *at) {
    hid_t list = creation_list(H5P_DATASET_CREATE);
    H5Pset_layout(list, H5D_CONTIGUOUS);
    H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_time(list, H5D_FILL_TIME_NEVER);
    hid_t space = H5Screate_simple(rank, dims, NULL);
    hid_t dataset = H5Dcreate2(group, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    cs_status status = dataset < 0 ? cs_fail_hdf5(CS_ERR_IO, path, "create a dataset") : CS_OK;
    if (status == CS_OK) {
        *at = H5Dget_offset(dataset);
        if (*at == HADDR_UNDEF && dims[0] > 0)
            status = cs_fail_hdf5(CS_ERR_IO, path, "place a dataset");
        H5Dclose(dataset);
    }
    H5Sclose(space);
    H5Pclose(list);
    return status;
}

static cs_status place_images(hid_t file, const char *path, int s, int h, int w, int64_t count, size_t jpeg_bytes,
                              haddr_t *at) {
    hid_t list = creation_list(H5P_GROUP_CREATE);
    hid_t group = H5Gcreate2(file, cs_split_name((cs_split)s), H5P_DEFAULT, list, H5P_DEFAULT);
    H5Pclose(list);
    if (group < 0)
        return cs_fail_hdf5(CS_ERR_IO, path, "create a group");
    hsize_t raw[4] = {(hsize_t)count, (hsize_t)h, (hsize_t)w, 3}, jpeg = jpeg_bytes;
    cs_status status = count >= 0 ? place_dataset(group, path, "images", H5T_NATIVE_UINT8, 4, raw, at)
                                  : place_dataset(group, path, "jpeg", H5T_NATIVE_UINT8, 1, &jpeg, at);
    H5Gclose(group);
    return status;
}

cs_status cs_shard_begin(const char *path, int h, int w, const int64_t counts[CS_SPLIT_COUNT],
                         const size_t jpeg_bytes[CS_SPLIT_COUNT], haddr_t at[CS_SPLIT_COUNT]) {
    cs_hdf5_quiet();
    hid_t access = access_list(), creation = creation_list(H5P_FILE_CREATE);
    hid_t file = H5Fcreate(path, H5F_ACC_EXCL, creation, access);
    H5Pclose(creation);
    H5Pclose(access);
    if (file < 0)
        return cs_fail_hdf5(CS_ERR_IO, path, "create the file");
    size_t bytes = 0;
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        bytes += jpeg_bytes ? jpeg_bytes[s] : (size_t)counts[s] * (size_t)h * (size_t)w * 3;
    cs_status status = reserve(path, bytes);
    for (int s = 0; s < CS_SPLIT_COUNT && status == CS_OK; s++)
        status = place_images(file, path, s, h, w, jpeg_bytes ? -1 : counts[s], jpeg_bytes ? jpeg_bytes[s] : 0, &at[s]);
    if (H5Fclose(file) < 0 && status == CS_OK)
        status = cs_fail_hdf5(CS_ERR_IO, path, "finish the file");
    return status;
}

cs_status cs_write_at(int file, const char *path, const void *bytes, size_t size, haddr_t at) {
    const char *from = bytes;
    while (size > 0) {
        ssize_t written = pwrite(file, from, size, (off_t)at);
        if (written < 0 && errno != EINTR)
            return cs_fail_errno("%s: cannot write", path);
        if (written > 0) {
            from += written;
            at += (haddr_t)written;
            size -= (size_t)written;
        }
    }
    return CS_OK;
}

/* Where the small columns of a split begin. */
typedef struct placement {
    haddr_t offset, label, id;
} placement;

static cs_status place_columns(hid_t file, const char *path, int s, const cs_split_data *split, placement *at) {
    hsize_t n = (hsize_t)split->n, offsets = n + 1;
    hid_t group = H5Gopen2(file, cs_split_name((cs_split)s), H5P_DEFAULT);
    if (group < 0)
        return cs_fail_hdf5(CS_ERR_IO, path, "open a group");
    cs_status status = CS_OK;
    if (split->offset)
        status = place_dataset(group, path, "offset", H5T_NATIVE_INT64, 1, &offsets, &at->offset);
    if (status == CS_OK)
        status = place_dataset(group, path, "label", H5T_NATIVE_INT32, 1, &n, &at->label);
    if (status == CS_OK) {
        hid_t type = cs_text_type(split->id_size);
        status = place_dataset(group, path, "id", type, 1, &n, &at->id);
        H5Tclose(type);
    }
    H5Gclose(group);
    return status;
}

/* Opens a shard again for more structures, and `bytes` of data. */
static cs_status reopen(const char *path, size_t bytes, hid_t *file) {
    cs_hdf5_quiet();
    CS_TRY(reserve(path, bytes));
    hid_t access = access_list();
    *file = H5Fopen(path, H5F_ACC_RDWR, access);
    H5Pclose(access);
    return *file < 0 ? cs_fail_hdf5(CS_ERR_IO, path, "open the file again") : CS_OK;
}

static cs_status write_columns(int file, const char *path, const cs_split_data *split, const placement *at) {
    size_t n = (size_t)split->n;
    if (split->offset)
        CS_TRY(cs_write_at(file, path, split->offset, (n + 1) * sizeof *split->offset, at->offset));
    CS_TRY(cs_write_at(file, path, split->label, n * sizeof *split->label, at->label));
    return cs_write_at(file, path, split->id, n * split->id_size, at->id);
}

cs_status cs_shard_finish(const char *path, int file, const cs_split_data splits[CS_SPLIT_COUNT]) {
    placement places[CS_SPLIT_COUNT] = {{0}};
    hid_t structures = H5I_INVALID_HID;
    cs_status status = CS_OK;
    size_t bytes = 0;
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        bytes += ((size_t)splits[s].n + 1) * (sizeof *splits->offset + sizeof *splits->label + splits[s].id_size);
    CS_TRY(reopen(path, bytes, &structures));
    for (int s = 0; s < CS_SPLIT_COUNT && status == CS_OK; s++)
        status = place_columns(structures, path, s, &splits[s], &places[s]);
    if (H5Fclose(structures) < 0 && status == CS_OK)
        status = cs_fail_hdf5(CS_ERR_IO, path, "finish the file");
    for (int s = 0; s < CS_SPLIT_COUNT && status == CS_OK; s++)
        status = write_columns(file, path, &splits[s], &places[s]);
    return status;
}

cs_status cs_shard_seal(const char *path, const cs_dataset_meta *meta) {
    hid_t file = H5I_INVALID_HID;
    CS_TRY(reopen(path, 0, &file));
    cs_status status = cs_meta_write(file, path, meta);
    if (H5Fclose(file) < 0 && status == CS_OK)
        status = cs_fail_hdf5(CS_ERR_IO, path, "finish the file");
    return status == CS_OK ? cs_file_sync(path) : status;
}
