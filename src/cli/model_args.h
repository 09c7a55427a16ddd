/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the command line: the flags that name a network, for the subcommands that build one. */
#ifndef CNNSWEEP_MODEL_ARGS_H
#define CNNSWEEP_MODEL_ARGS_H

#include "cnnsweep/args.h"
#include "cnnsweep/train.h"

typedef struct cs_model_args {
    const char *alpha, *dialect, *head;
    int input[2]; /* height, width; 0: not given */
    int classes;  /* 0: not given */
} cs_model_args;

/* Rows of a cs_arg table that fill `args`, a cs_model_args. */
#define CS_MODEL_ARG_ROWS(args)                                                                                        \
    {"--input", "HxWxC", "input (default 224x224x3, or the job's)", cs_parse_input, (args).input},                     \
        {"--classes", "K", "add a head of K classes (a job has its dataset's)", cs_arg_positive, &(args).classes},     \
        {"--alpha", "A", "width multiplier (default 1)", cs_arg_text, &(args).alpha},                                  \
        {"--dialect", "NAME", "keras or torch, where an architecture has both", cs_arg_text, &(args).dialect}, {       \
        "--head", "LIST", "layers on top, such as gap,dense", cs_arg_text, &(args).head                                \
    }

/* Parses "HxWxC", the way Keras writes shapes, into an int[2]. C must be 3. */
CS_MUST_CHECK cs_status cs_parse_input(const char *text, void *target);

/* Sets an option of a trial by its key. `text` NULL leaves it unchanged. */
CS_MUST_CHECK cs_status cs_set_option(const char *key, const char *text, cs_trial_config *trial);

/* Initialises a trial with the architecture `arch` and all layers trainable. */
CS_MUST_CHECK cs_status cs_model_args_arch(const char *arch, cs_trial_config *trial);

/* Sets in the trial the flags that were given, except the classes, which are not a part of a trial. */
CS_MUST_CHECK cs_status cs_model_args_apply(const cs_model_args *args, cs_trial_config *trial);

#endif
