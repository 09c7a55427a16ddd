/* SPDX-License-Identifier: Apache-2.0 */
/* Command-line options as a table. The parser and --help both follow its rows, one for each option. An option and its
 * value can be written "--name value" or "--name=value"; "--" ends the options. */
#ifndef CNNSWEEP_ARGS_H
#define CNNSWEEP_ARGS_H

#include "cnnsweep/status.h"

#include <stdio.h>

typedef struct cs_arg {
    const char *name;  /* "--size" */
    const char *value; /* the value's name in --help ("WxH"); NULL: the option is a flag and takes no value */
    const char *doc;   /* one line */
    /* Checks `text` (NULL for a flag) and stores its value in `target`. Its error need not name the option. */
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

/* Parses argv[1..]. Arguments that are no options go to `positional`, at most `max` of them, and *n_positional counts
 * them. Every error is CS_ERR_ARG. */
CS_MUST_CHECK cs_status cs_args_parse(int argc, char **argv, const cs_arg *args, size_t n, const char **positional,
                                      int max, int *n_positional);
void cs_args_help(FILE *out, const cs_arg *args, size_t n);

#endif
