/* SPDX-License-Identifier: Apache-2.0 */
/* cnnsweep report: writes the page about a sweep. */
#include "cnnsweep/resources.h"
#include "cnnsweep/sweep.h"
#include "command.h"

#include <stdio.h>
#include <string.h>

/* What --explain can be. */
static const char *const explained[] = {"best", "all", "none"};
enum { EXPLAIN_BEST, EXPLAIN_ALL, EXPLAIN_NONE, N_EXPLAINED };

typedef struct report_args {
    cs_report_options options;
    const char *explain, *device;
} report_args;

static cs_status write_report(const char *const *folders, int n, report_args *args) {
    char out[CS_PATH_MAX], guess[64];
    const cs_engine_options engine = {.threads = cs_usable_cores(""), .local_ranks = 1};
    int explain = 0;
    while (explain < N_EXPLAINED && strcmp(args->explain, explained[explain]) != 0)
        explain++;
    if (explain == N_EXPLAINED)
        return cs_hint(cs_fail(CS_ERR_ARG, "--explain is '%s'%s", args->explain,
                               cs_did_you_mean(args->explain, explained, N_EXPLAINED, guess, sizeof guess)),
                       "--explain is best, all or none");
    args->options.explain_all = explain == EXPLAIN_ALL;
    if (explain != EXPLAIN_NONE)
        CS_TRY(cs_engine_open(args->device, &engine, &args->options.engine));
    const cs_status status = cs_sweep_report(folders, n, &args->options, out);
    cs_engine_close(args->options.engine);
    if (status == CS_OK)
        printf("%s/report.html\n", out);
    return status;
}

static cs_status run(int argc, char **argv, const char **folders, int *exit_code) {
    bool help = false;
    int n = 0;
    report_args values = {.explain = explained[EXPLAIN_BEST], .device = "auto"};
    cs_report_options *options = &values.options;
    const cs_arg args[] = {
        {"--out", "DIR", "where report.html goes (default: the folder that all are in)", cs_arg_text, &options->out},
        {"--rows", "OPTION", "swept option down the side of the table, or none (default: the job's)", cs_arg_text,
         &options->rows},
        {"--columns", "OPTION", "swept option along the top, or none (default: the job's)", cs_arg_text,
         &options->columns},
        {"--value", "METRIC", "a column of trials.csv (default: the job's)", cs_arg_text, &options->value},
        {"--figures", NULL, "also write every chart as SVG, PDF, PNG, and its data as CSV", cs_arg_bool,
         &options->figures},
        {"--explain", "best|all|none",
         "show what the networks looked at, of the best trial that kept its weights, or of all", cs_arg_text,
         &values.explain},
        {"--device", "NAME", "that explains: auto, cuda, cpu, onednn or ref (default: auto)", cs_arg_text,
         &values.device},
        {"--help", NULL, "print this", cs_arg_bool, &help},
    };
    const cs_usage usage = {
        .line = "cnnsweep report [options] DIR...",
        .doc =
            "Writes report.html, one page about a sweep that needs no other file and no network: its table, "
            "leaderboard and charts,\nand a section for each trial. DIR are results folders of one sweep, such as its "
            "parts; the sweep may still be running.\nA sweep writes this page when it ends (report: false leaves it "
            "out).\nExit codes: 0 done, also with trials missing, 1 failed, 2 wrong call.",
        .operands = {"DIR"},
        .most = argc,
        .given = &n,
        .args = args,
        .n = sizeof args / sizeof *args,
        .help = &help};
    *exit_code = CS_EXIT_OK;
    if (!cs_command_parse(&usage, argc, argv, folders, exit_code))
        return CS_OK;
    return write_report(folders, n, &values);
}

int cs_command_report(int argc, char **argv) {
    return cs_command_of_folders(argc, argv, run);
}
