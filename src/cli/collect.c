/* SPDX-License-Identifier: Apache-2.0 */
/* cnnsweep collect: merges results folders of one sweep into one table. */
#include "cnnsweep/sweep.h"
#include "command.h"

#include <stdio.h>

static cs_status run(int argc, char **argv, const char **folders, int *exit_code) {
    bool help = false;
    int n = 0;
    cs_collect_options options = {0};
    const cs_arg args[] = {
        {"--out", "DIR", "where the merged files go (default: the folder that all are in)", cs_arg_text, &options.out},
        {"--rows", "OPTION", "swept option down the side, or none (default: the job's)", cs_arg_text, &options.rows},
        {"--columns", "OPTION", "swept option along the top, or none (default: the job's)", cs_arg_text,
         &options.columns},
        {"--value", "METRIC", "a column of trials.csv (default: the job's)", cs_arg_text, &options.value},
        {"--best", NULL, "a cell is the best of what else is swept, not the mean; repeats stay mean ± sd", cs_arg_bool,
         &options.best},
        {"--help", NULL, "print this", cs_arg_bool, &help},
    };
    const cs_usage usage = {
        .line = "cnnsweep collect [options] DIR...",
        .doc = "Merges results folders of one sweep, such as the parts of `cnnsweep train --part`: "
               "writes trials.csv, table.md, table.csv (all digits)\nand table.tex, prints the "
               "table, and names trials that are missing or that several folders have; of these "
               "the first\nthat finished counts. Folders of other job files or other data are "
               "refused. The sweeps may still be running: collect only reads them.\nExit codes: 0 done, also "
               "with trials missing, 1 failed, 2 wrong call.",
        .operands = {"DIR"},
        .most = argc,
        .given = &n,
        .args = args,
        .n = sizeof args / sizeof *args,
        .help = &help};
    *exit_code = CS_EXIT_OK;
    if (!cs_command_parse(&usage, argc, argv, folders, exit_code))
        return CS_OK;
    return cs_sweep_collect(folders, n, &options, stdout);
}

int cs_command_collect(int argc, char **argv) {
    return cs_command_of_folders(argc, argv, run);
}
