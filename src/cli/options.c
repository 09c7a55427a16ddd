/* cnnsweep options: the option table. */
#include "cnnsweep/job.h"
#include "command.h"

#include <stdio.h>

int cs_command_options(int argc, char **argv) {
    bool markdown = false;
    const cs_flag flags[] = {{.name = "--markdown", .on = &markdown, .doc = "as a Markdown table"}};
    const cs_usage usage = {"cnnsweep options", "Prints every option of a job file, for --set too.", flags, 1};
    cs_parsed parsed = cs_args_parse(&usage, argc, argv, NULL);
    if (parsed != CS_PARSED)
        return parsed == CS_PARSED_HELP ? CS_EXIT_OK : CS_EXIT_USAGE;
    cs_options_print(stdout, markdown);
    return CS_EXIT_OK;
}
