/* SPDX-License-Identifier: Apache-2.0 */
#include "hdf5_file.h"

#include "cnnsweep/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { METADATA_RESERVE = 1 << 17, METADATA_BLOCK = 1 << 13 };
enum { ALIGNMENT = 64 }; /* for mapped access */

void cs_hdf5_quiet(void) {
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    errno = 0;
}

/* Keeps the innermost error of HDF5's stack, which is the one that names the reason. */
static herr_t keep_first(unsigned n, const H5E_error2_t *error, void *text) {
    if (n == 0)
        snprintf(text, 256, "%s", error->desc ? error->desc : "unknown");
    return 0;
}

cs_status cs_fail_hdf5(cs_status code, const char *path, const char *what) {
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
        return cs_fail_errno("%s: cannot %s", path, what);
    char reason[256] = "unknown";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, reason);
    bool locked = strstr(reason, "unable to lock") != NULL;
    cs_status status = cs_fail(code, "%s: cannot %s: %s", path, what, reason);
    return locked ? cs_hint(status, "another program has it open for writing: wait for it to end, or set "
                                    "HDF5_USE_FILE_LOCKING=FALSE if there is none")
                  : status;
}

/* Files are opened without locks, as some network disks have none. None is needed: a file that is being written has a
 * temporary name that no reader opens, and a finished file never changes. The environment variable
 * HDF5_USE_FILE_LOCKING overrides this setting. */
static hid_t access_list(void) {
    hid_t list = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fclose_degree(list, H5F_CLOSE_STRONG);
    H5Pset_file_locking(list, false, true);
    return list;
}

/* Structures of the 1.8 format and later have checksums. They are kept together, and data of `threshold` bytes and more
 * is aligned. */
static hid_t write_list(size_t threshold, size_t alignment) {
    hid_t list = access_list();
    H5Pset_libver_bounds(list, H5F_LIBVER_V18, H5F_LIBVER_LATEST);
    H5Pset_meta_block_size(list, METADATA_BLOCK);
    H5Pset_alignment(list, threshold, alignment);
    return list;
}

/* Objects of `class` are created without time stamps, so that the same input gives the same bytes. */
static hid_t creation_list(hid_t class) {
    hid_t list = H5Pcreate(class);
    H5Pset_obj_track_times(list, 0);
    return list;
}

/* Makes sure that HDF5 can flush its structures. It cannot be stopped half way, and version 1.10 crashes at exit after
 * a close that failed: so there must be space for the structures before it starts, and the file must be allowed to grow
 * by `bytes` of data. HDF5 truncates the excess when it closes the file. */
static cs_status reserve(const char *path, size_t bytes) {
    struct stat info;
    int descriptor = open(path, O_RDWR);
    if (descriptor < 0)
        return cs_fail_errno("%s: cannot write", path);
    bool grown =
        fstat(descriptor, &info) == 0 && ftruncate(descriptor, info.st_size + METADATA_RESERVE + (off_t)bytes) == 0;
    errno = grown ? posix_fallocate(descriptor, info.st_size, METADATA_RESERVE) : errno;
    if (errno == 0)
        errno = posix_fallocate(descriptor, 0, CS_HDF5_FIRST);
    bool refused = errno != 0 && errno != EINVAL && errno != EOPNOTSUPP;
    cs_status status = refused ? cs_fail_errno("%s: cannot write", path) : CS_OK;
    close(descriptor);
    return status;
}

/* Opens the file and closes the access list. `what` names the action in the error, which has the given code. */
static cs_status open_file(const char *path, unsigned flags, hid_t access, cs_status code, const char *what,
                           hid_t *file) {
    *file = H5Fopen(path, flags, access);
    cs_status status = *file < 0 ? cs_fail_hdf5(code, path, what) : CS_OK;
    H5Pclose(access); /* only now, as any call of HDF5 discards the reason */
    return status;
}

cs_status cs_hdf5_create(const char *path, size_t bytes, hid_t *file) {
    cs_hdf5_quiet();
    hid_t access = write_list(1, ALIGNMENT), creation = creation_list(H5P_FILE_CREATE);
    *file = H5Fcreate(path, H5F_ACC_EXCL, creation, access);
    cs_status status = *file < 0 ? cs_fail_hdf5(CS_ERR_IO, path, "create the file") : CS_OK;
    H5Pclose(creation); /* only now, as any call of HDF5 discards the reason */
    H5Pclose(access);
    CS_TRY(status);
    status = reserve(path, bytes);
    return status == CS_OK ? CS_OK : cs_hdf5_finish(*file, path, status);
}

cs_status cs_hdf5_reopen(const char *path, size_t bytes, hid_t *file) {
    cs_hdf5_quiet();
    CS_TRY(reserve(path, bytes));
    return open_file(path, H5F_ACC_RDWR, write_list(1, ALIGNMENT), CS_ERR_IO, "open the file again", file);
}

cs_status cs_hdf5_reopen_empty(const char *path, size_t bytes, hid_t *file) {
    cs_hdf5_quiet();
    CS_TRY(reserve(path, bytes));
    return open_file(path, H5F_ACC_RDWR, write_list(CS_HDF5_LARGE, CS_HDF5_FIRST), CS_ERR_IO, "open the file again",
                     file);
}

