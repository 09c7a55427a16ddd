/* SPDX-License-Identifier: Apache-2.0 */
/* cnnsweep train: trains the trials of a job file and prints the result table. */
#include "cnnsweep/log.h"
#include "cnnsweep/sweep.h"
#include "command.h"

#include <stdio.h>
#include <string.h>

typedef struct train_args {
    const char *path, *out, *trial;
    char precision[64];  /* in the form that --set takes */
    int epochs, part[2]; /* part[0] of part[1]; part[1] is 0: the whole sweep */
    cs_sets sets;
    bool dry_run, force, resume, extend, retry_failed, help;
} train_args;

static cs_status allow_missing(const char *text, void *target) {
    (void)text;
    return cs_arg_set("model.allow_missing=true", target);
}

static cs_status set_precision(const char *text, void *target) {
    train_args *args = target;
    if (snprintf(args->precision, sizeof args->precision, "precision=%s", text) >= (int)sizeof args->precision)
        return cs_fail(CS_ERR_ARG, "'%.40s...' is no precision", text);
    return cs_arg_set(args->precision, &args->sets);
}

static cs_status set_deterministic(const char *text, void *target) {
    (void)text;
    return cs_arg_set("deterministic=true", target);
}

static cs_status set_autotune(const char *text, void *target) {
    (void)text;
    return cs_arg_set("autotune=true", target);
}

/* Are there options that contradict each other? */
static cs_status check_options(const train_args *args) {
    if (args->force && args->extend)
        return cs_fail(CS_ERR_ARG, "--force replaces what --extend would go on with: give one of them");
    if (args->force && args->resume)
        return cs_fail(CS_ERR_ARG, "--force replaces what --resume would go on with: give one of them");
    if (args->epochs && !args->trial)
        return cs_fail(CS_ERR_ARG, "--epochs goes with --trial; for all trials it is --set train.epochs=%d",
                       args->epochs);
    if (args->part[1] && args->trial)
        return cs_fail(CS_ERR_ARG, "--trial is one trial, --part divides all of them: give one of the two");
    if (args->retry_failed && !args->resume && !args->extend)
        return cs_fail(CS_ERR_ARG, "--retry-failed goes with --resume");
    return CS_OK;
}

static bool parse(int argc, char **argv, train_args *args, int *exit_code) {
    cs_sets *sets = &args->sets;
    const cs_arg rows[] = {
        {"--set", "KEY=VALUE", "set any key of the job file, such as train.epochs=2 (repeatable)", cs_arg_set, sets},
        {"--out", "DIR", "results folder (default results/<name>)", cs_arg_text, &args->out},
        {"--force", NULL, "replace the results that are in the folder", cs_arg_bool, &args->force},
        {"--resume", NULL, "go on with the sweep in the folder: what is done stays", cs_arg_bool, &args->resume},
        {"--extend", NULL, "as --resume; trials that ended after fewer epochs than they have now go on (keep_state)",
         cs_arg_bool, &args->extend},
        {"--retry-failed", NULL, "with --resume: also train failed trials again", cs_arg_bool, &args->retry_failed},
        {"--dry-run", NULL, "check everything, print the trials and their cost; with --resume, of those that are left",
         cs_arg_bool, &args->dry_run},
        {"--device", "NAME", "auto, cuda, cpu, onednn or ref (default: the job's, else auto)", cs_arg_device, sets},
        {"--precision", "NAME", "on a GPU: fp32, tf32, bf16 or fp16 (default: the job's, else fp32)", set_precision,
         args},
        {"--deterministic", NULL, "on a GPU: the same bits in every run", set_deterministic, sets},
        {"--autotune", NULL, "on a GPU: time the algorithms for each convolution and use the fastest", set_autotune,
         sets},
        {"--allow-missing", NULL, "keep initial values where the weights file lacks a parameter", allow_missing, sets},
        {"--part", "I/N",
         "train part I, from 0 to N-1, of the sweep divided into N that take equally long (default folder "
         "results/<name>/part-I-of-N)",
         cs_arg_part, args->part},
        {"--trial", "NAME", "train only this trial of the job, such as t007", cs_arg_text, &args->trial},
        {"--epochs", "N", "with --trial: end it after this many epochs, as a scheduler does", cs_arg_positive,
         &args->epochs},
        {"--help", NULL, "print this", cs_arg_bool, &args->help},
    };
    const cs_usage usage = {.line = "cnnsweep train [options] JOB.yaml",
                            .doc = "Trains every trial of the job and prints the result table. Under mpirun or srun "
                                   "the ranks share the trials.\n\n"
                                   "--part: for programs that do not talk to each other, as those of a Slurm array "
                                   "(--part $SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT\nwith --array=0-<N-1>). The "
                                   "division depends on the job and the size of its data alone. Trials keep the "
                                   "numbers they have in the whole sweep;\na scheduler compares trials within a part, "
                                   "and budget.minutes, keep_weights are each part's. `cnnsweep collect` merges the "
                                   "folders.\n\n"
                                   "SIGINT, SIGTERM or SIGUSR2 to any rank ends it after the current step with "
                                   "checkpoints written; to mpirun itself send SIGUSR2, which it passes on.\nExit "
                                   "codes: 0 done, 1 failed, 2 wrong call, 75 stopped by "
                                   "a signal: go on with --resume.",
                            .operands = {"JOB.yaml"},
                            .args = rows,
                            .n = sizeof rows / sizeof *rows,
                            .help = &args->help};
    if (!cs_command_parse(&usage, argc, argv, &args->path, exit_code))
        return false;
    if (check_options(args) == CS_OK)
        return true;
    cs_log_error_last();
    *exit_code = CS_EXIT_USAGE;
    return false;
}

static cs_status read_job(const train_args *args, cs_job **job) {
    CS_TRY(cs_job_read(args->path, args->sets.items, args->sets.n, job));
    CS_TRY(cs_job_divide(*job, args->part[0], args->part[1]));
    return args->trial ? cs_job_only(*job, args->trial, args->epochs) : CS_OK;
}

static cs_status run_job(cs_ranks *ranks, const train_args *args, cs_job *job) {
    const cs_sweep_options options = {.out = args->out,
                                      .force = args->force,
                                      .resume = args->resume || args->extend,
                                      .extend = args->extend,
                                      .retry_failed = args->retry_failed};
    if (args->dry_run)
        return cs_ranks_agree(ranks,
                              cs_ranks_rank(ranks) == 0 ? cs_sweep_preview(ranks, job, &options, stdout) : CS_OK);
    return cs_sweep_run(ranks, job, &options, stdout);
}

int cs_command_train(int argc, char **argv) {
    train_args args = {0};
    int exit_code;
    if (!parse(argc, argv, &args, &exit_code))
        return exit_code;

    cs_ranks *ranks = NULL;
    cs_job *job = NULL;
    cs_status status = cs_ranks_open(&ranks);
    if (status == CS_OK) {
        status = cs_ranks_agree(ranks, read_job(&args, &job));
        if (status == CS_OK)
            status = run_job(ranks, &args, job);
    }
    if (status != CS_OK && (!ranks || cs_ranks_rank(ranks) == 0 || status == CS_ERR_COMM))
        cs_log_error_last();
    if (status == CS_ERR_COMM)
        cs_ranks_abort(ranks);
    cs_job_free(job);
    cs_ranks_close(ranks);
    return cs_exit_code(status);
}
