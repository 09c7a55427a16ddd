/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <stdio.h>
#include <stdlib.h>

static void print_usage(const cs_usage *usage) {
    printf("usage: %s\n\n%s\n\n", usage->line, usage->doc);
    cs_args_help(stdout, usage->args, usage->n);
}

bool cs_command_parse(const cs_usage *usage, int argc, char **argv, const char **operands, int *exit_code) {
    int given = 0, wanted = 0;
    while (wanted < CS_MAX_OPERANDS && usage->operands[wanted])
        wanted++;
    int most = usage->most > wanted ? usage->most : wanted;
    cs_status status = cs_args_parse(argc, argv, usage->args, usage->n, operands, most, &given);
    if (usage->given)
        *usage->given = given;
    if (status == CS_OK && *usage->help) {
        print_usage(usage);
        *exit_code = CS_EXIT_OK;
        return false;
    }
    if (status == CS_OK && given < wanted)
        status = cs_hint(cs_fail(CS_ERR_ARG, "%s is missing", usage->operands[given]), "%s", usage->line);
    if (status == CS_OK)
        return true;
    cs_log_error_last();
    *exit_code = CS_EXIT_USAGE;
    return false;
}

cs_status cs_arg_set(const char *text, void *target) {
    cs_sets *sets = target;
    if (sets->n == CS_MAX_SETS)
        return cs_fail(CS_ERR_ARG, "given more than %d times", CS_MAX_SETS);
    sets->items[sets->n++] = text;
    return CS_OK;
}

cs_status cs_arg_device(const char *text, void *target) {
    cs_sets *sets = target;
    if (snprintf(sets->device, sizeof sets->device, "device=%s", text) >= (int)sizeof sets->device)
        return cs_fail(CS_ERR_ARG, "'%.40s...' is no device", text);
    return cs_arg_set(sets->device, sets);
}

int cs_exit_code(cs_status status) {
    if (status == CS_OK)
        return CS_EXIT_OK;
    return status == CS_ERR_INTERRUPTED ? CS_EXIT_INTERRUPTED : CS_EXIT_FAILURE;
}

int cs_command_of_folders(int argc, char **argv,
                          cs_status (*run)(int argc, char **argv, const char **folders, int *exit_code)) {
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
