/* SPDX-License-Identifier: Apache-2.0 */
/* cnnsweep report: writes the page about a sweep. */
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/sweep.h"
#include "command.h"

#include <stdio.h>
#include <stdlib.h>

static cs_status run(int argc, char **argv, const char **folders, int *exit_code) {
    bool help = false;
    int n = 0;
    char out[CS_PATH_MAX];
    cs_report_options options = {0};
    const cs_arg args[] = {
        {"--out", "DIR", "where report.html goes (default: the folder that all are in)", cs_arg_text, &options.out},
        {"--rows", "OPTION", "swept option down the side of the table, or none (default: the job's)", cs_arg_text,
         &options.rows},
        {"--columns", "OPTION", "swept option along the top, or none (default: the job's)", cs_arg_text,
         &options.columns},
        {"--value", "METRIC", "a column of trials.csv (default: the job's)", cs_arg_text, &options.value},
        {"--figures", NULL, "also write every chart as SVG, PDF, PNG, and its data as CSV", cs_arg_bool,
         &options.figures},
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
    CS_TRY(cs_sweep_report(folders, n, &options, out));
    printf("%s/report.html\n", out);
    return CS_OK;
}

int cs_command_report(int argc, char **argv) {
    const char **folders = NULL;
    int exit_code = CS_EXIT_OK;
    cs_status status = cs_alloc((size_t)argc, sizeof *folders, "folders", &folders);
    if (status == CS_OK)
        status = run(argc, argv, folders, &exit_code);
    if (status != CS_OK) {
        cs_log_error_last();
        exit_code = cs_exit_code(status);
    }
    free(folders);
    return exit_code;
}
