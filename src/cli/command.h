/* Inside the command line: the subcommands, and the flags they take.
 *
 * To add a subcommand: a file with its function, and a row in main.c. A flag is a row in its file's table. */
#ifndef CNNSWEEP_COMMAND_H
#define CNNSWEEP_COMMAND_H

#include "cnnsweep/status.h"

#include <stdbool.h>

/* What the shell sees. */
enum { CS_EXIT_OK = 0, CS_EXIT_FAILURE = 1, CS_EXIT_USAGE = 2, CS_EXIT_INTERRUPTED = 75 /* EX_TEMPFAIL: try again */ };

/* Each gets the arguments behind its name and returns an exit code. */
int cs_command_train(int argc, char **argv);
int cs_command_summary(int argc, char **argv);
int cs_command_options(int argc, char **argv);

enum { CS_MAX_REPEATS = 256 };
/* A flag that may be given many times. */
typedef struct cs_repeats {
    int n;
    const char *values[CS_MAX_REPEATS];
} cs_repeats;

typedef struct cs_flag {
    const char *name;  /* "--out" */
    const char *value; /* what it takes, for the help: "DIR"; NULL: a switch */
    bool *on;          /* one of these three receives it */
    const char **text;
    cs_repeats *many;
    const char *doc;
} cs_flag;

typedef struct cs_usage {
    const char *line; /* "cnnsweep train JOB.yaml" */
    const char *doc;
    const cs_flag *flags;
    int n_flags;
} cs_usage;

typedef enum cs_parsed { CS_PARSED, CS_PARSED_HELP, CS_PARSED_WRONG } cs_parsed;
/* Reads flags ("--out DIR" or "--out=DIR") and at most one other argument into *operand (NULL: none is taken). --help
 * prints the usage; a mistake prints what and how, once. */
cs_parsed cs_args_parse(const cs_usage *usage, int argc, char **argv, const char **operand);

/* The exit code for a status. */
int cs_exit_code(cs_status status);

#endif
