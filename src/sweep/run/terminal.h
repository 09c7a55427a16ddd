/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the terminal on which standard error appears. Under mpirun it is not that of this process,
 * which writes to a pipe, but that of mpirun, which passes on what comes through the pipe, also parts of lines. */
#ifndef CNNSWEEP_TERMINAL_H
#define CNNSWEEP_TERMINAL_H

#include <stdbool.h>

/* The size in characters of the terminal that a file is; false: it is none. */
bool cs_terminal_size(int file, int *rows, int *columns);
/* The width of the terminal in characters; 0: standard error appears on none, or mpirun marks its lines
 * (--tag-output, --timestamp-output) or keeps it in files (--output-filename). A rank on another node than mpirun sees
 * no terminal. */
int cs_terminal_columns(void);

#endif
