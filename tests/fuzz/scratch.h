/* SPDX-License-Identifier: Apache-2.0 */
/* The folder in which a harness gives its input to readers of files: in memory, where the system has a folder for that.
 * It is removed when the process ends. A function that fails ends the program. */
#ifndef CNNSWEEP_TESTS_FUZZ_SCRATCH_H
#define CNNSWEEP_TESTS_FUZZ_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

/* The path of the folder, which the first call makes. */
const char *fuzz_folder(void);
/* Puts the bytes into the file "input" of the folder and returns its path. The file stays the same, so that links to it
 * show each new input. */
const char *fuzz_file(const uint8_t *bytes, size_t size);

#endif
