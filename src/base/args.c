/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/args.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

cs_status cs_arg_bool(const char *text, void *target) {
    (void)text;
    *(bool *)target = true;
    return CS_OK;
}

cs_status cs_arg_text(const char *text, void *target) {
    *(const char **)target = text;
    return CS_OK;
}

/* Parses a whole number in [low, high]; *end is the first character after it. */
static bool parse_whole(const char *text, long long low, long long high, char **end, long long *value) {
    errno = 0;
    *value = strtoll(text, end, 10);
    return *end != text && errno == 0 && *value >= low && *value <= high;
}

cs_status cs_arg_int64(const char *text, void *target) {
    char *end;
    long long value;
    if (!parse_whole(text, 0, INT64_MAX, &end, &value) || *end)
        return cs_fail(CS_ERR_ARG, "\"%s\" is not a whole number from 0", text);
    *(int64_t *)target = value;
    return CS_OK;
}

cs_status cs_arg_positive(const char *text, void *target) {
    char *end;
    long long value;
    if (!parse_whole(text, 1, INT_MAX, &end, &value) || *end)
        return cs_fail(CS_ERR_ARG, "\"%s\" is not a whole number from 1", text);
    *(int *)target = (int)value;
    return CS_OK;
}

cs_status cs_arg_size(const char *text, void *target) {
    enum { LARGEST = 65535 };
    char *end;
    long long w, h;
    if (!parse_whole(text, 1, LARGEST, &end, &w) || *end != 'x' || !parse_whole(end + 1, 1, LARGEST, &end, &h) || *end)
        return cs_hint(cs_fail(CS_ERR_ARG, "\"%s\" is not a size", text), "width x height in pixels, such as 224x224");
    ((int *)target)[0] = (int)w;
    ((int *)target)[1] = (int)h;
    return CS_OK;
}

cs_status cs_arg_part(const char *text, void *target) {
    enum { MOST = 100000 };
    char *end;
    long long part, parts;
    if (!parse_whole(text, INT_MIN, INT_MAX, &end, &part) || *end != '/' ||
        !parse_whole(end + 1, INT_MIN, INT_MAX, &end, &parts) || *end)
        return cs_hint(cs_fail(CS_ERR_ARG, "\"%s\" is no part", text), "part i of n is i/n, such as 0/4");
    if (parts < 1 || parts > MOST)
        return cs_fail(CS_ERR_ARG, "\"%s\": %lld parts; there may be 1 to %d", text, parts, MOST);
    if (part < 0 || part >= parts)
        return cs_hint(cs_fail(CS_ERR_ARG, "\"%s\": part %lld is outside 0 to %lld", text, part, parts - 1),
                       "parts are counted from 0, as by sbatch --array=0-%lld", parts - 1);
    ((int *)target)[0] = (int)part;
    ((int *)target)[1] = (int)parts;
    return CS_OK;
}

static cs_status fail_unknown(const char *name, const cs_arg *args, size_t n) {
    enum { MOST = 64 };
    const char *names[MOST];
    char guess[128];
    size_t known = n < MOST ? n : MOST;
    for (size_t i = 0; i < known; i++)
        names[i] = args[i].name;
    return cs_hint(
        cs_fail(CS_ERR_ARG, "unknown option %s%s", name, cs_did_you_mean(name, names, known, guess, sizeof guess)),
        "--help lists the options");
}

/* Parses the option at argv[*at]. If its value is the next argument, *at moves to it. */
static cs_status parse_option(int argc, char **argv, int *at, const cs_arg *args, size_t n) {
    char name[64];
    const char *text = argv[*at], *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : strlen(text);
    snprintf(name, sizeof name, "%.*s", (int)length, text);
    const cs_arg *arg = NULL;
    for (size_t i = 0; i < n; i++)
        if (strcmp(args[i].name, name) == 0)
            arg = &args[i];
    if (!arg)
        return fail_unknown(name, args, n);
    const char *value = equals ? equals + 1 : NULL;
    if (!arg->value && value)
        return cs_fail(CS_ERR_ARG, "%s takes no value, but got \"%s\"", name, value);
    if (arg->value && !value && *at + 1 < argc)
        value = argv[++*at];
    if (arg->value && !value)
        return cs_fail(CS_ERR_ARG, "%s needs a value: %s %s", name, name, arg->value);
    cs_status status = arg->parse(value, arg->target);
    return status == CS_OK ? CS_OK : cs_context(status, "%s", name);
}

cs_status cs_args_parse(int argc, char **argv, const cs_arg *args, size_t n, const char **positional, int max,
                        int *n_positional) {
    bool options = true;
    *n_positional = 0;
    for (int i = 1; i < argc; i++) {
        if (options && strcmp(argv[i], "--") == 0)
            options = false;
        else if (options && argv[i][0] == '-' && argv[i][1])
            CS_TRY(parse_option(argc, argv, &i, args, n));
        else if (*n_positional == max)
            return cs_hint(cs_fail(CS_ERR_ARG, "one argument too many: \"%s\"", argv[i]),
                           "--help shows how to call it");
        else
            positional[(*n_positional)++] = argv[i];
    }
    return CS_OK;
}

void cs_args_help(FILE *out, const cs_arg *args, size_t n) {
    for (size_t i = 0; i < n; i++) {
        char left[64];
        snprintf(left, sizeof left, "%s %s", args[i].name, args[i].value ? args[i].value : "");
        fprintf(out, "  %-24s %s\n", left, args[i].doc);
    }
}
