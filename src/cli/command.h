/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the command line: the subcommands and what they share.
 *
 * To add a subcommand: a file with its function, and a row in main.c. */
#ifndef CNNSWEEP_COMMAND_H
#define CNNSWEEP_COMMAND_H

#include "cnnsweep/args.h"

#include <stdbool.h>

/* What the shell sees. */
enum { CS_EXIT_OK = 0, CS_EXIT_FAILURE = 1, CS_EXIT_USAGE = 2, CS_EXIT_INTERRUPTED = 75 /* EX_TEMPFAIL: try again */ };

enum { CS_MAX_OPERANDS = 2 };

/* Each gets its own name as argv[0] and returns an exit code. */
int cs_command_train(int argc, char **argv);
int cs_command_status(int argc, char **argv);
int cs_command_collect(int argc, char **argv);
int cs_command_summary(int argc, char **argv);
int cs_command_options(int argc, char **argv);
int cs_command_weights(int argc, char **argv);
int cs_command_version(int argc, char **argv);

/* How a subcommand is called. */
typedef struct cs_usage {
    const char *line; /* "cnnsweep train [options] JOB.yaml" */
    const char *doc;
    const char *operands[CS_MAX_OPERANDS]; /* "JOB.yaml": must be given, in this order; NULL ends them */
    int most;                              /* the last operand may come again, up to so many in all; 0: not */
    int *given;                            /* gets how many came; NULL: as many as there are */
    const cs_arg *args;
    size_t n;
    const bool *help; /* what --help sets */
} cs_usage;

/* Parses the arguments; `operands` gets those of the usage. True: go on. False: leave with *exit_code, as --help or a
 * mistake has been answered. */
bool cs_command_parse(const cs_usage *usage, int argc, char **argv, const char **operands, int *exit_code);

/* Starts the program again, before anything else, with threads that wait for one another for 100 us at most before they
 * sleep, unless OMP_WAIT_POLICY or GOMP_SPINCOUNT says otherwise: libgomp reads that when it is loaded, and its threads
 * otherwise wait for many milliseconds on a core that another program, or the thread they wait for, could use. A
 * debugger or valgrind wants GOMP_SPINCOUNT to be set: then nothing is started again. */
void cs_wait_briefly(char **argv);

/* The exit code for a status. */
int cs_exit_code(cs_status status);

#endif
