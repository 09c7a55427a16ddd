/* SPDX-License-Identifier: Apache-2.0 */
/* cnnsweep version: prints the version of the program, and what it computes and communicates with. */
#include "cnnsweep/version.h"
#include "cnnsweep/dataset.h"
#include "cnnsweep/engine.h"
#include "command.h"

#include <mpi.h>
#include <stdio.h>
#include <string.h>

/* MPI may be asked for its version before it is initialised. Open MPI adds its package, date and more after a comma. */
static void print_mpi_version(void) {
    char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length = 0;
    if (MPI_Get_library_version(text, &length) == MPI_SUCCESS)
        printf("mpi     %.*s\n", (int)strcspn(text, ",\n"), text);
}

int cs_command_version(int argc, char **argv) {
    bool help = false;
    const cs_arg args[] = {{"--help", NULL, "print this", cs_arg_bool, &help}};
    const cs_usage usage = {.line = "cnnsweep version",
                            .doc = "Prints the version, the engines of this build and the versions of the libraries "
                                   "that it runs with. The instruction set\nis the one that oneDNN uses on this "
                                   "machine; ONEDNN_MAX_CPU_ISA=AVX2 holds it to a lesser one.",
                            .args = args,
                            .n = sizeof args / sizeof *args,
                            .help = &help};
    char hdf5[32];
    int exit_code;
    if (!cs_command_parse(&usage, argc, argv, NULL, &exit_code))
        return exit_code;
    puts("cnnsweep " CNNSWEEP_VERSION);
    cs_engines_print(stdout);
    cs_dataset_library_version(hdf5, sizeof hdf5);
    printf("hdf5    %s\n", hdf5);
    print_mpi_version();
    return CS_EXIT_OK;
}
