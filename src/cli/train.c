/* cnnsweep train: a job file becomes a result table. */
#include "cnnsweep/log.h"
#include "cnnsweep/sweep.h"
#include "command.h"

#include <stdio.h>
#include <string.h>

typedef struct train_args {
    const char *path, *out, *device;
    cs_repeats sets;
    bool dry_run, force, allow_missing;
} train_args;

static cs_parsed parse(int argc, char **argv, train_args *args) {
    const cs_flag flags[] = {
        {.name = "--set", .value = "KEY=VALUE", .many = &args->sets, .doc = "set any key of the job file (repeatable)"},
        {.name = "--out", .value = "DIR", .text = &args->out, .doc = "results folder (default results/<name>)"},
        {.name = "--force", .on = &args->force, .doc = "replace the results that are in the folder"},
        {.name = "--dry-run", .on = &args->dry_run, .doc = "check everything and print the trials and their cost"},
        {.name = "--device", .value = "NAME", .text = &args->device, .doc = "auto, cpu, onednn or ref"},
        {.name = "--allow-missing",
         .on = &args->allow_missing,
         .doc = "keep initial values where the weights file lacks a parameter"},
    };
    const cs_usage usage = {"cnnsweep train JOB.yaml",
                            "Trains every trial of the job and prints the result table. Under mpirun or srun the ranks "
                            "share the trials.",
                            flags, sizeof flags / sizeof *flags};
    return cs_args_parse(&usage, argc, argv, &args->path);
}

static cs_status read_job(const train_args *args, cs_job **job) {
    CS_TRY(cs_job_read(args->path, args->sets.values, args->sets.n, job));
    if (args->device)
        snprintf((*job)->device, sizeof(*job)->device, "%s", args->device);
    for (int t = 0; args->allow_missing && t < (*job)->n_trials; t++)
        (*job)->trials[t].allow_missing = true;
    return CS_OK;
}

static cs_status run_job(cs_ranks *ranks, const train_args *args, const cs_job *job) {
    const cs_sweep_options options = {.out = args->out, .force = args->force};
    if (args->dry_run)
        return cs_ranks_agree(ranks, cs_ranks_rank(ranks) == 0 ? cs_sweep_preview(job, stdout) : CS_OK);
    return cs_sweep_run(ranks, job, &options, stdout);
}

int cs_command_train(int argc, char **argv) {
    train_args args = {0};
    cs_parsed parsed = parse(argc, argv, &args);
    if (parsed != CS_PARSED)
        return parsed == CS_PARSED_HELP ? CS_EXIT_OK : CS_EXIT_USAGE;

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
