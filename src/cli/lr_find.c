/* SPDX-License-Identifier: Apache-2.0 */
/* cnnsweep lr-find: finds the learning rates at which a job's trial learns. */
#include "cnnsweep/log.h"
#include "cnnsweep/sweep.h"
#include "command.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct lr_find_args {
    const char *path, *trial;
    cs_lr_find_options options;
    cs_sets sets;
    bool help;
} lr_find_args;

static cs_status set_rate(const char *text, void *target) {
    char *end;
    *(double *)target = strtod(text, &end);
    return end != text && !*end ? CS_OK : cs_fail(CS_ERR_ARG, "\"%s\" is no learning rate", text);
}

static bool parse(int argc, char **argv, lr_find_args *args, int *exit_code) {
    cs_lr_find_options *options = &args->options;
    const cs_arg rows[] = {
        {"--trial", "NAME", "test this trial of the job, such as t007 (default: the first)", cs_arg_text, &args->trial},
        {"--min", "RATE", "the rate of the first step (default 1e-7)", set_rate, &options->min},
        {"--max", "RATE", "the rate of the last step (default 10)", set_rate, &options->max},
        {"--steps", "N", "updates in the test (default 100)", cs_arg_positive, &options->steps},
        {"--out", "DIR", "folder of lr_find.csv and lr_find.svg (default results/<name>)", cs_arg_text, &options->out},
        {"--device", "NAME", "auto, cuda, cpu, onednn or ref (default: the job's, else auto)", cs_arg_device,
         &args->sets},
        {"--set", "KEY=VALUE", "set any key of the job file (repeatable)", cs_arg_set, &args->sets},
        {"--help", NULL, "print this", cs_arg_bool, &args->help},
    };
    const cs_usage usage = {
        .line = "cnnsweep lr-find [options] JOB.yaml",
        .doc = "Makes a learning-rate range test, as lr_find of fastai and of Lightning do: trains a trial while its "
               "rate rises from\n--min to --max by the same factor with every update, until the smoothed loss is more "
               "than 4 times its lowest. Writes\nlr_find.csv and a picture, lr_find.svg, and prints two rates: one in "
               "the middle of the longest fall of the loss (valley), and\nwhere it falls most (steepest descent), "
               "which noise disturbs more. The job's schedule does not count; nothing else is written.",
        .operands = {"JOB.yaml"},
        .args = rows,
        .n = sizeof rows / sizeof *rows,
        .help = &args->help};
    return cs_command_parse(&usage, argc, argv, &args->path, exit_code);
}

static cs_status read_job(const lr_find_args *args, cs_job **job) {
    CS_TRY(cs_job_read(args->path, args->sets.items, args->sets.n, job));
    return args->trial ? cs_job_only(*job, args->trial, 0) : CS_OK;
}

int cs_command_lr_find(int argc, char **argv) {
    const double least = 1e-7, most = 10;
    lr_find_args args = {.options = {.min = least, .max = most, .steps = 100}};
    int exit_code;
    if (!parse(argc, argv, &args, &exit_code))
        return exit_code;
    cs_ranks *ranks = NULL;
    cs_job *job = NULL;
    cs_status status = cs_ranks_open(&ranks);
    if (status == CS_OK)
        status = cs_ranks_agree(ranks, read_job(&args, &job));
    if (status == CS_OK)
        status = cs_sweep_lr_find(ranks, job, &args.options, stdout);
    if (status != CS_OK && (!ranks || cs_ranks_rank(ranks) == 0))
        cs_log_error_last();
    cs_job_free(job);
    cs_ranks_close(ranks);
    return cs_exit_code(status);
}
