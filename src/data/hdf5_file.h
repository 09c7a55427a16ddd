/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the data room: HDF5 files of plain arrays. HDF5 lays them out; their values are written directly to the file
 * and read by mapping it. */
#ifndef CNNSWEEP_HDF5_FILE_H
#define CNNSWEEP_HDF5_FILE_H

#include "cnnsweep/status.h"

#include <stdbool.h>
#include <stdint.h>

#include <hdf5.h>

/* Reports a failure of HDF5: "<path>: cannot <what>: <HDF5's reason>". The code is `code` unless the disk is the
 * cause. */
cs_status cs_fail_hdf5(cs_status code, const char *path, const char *what);
/* Stops HDF5 from printing its own errors on this thread, and resets errno, which cs_fail_hdf5 uses. */
void cs_hdf5_quiet(void);

/* Makes a type for NUL-terminated UTF-8 strings of `size` bytes; close it with H5Tclose. */
hid_t cs_text_type(size_t size);

/* Writing. HDF5 makes the structures, between create or reopen and finish. The values are written afterwards to the
 * places that HDF5 chose, so that a full disk is an ordinary error. `bytes` is the size of all values that will be
 * placed before finish. */
CS_MUST_CHECK cs_status cs_hdf5_create(const char *path, size_t bytes, hid_t *file); /* `path` must not exist */
CS_MUST_CHECK cs_status cs_hdf5_reopen(const char *path, size_t bytes, hid_t *file);
/* Does the same for a file that has structures only. Values of CS_HDF5_LARGE bytes and more that are placed in it begin
 * at multiples of CS_HDF5_FIRST. The first of them begins there, and can be written before it is placed. If there are
 * none, the file is cut off before that. */
enum { CS_HDF5_LARGE = 1 << 14, CS_HDF5_FIRST = 1 << 16 };
CS_MUST_CHECK cs_status cs_hdf5_reopen_empty(const char *path, size_t bytes, hid_t *file);
/* Closes the file. `status` is the result of writing it, which is returned if it is an error; else that of closing. */
CS_MUST_CHECK cs_status cs_hdf5_finish(hid_t file, const char *path, cs_status status);
CS_MUST_CHECK cs_status cs_hdf5_create_group(hid_t file, const char *path, const char *name, hid_t *group);
/* Creates a contiguous dataset without writing its values; *at is the offset in the file where they belong. */
CS_MUST_CHECK cs_status cs_hdf5_place(hid_t group, const char *path, const char *name, hid_t type, int rank,
                                      const hsize_t *dims, haddr_t *at);
CS_MUST_CHECK cs_status cs_write_at(int file, const char *path, const void *bytes, size_t size, haddr_t at);

/* Writes attributes of the root group. n = 0: a scalar. */
CS_MUST_CHECK cs_status cs_hdf5_write_numbers(hid_t file, const char *path, const char *name, hid_t type, hsize_t n,
                                              const void *values);
/* Replaces the values of an existing attribute, whose number stays the same. */
CS_MUST_CHECK cs_status cs_hdf5_rewrite_numbers(hid_t file, const char *path, const char *name, hid_t type,
                                                const void *values);
CS_MUST_CHECK cs_status cs_hdf5_write_text(hid_t file, const char *path, const char *name, const char *text);
/* Reads n numbers of that class, converted to `type`. */
CS_MUST_CHECK cs_status cs_hdf5_read_numbers(hid_t file, const char *path, const char *name, H5T_class_t class,
                                             hid_t type, int n, void *values);
/* Reads at most `size` - 1 bytes of a string. */
CS_MUST_CHECK cs_status cs_hdf5_read_text(hid_t file, const char *path, const char *name, char *text, size_t size);
/* Reads n strings into a malloc'ed array of malloc'ed strings; free it with cs_free_texts, also after a failure. n < 0
 * allows any number, which is stored in *count. */
CS_MUST_CHECK cs_status cs_hdf5_read_texts(hid_t file, const char *path, const char *name, int n, int *count,
                                           char ***out);
void cs_free_texts(char **texts, int n);

/* Reading. */
typedef struct cs_mapping {
    void *bytes;
    size_t size;
} cs_mapping;
/* Maps the file and opens it with HDF5. After a failure the caller must close both as well, if they were opened. */
CS_MUST_CHECK cs_status cs_hdf5_map(const char *path, cs_mapping *mapping, hid_t *file);
void cs_hdf5_unmap(cs_mapping *mapping); /* does nothing if nothing is mapped */

enum { CS_HDF5_MAX_RANK = 4 };
/* Where the values of a dataset are in the mapped file. */
typedef struct cs_extent {
    int rank;
    hsize_t dims[CS_HDF5_MAX_RANK];
    size_t item; /* bytes of one value */
    size_t size;
    const void *bytes;
} cs_extent;
/* Finds the dataset "<group>/<column>" and checks that it lies inside the mapping. Its values must have the type `type`
 * and be aligned to their size; H5I_INVALID_HID stands for fixed-length strings. */
CS_MUST_CHECK cs_status cs_hdf5_find(hid_t file, const char *path, const cs_mapping *mapping, const char *group,
                                     const char *column, hid_t type, cs_extent *out);

#endif