cs_status cs_hdf5_finish(hid_t file, const char *path, cs_status status) {
    if (H5Fclose(file) < 0 && status == CS_OK)
        status = cs_fail_hdf5(CS_ERR_IO, path, "finish the file");
    return status;
}

cs_status cs_hdf5_create_group(hid_t file, const char *path, const char *name, hid_t *group) {
    hid_t list = creation_list(H5P_GROUP_CREATE);
    *group = H5Gcreate2(file, name, H5P_DEFAULT, list, H5P_DEFAULT);
    H5Pclose(list);
    return *group < 0 ? cs_fail_hdf5(CS_ERR_IO, path, "create a group") : CS_OK;
}

cs_status cs_hdf5_place(hid_t group, const char *path, const char *name, hid_t type, int rank, const hsize_t *dims,
                        haddr_t *at) {
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

/* Some file systems (FUSE, 9p) have no shared mappings. A private one shows the same bytes, as the file never changes.
 */
static void *map_descriptor(int descriptor, size_t size) {
    void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, descriptor, 0);
    return map == MAP_FAILED && errno == ENODEV ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, descriptor, 0) : map;
}

static cs_status map_file(const char *path, cs_mapping *mapping) {
    int descriptor = open(path, O_RDONLY);
    struct stat info;
    if (descriptor < 0)
        return cs_fail_errno("%s: cannot open", path);
    cs_status status = CS_OK;
    void *map = MAP_FAILED;
    if (fstat(descriptor, &info) == 0)
        map = map_descriptor(descriptor, (size_t)info.st_size);
    if (map == MAP_FAILED)
        status = cs_fail_errno("%s: cannot map", path);
    else
        *mapping = (cs_mapping){map, (size_t)info.st_size};
    close(descriptor);
    return status;
}

cs_status cs_hdf5_map(const char *path, cs_mapping *mapping, hid_t *file) {
    *mapping = (cs_mapping){0};
    *file = H5I_INVALID_HID;
    cs_hdf5_quiet();
    CS_TRY(map_file(path, mapping));
    CS_TRY(cs_refuse_stand_in(path, mapping->bytes, mapping->size));
    return open_file(path, H5F_ACC_RDONLY, access_list(), CS_ERR_FORMAT, "open the file", file);
}

void cs_hdf5_unmap(cs_mapping *mapping) {
    if (mapping->bytes)
        munmap(mapping->bytes, mapping->size);
    *mapping = (cs_mapping){0};
}

/* Finds the values of an open dataset in the mapping, after checking that they lie inside it. */
static cs_status place(const cs_mapping *mapping, const char *path, hid_t dataset, const char *name, cs_extent *out) {
    hid_t space = H5Dget_space(dataset), type = H5Dget_type(dataset);
    out->rank = H5Sget_simple_extent_ndims(space);
    if (out->rank >= 1 && out->rank <= CS_HDF5_MAX_RANK)
        H5Sget_simple_extent_dims(space, out->dims, NULL);
    hssize_t values = H5Sget_simple_extent_npoints(space);
    out->item = H5Tget_size(type);
    H5Tclose(type);
    H5Sclose(space);
    if (out->rank < 1 || out->rank > CS_HDF5_MAX_RANK || values < 0)
        return cs_fail(CS_ERR_FORMAT, "%s: %s has rank %d", path, name, out->rank);
    if (out->item == 0)
        return cs_fail(CS_ERR_FORMAT, "%s: %s has values of no bytes", path, name);
    if (values == 0) {
        static const alignas(int64_t) char nothing[sizeof(int64_t)];
        out->size = 0;
        out->bytes = nothing;
        return CS_OK;
    }
    haddr_t at = H5Dget_offset(dataset);
    if (at == HADDR_UNDEF || at > mapping->size || (size_t)values > (mapping->size - at) / out->item)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: %s is not stored contiguously inside the file", path, name),
                       "compressed or chunked copies cannot be mapped; make the file again");
    out->size = (size_t)values * out->item;
    out->bytes = (const char *)mapping->bytes + at;
    return CS_OK;
}

cs_status cs_hdf5_find(hid_t file, const char *path, const cs_mapping *mapping, const char *group, const char *column,
                       hid_t type, cs_extent *out) {
    char name[64];
    snprintf(name, sizeof name, "%s/%s", group, column);
    hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    if (dataset < 0)
        return cs_fail(CS_ERR_FORMAT, "%s: the dataset %s is missing", path, name);
    hid_t stored = H5Dget_type(dataset);
    bool right = type == H5I_INVALID_HID ? H5Tget_class(stored) == H5T_STRING && H5Tis_variable_str(stored) == 0
                                         : H5Tequal(stored, type) > 0;
    H5Tclose(stored);
    cs_status status = right ? place(mapping, path, dataset, name, out)
                             : cs_fail(CS_ERR_FORMAT, "%s: %s has another type of values", path, name);
    H5Dclose(dataset);
    bool number = right && type != H5I_INVALID_HID;
    if (status == CS_OK && number && (uintptr_t)out->bytes % out->item != 0)
        status = cs_fail(CS_ERR_FORMAT, "%s: %s is not aligned to its %zu-byte values", path, name, out->item);
    return status;
}
