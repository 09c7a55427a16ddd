/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the command line: the subcommands, and what they share.
 *
 * To add a subcommand: a file with its function, and a row in main.c. */
#ifndef CNNSWEEP_COMMAND_H
#define CNNSWEEP_COMMAND_H

#include "cnnsweep/args.h"

#include <stdbool.h>

/* The exit codes of the program. */
enum { CS_EXIT_OK = 0, CS_EXIT_FAILURE = 1, CS_EXIT_USAGE = 2, CS_EXIT_INTERRUPTED = 75 /* EX_TEMPFAIL: try again */ };

enum { CS_MAX_OPERANDS = 2 };

/* Each subcommand gets its own name as argv[0] and returns an exit code. */
int cs_command_train(int argc, char **argv);
int cs_command_status(int argc, char **argv);
int cs_command_collect(int argc, char **argv);
int cs_command_report(int argc, char **argv);
int cs_command_summary(int argc, char **argv);
int cs_command_options(int argc, char **argv);
int cs_command_lr_find(int argc, char **argv);
int cs_command_explain(int argc, char **argv);
int cs_command_preview(int argc, char **argv);
int cs_command_weights(int argc, char **argv);
int cs_command_version(int argc, char **argv);

/* What --set was given, which can be repeated. */
enum { CS_MAX_SETS = 256 };
typedef struct cs_sets {
    const char *items[CS_MAX_SETS];
    int n;
    char device[64]; /* what cs_arg_device has added */
} cs_sets;
/* Parse functions of cs_arg; the target is a cs_sets. The second is that of --device. */
CS_MUST_CHECK cs_status cs_arg_set(const char *text, void *target);
CS_MUST_CHECK cs_status cs_arg_device(const char *text, void *target);

/* The arguments of a subcommand. */
typedef struct cs_usage {
    const char *line; /* "cnnsweep train [options] JOB.yaml" */
    const char *doc;
    const char *operands[CS_MAX_OPERANDS]; /* such as "JOB.yaml"; all are required, in this order; NULL ends them */
    int most;   /* how many operands there may be in all, if the last can be repeated; 0: it cannot */
    int *given; /* gets the number of operands that were given; NULL: not needed */
    const cs_arg *args;
    size_t n;
    const bool *help; /* set by --help */
} cs_usage;

/* Parses the arguments and puts the operands into `operands`. True: go on. False: leave with *exit_code; --help was
 * answered, or an error was printed. */
bool cs_command_parse(const cs_usage *usage, int argc, char **argv, const char **operands, int *exit_code);

/* Runs a subcommand whose operands are folders, at most argc of them, and returns its exit code. `run` parses the
 * arguments; it sets *exit_code where a call that succeeds does not exit with 0. */
int cs_command_of_folders(int argc, char **argv,
                          cs_status (*run)(int argc, char **argv, const char **folders, int *exit_code));

/* Restarts the program, before anything else is done, so that its threads wait for one another for at most 100 us
 * before they sleep. By default libgomp's threads wait busily for many milliseconds, on a core that another program, or
 * the thread they wait for, could use. libgomp reads the limit when it is loaded, so it must be in the environment
 * before. Nothing happens if OMP_WAIT_POLICY or GOMP_SPINCOUNT is set; set GOMP_SPINCOUNT to run the program in a
 * debugger or in valgrind. */
void cs_wait_briefly(char **argv);

/* The exit code for a status. */
int cs_exit_code(cs_status status);

#endif
