#include "cnnsweep/log.h"
#include "command.h"

#include <stdio.h>
#include <string.h>

enum { MAX_FLAGS = 16 };

static void print_usage(const cs_usage *usage, FILE *out) {
    fprintf(out, "usage: %s%s\n\n%s\n", usage->line, usage->n_flags ? " [flags]" : "", usage->doc);
    if (usage->n_flags)
        fputc('\n', out);
    for (int i = 0; i < usage->n_flags; i++) {
        const cs_flag *flag = &usage->flags[i];
        char left[64];
        snprintf(left, sizeof left, "%s%s%s", flag->name, flag->value ? " " : "", flag->value ? flag->value : "");
        fprintf(out, "  %-20s %s\n", left, flag->doc);
    }
}

static cs_parsed complain(const cs_usage *usage, const char *what, const char *argument, const char *guess) {
    cs_log(CS_LOG_ERROR, "%s '%s'%s", what, argument, guess);
    cs_log(CS_LOG_INFO, "  usage: %s%s (--help tells more)", usage->line, usage->n_flags ? " [flags]" : "");
    return CS_PARSED_WRONG;
}

static const cs_flag *find_flag(const cs_usage *usage, const char *argument, size_t length) {
    for (int i = 0; i < usage->n_flags; i++)
        if (strlen(usage->flags[i].name) == length && strncmp(usage->flags[i].name, argument, length) == 0)
            return &usage->flags[i];
    return NULL;
}

static cs_parsed complain_unknown(const cs_usage *usage, const char *argument) {
    const char *names[MAX_FLAGS];
    char guess[64];
    int n = 0;
    for (; n < usage->n_flags && n < MAX_FLAGS; n++)
        names[n] = usage->flags[n].name;
    return complain(usage, "unknown flag", argument, cs_did_you_mean(argument, names, (size_t)n, guess, sizeof guess));
}

static bool store(const cs_flag *flag, const char *value) {
    if (flag->text) {
        *flag->text = value;
        return true;
    }
    if (flag->many->n == CS_MAX_REPEATS)
        return false;
    flag->many->values[flag->many->n++] = value;
    return true;
}

/* Takes one flag, and its value behind "=" or from the next argument. */
static cs_parsed take_flag(const cs_usage *usage, int argc, char **argv, int *at) {
    const char *argument = argv[*at], *equals = strchr(argument, '=');
    const cs_flag *flag = find_flag(usage, argument, equals ? (size_t)(equals - argument) : strlen(argument));
    if (!flag)
        return complain_unknown(usage, argument);
    if (!flag->value) {
        if (equals)
            return complain(usage, "this flag takes no value:", argument, "");
        *flag->on = true;
        return CS_PARSED;
    }
    if (!equals && *at + 1 == argc)
        return complain(usage, "a value is missing behind", argument, "");
    if (!store(flag, equals ? equals + 1 : argv[++*at]))
        return complain(usage, "too many of", flag->name, "");
    return CS_PARSED;
}

cs_parsed cs_args_parse(const cs_usage *usage, int argc, char **argv, const char **operand) {
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_usage(usage, stdout);
            return CS_PARSED_HELP;
        }
        if (argv[i][0] == '-' && argv[i][1]) {
            cs_parsed result = take_flag(usage, argc, argv, &i);
            if (result != CS_PARSED)
                return result;
        } else if (!operand || *operand) {
            return complain(usage, "one argument too many:", argv[i], "");
        } else {
            *operand = argv[i];
        }
    }
    if (operand && !*operand)
        return complain(usage, "an argument is missing: what to", strrchr(usage->line, ' ') + 1, "");
    return CS_PARSED;
}

int cs_exit_code(cs_status status) {
    if (status == CS_OK)
        return CS_EXIT_OK;
    return status == CS_ERR_INTERRUPTED ? CS_EXIT_INTERRUPTED : CS_EXIT_FAILURE;
}
