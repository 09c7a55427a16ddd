/* SPDX-License-Identifier: Apache-2.0 */
/* Command-line options as a table: one row an option, which drives the parser and --help.
 * "--name value" and "--name=value" both work; "--" ends the options. */
#ifndef CNNSWEEP_ARGS_H
#define CNNSWEEP_ARGS_H

#include "cnnsweep/status.h"

#include <stdio.h>

typedef struct cs_arg {
    const char *name;  /* "--size" */
    const char *value; /* what to call the value in --help ("WxH"); NULL: a flag, which takes none */
    const char *doc;   /* one line */
    /* Checks `text` (NULL for a flag) and stores it in `target`; the error need not name the option. */
    cs_status (*parse)(const char *text, void *target);
    void *target;
} cs_arg;

/* Ready-made parse functions, named after their target. */
CS_MUST_CHECK cs_status cs_arg_bool(const char *text, void *target);     /* bool: true */
CS_MUST_CHECK cs_status cs_arg_text(const char *text, void *target);     /* const char *: the argument itself */
CS_MUST_CHECK cs_status cs_arg_int64(const char *text, void *target);    /* int64_t >= 0 */
CS_MUST_CHECK cs_status cs_arg_positive(const char *text, void *target); /* int >= 1 */
CS_MUST_CHECK cs_status cs_arg_size(const char *text, void *target);     /* int[2]: width, height, from "WxH" */
CS_MUST_CHECK cs_status cs_arg_part(const char *text, void *target);     /* int[2]: i, n, from "i/n", 0 <= i < n */

/* Parses argv[1..]. What is no option goes to `positional`, of which there must be at most `max`; *n_positional tells
 * how many. Every error is CS_ERR_ARG. */
CS_MUST_CHECK cs_status cs_args_parse(int argc, char **argv, const cs_arg *args, size_t n, const char **positional,
                                      int max, int *n_positional);
void cs_args_help(FILE *out, const cs_arg *args, size_t n);

#endif
