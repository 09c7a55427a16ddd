/* Writing one shard file. HDF5 lays out the datasets, contiguous and allocated early, so that readers can map them;
 * their bytes are then written past it, which makes a full disk an ordinary error. */
#include "dataset_impl.h"

#include "cnnsweep/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { METADATA_RESERVE = 1 << 17, METADATA_BLOCK = 1 << 14, ALIGNMENT = 64, COPY_BUFFER = 1 << 20 };

/* Where the datasets of a split begin in the file. */
typedef struct placement {
    haddr_t images, offset, label, id;
} placement;

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

/* HDF5 cannot be stopped half way through flushing its structures, so there must be room for them before it starts.
 * What is too much is cut off when it closes the file. */
static cs_status reserve_metadata(const char *path) {
    struct stat info;
    int descriptor = open(path, O_RDWR);
    if (descriptor < 0)
        return cs_fail_errno("%s: cannot write", path);
    errno = fstat(descriptor, &info) == 0 ? posix_fallocate(descriptor, info.st_size, METADATA_RESERVE) : errno;
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

static cs_status place_columns(hid_t group, const char *path, int h, int w, const cs_split_data *split, placement *at) {
    hsize_t n = (hsize_t)split->n;
    if (split->offset) {
        hsize_t bytes = split->image_bytes, offsets = n + 1;
        CS_TRY(place_dataset(group, path, "jpeg", H5T_NATIVE_UINT8, 1, &bytes, &at->images));
        CS_TRY(place_dataset(group, path, "offset", H5T_NATIVE_INT64, 1, &offsets, &at->offset));
    } else {
        hsize_t dims[4] = {n, (hsize_t)h, (hsize_t)w, 3};
        CS_TRY(place_dataset(group, path, "images", H5T_NATIVE_UINT8, 4, dims, &at->images));
    }
    CS_TRY(place_dataset(group, path, "label", H5T_NATIVE_INT32, 1, &n, &at->label));
    hid_t type = cs_text_type(split->id_size);
    cs_status status = place_dataset(group, path, "id", type, 1, &n, &at->id);
    H5Tclose(type);
    return status;
}

static cs_status place_splits(hid_t file, const char *path, int h, int w, const cs_split_data *splits,
                              placement *places) {
    cs_status status = reserve_metadata(path);
    for (int s = 0; s < CS_SPLIT_COUNT && status == CS_OK; s++) {
        hid_t list = creation_list(H5P_GROUP_CREATE);
        hid_t group = H5Gcreate2(file, cs_split_name((cs_split)s), H5P_DEFAULT, list, H5P_DEFAULT);
        status = group < 0 ? cs_fail_hdf5(CS_ERR_IO, path, "create a group")
                           : place_columns(group, path, h, w, &splits[s], &places[s]);
        if (group >= 0)
            H5Gclose(group);
        H5Pclose(list);
    }
    return status;
}

static cs_status create_file(const char *path, int h, int w, const cs_split_data *splits, placement *places) {
    hid_t access = access_list(), creation = creation_list(H5P_FILE_CREATE);
    hid_t file = H5Fcreate(path, H5F_ACC_EXCL, creation, access);
    H5Pclose(creation);
    H5Pclose(access);
    if (file < 0)
        return cs_fail_hdf5(CS_ERR_IO, path, "create the file");
    cs_status status = place_splits(file, path, h, w, splits, places);
    if (H5Fclose(file) < 0 && status == CS_OK)
        status = cs_fail_hdf5(CS_ERR_IO, path, "finish the file");
    return status;
}

static cs_status write_at(int file, const char *path, const void *bytes, size_t size, haddr_t at) {
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

static cs_status copy_images(int spool, int file, const char *path, size_t size, haddr_t at, char *buffer,
                             cs_checksum_stream *checksum) {
    for (size_t done = 0; done < size;) {
        size_t wanted = size - done < COPY_BUFFER ? size - done : COPY_BUFFER;
        ssize_t got = pread(spool, buffer, wanted, (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return cs_fail_errno("%s: cannot read back what was written", path);
        cs_checksum_add(checksum, buffer, (size_t)got);
        CS_TRY(write_at(file, path, buffer, (size_t)got, at + done));
        done += (size_t)got;
    }
    return CS_OK;
}

static cs_status write_column(int file, const char *path, const void *values, size_t size, haddr_t at,
                              cs_checksum_stream *checksum) {
    cs_checksum_add(checksum, values, size);
    return write_at(file, path, values, size, at);
}

static cs_status write_split(int file, const char *path, const cs_split_data *split, int spool, const placement *at,
                             char *buffer, cs_checksum_stream *checksum) {
    size_t n = (size_t)split->n;
    CS_TRY(copy_images(spool, file, path, split->image_bytes, at->images, buffer, checksum));
    if (split->offset)
        CS_TRY(write_column(file, path, split->offset, (n + 1) * sizeof *split->offset, at->offset, checksum));
    CS_TRY(write_column(file, path, split->label, n * sizeof *split->label, at->label, checksum));
    return write_column(file, path, split->id, n * split->id_size, at->id, checksum);
}

static cs_status write_data(const char *path, const cs_split_data *splits, const int *spools, const placement *places,
                            cs_checksum_stream *checksum) {
    char *buffer = NULL;
    CS_TRY(cs_alloc(COPY_BUFFER, 1, "copy buffer", &buffer));
    int file = open(path, O_WRONLY);
    cs_status status = file < 0 ? cs_fail_errno("%s: cannot write", path) : CS_OK;
    for (int s = 0; s < CS_SPLIT_COUNT && status == CS_OK; s++)
        status = write_split(file, path, &splits[s], spools[s], &places[s], buffer, checksum);
    if (file >= 0 && close(file) != 0 && status == CS_OK)
        status = cs_fail_errno("%s: cannot write", path);
    free(buffer);
    return status;
}

cs_status cs_shard_write(const char *path, int h, int w, const cs_split_data splits[CS_SPLIT_COUNT],
                         const int spools[CS_SPLIT_COUNT], char checksum[CS_CHECKSUM_TEXT]) {
    placement places[CS_SPLIT_COUNT] = {{0}};
    cs_checksum_stream *stream = NULL;
    cs_hdf5_quiet();
    CS_TRY(create_file(path, h, w, splits, places));
    CS_TRY(cs_checksum_open(&stream));
    cs_status status = write_data(path, splits, spools, places, stream);
    cs_checksum_text(cs_checksum_close(stream), checksum);
    return status;
}

cs_status cs_shard_seal(const char *path, const cs_dataset_meta *meta) {
    cs_hdf5_quiet();
    CS_TRY(reserve_metadata(path));
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
