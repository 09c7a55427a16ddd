/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/log.h"
#include "command.h"

#include <stdio.h>
#include <string.h>

static int print_help(int argc, char **argv);

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *doc;
} commands[] = {
    {"train", cs_command_train, "train every trial of a job file and print the result table"},
    {"status", cs_command_status, "show a running or ended sweep from its results folder"},
    {"collect", cs_command_collect, "merge results folders of one sweep, and print its table"},
    {"report", cs_command_report, "write the page about a sweep, with its charts"},
    {"summary", cs_command_summary, "print the layers of an architecture or of a job's network"},
    {"weights", cs_command_weights, "show, check or convert a file of weights"},
    {"options", cs_command_options, "list the options of a job file"},
    {"preview", cs_command_preview, "draw what a job's augmentations make of its training images"},
    {"explain", cs_command_explain, "draw which parts of an image spoke for a class"},
    {"lr-find", cs_command_lr_find, "find the learning rates at which a job's trial learns"},
    {"version", cs_command_version, "print the version, the engines and the libraries' versions"},
    {"help", print_help, "print this"},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

static int print_help(int argc, char **argv) {
    (void)argc;
    (void)argv;
    puts("cnnsweep trains sweeps of image classifiers.\n\nusage: cnnsweep COMMAND ...\n");
    for (int i = 0; i < N_COMMANDS; i++)
        printf("  %-10s %s\n", commands[i].name, commands[i].doc);
    puts("\n`cnnsweep COMMAND --help` shows its options. CNNSWEEP_LOG=error|warn|info|debug sets what is logged.");
    return CS_EXIT_OK;
}

int main(int argc, char **argv) {
    const char *names[N_COMMANDS], *wanted = argc > 1 ? argv[1] : "";
    if (strcmp(wanted, "--help") == 0 || strcmp(wanted, "-h") == 0)
        wanted = "help";
    if (strcmp(wanted, "--version") == 0)
        wanted = "version";
    for (int i = 0; i < N_COMMANDS; i++)
        names[i] = commands[i].name;
    for (int i = 0; i < N_COMMANDS; i++) {
        if (strcmp(wanted, names[i]) != 0)
            continue;
        if (commands[i].run == cs_command_train || commands[i].run == cs_command_lr_find)
            cs_wait_briefly(argv);
        return commands[i].run(argc - 1, argv + 1);
    }
    char guess[64];
    if (wanted[0])
        cs_log(CS_LOG_ERROR, "unknown command '%s'%s", wanted,
               cs_did_you_mean(wanted, names, N_COMMANDS, guess, sizeof guess));
    else
        cs_log(CS_LOG_ERROR, "a command is missing");
    cs_log(CS_LOG_INFO, "  hint: `cnnsweep help` lists them");
    return CS_EXIT_USAGE;
}
