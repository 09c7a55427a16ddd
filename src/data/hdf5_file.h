/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the data room: HDF5 files of plain arrays that are laid out by HDF5, written past it and read by mapping. */
#ifndef CNNSWEEP_HDF5_FILE_H
#define CNNSWEEP_HDF5_FILE_H

#include "cnnsweep/status.h"

#include <stdbool.h>
#include <stdint.h>

#include <hdf5.h>

/* HDF5 refused: "<path>: cannot <what>: <HDF5's reason>". `code` unless the disk is to blame. */
cs_status cs_fail_hdf5(cs_status code, const char *path, const char *what);
/* Stops HDF5 from printing its own errors on this thread; resets errno, which cs_fail_hdf5 looks at. */
void cs_hdf5_quiet(void);

/* A NUL-terminated UTF-8 string type of `size` bytes; close it with H5Tclose. */
hid_t cs_text_type(size_t size);

/* Writing. Structures are made with HDF5, between create or reopen and finish; the values are then written where it
 * placed them, which makes a full disk an ordinary error. `bytes`: of the values that will be placed until finish. */
CS_MUST_CHECK cs_status cs_hdf5_create(const char *path, size_t bytes, hid_t *file); /* `path` must be free */
CS_MUST_CHECK cs_status cs_hdf5_reopen(const char *path, size_t bytes, hid_t *file);
/* Closes the file. `status`: how writing it went; returned when it is an error, else that of closing. */
CS_MUST_CHECK cs_status cs_hdf5_finish(hid_t file, const char *path, cs_status status);
CS_MUST_CHECK cs_status cs_hdf5_create_group(hid_t file, const char *path, const char *name, hid_t *group);
/* Creates a contiguous dataset without writing it; *at is where its bytes belong. */
CS_MUST_CHECK cs_status cs_hdf5_place(hid_t group, const char *path, const char *name, hid_t type, int rank,
                                      const hsize_t *dims, haddr_t *at);
CS_MUST_CHECK cs_status cs_write_at(int file, const char *path, const void *bytes, size_t size, haddr_t at);

/* Attributes of the root. n = 0: a scalar. */
CS_MUST_CHECK cs_status cs_hdf5_write_numbers(hid_t file, const char *path, const char *name, hid_t type, hsize_t n,
                                              const void *values);
/* Other values for an attribute that is there, as many. */
CS_MUST_CHECK cs_status cs_hdf5_rewrite_numbers(hid_t file, const char *path, const char *name, hid_t type,
                                                const void *values);
CS_MUST_CHECK cs_status cs_hdf5_write_text(hid_t file, const char *path, const char *name, const char *text);
/* n numbers of that class, as values of `type`. */
CS_MUST_CHECK cs_status cs_hdf5_read_numbers(hid_t file, const char *path, const char *name, H5T_class_t class,
                                             hid_t type, int n, void *values);
/* At most `size` - 1 bytes of the text. */
CS_MUST_CHECK cs_status cs_hdf5_read_text(hid_t file, const char *path, const char *name, char *text, size_t size);
/* n texts (n < 0: any number, told in *count), each malloc'ed, in a malloc'ed array: cs_free_texts, also on failure. */
CS_MUST_CHECK cs_status cs_hdf5_read_texts(hid_t file, const char *path, const char *name, int n, int *count,
                                           char ***out);
void cs_free_texts(char **texts, int n);

/* Reading. */
typedef struct cs_mapping {
    void *bytes;
    size_t size;
} cs_mapping;
/* Maps the file and opens it with HDF5; on failure both are left for the caller to close, as far as they are there. */
CS_MUST_CHECK cs_status cs_hdf5_map(const char *path, cs_mapping *mapping, hid_t *file);
void cs_hdf5_unmap(cs_mapping *mapping); /* does nothing when there is none */

enum { CS_HDF5_MAX_RANK = 4 };
/* Where a dataset lies in the mapped file. */
typedef struct cs_extent {
    int rank;
    hsize_t dims[CS_HDF5_MAX_RANK];
    size_t item; /* bytes of one value */
    size_t size;
    const void *bytes;
} cs_extent;
/* Finds the dataset "<group>/<column>" and checks that it lies inside the map. `type`: what its values must be, aligned
 * to their size, or H5I_INVALID_HID for fixed-length strings. */
CS_MUST_CHECK cs_status cs_hdf5_find(hid_t file, const char *path, const cs_mapping *mapping, const char *group,
                                     const char *column, hid_t type, cs_extent *out);

#endif
