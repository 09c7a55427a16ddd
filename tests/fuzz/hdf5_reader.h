/* SPDX-License-Identifier: Apache-2.0 */
/* A reader of HDF5 files for the harness fuzz_hdf5.c: of weights (read_weights.c) or of datasets (read_dataset.c). */
#ifndef CNNSWEEP_TESTS_FUZZ_HDF5_READER_H
#define CNNSWEEP_TESTS_FUZZ_HDF5_READER_H

#include "cnnsweep/status.h"

/* Prepares a process for reading; ends the program if that fails. */
void fuzz_read_begin(void);
/* Reads the file as the program does, and frees all of it. */
CS_MUST_CHECK cs_status fuzz_read(const char *path);

#endif
