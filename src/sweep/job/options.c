/* Finding, parsing and printing options; the rows are in option_table.c. */
#include "cnnsweep/job.h"
#include "option_text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OPTIONS = 64, IMAGE_MAX = 65536 };

const char *cs_option_short_name(const cs_option *option) {
    return strrchr(option->key, '.') + 1;
}

cs_status cs_option_find(const char *key, const cs_option **out) {
    size_t n;
    const cs_option *options = cs_options(&n);
    const cs_option *found = NULL;
    const char *names[MAX_OPTIONS];
    bool dotted = strchr(key, '.') != NULL;
    for (size_t i = 0; i < n; i++) {
        names[i] = dotted ? options[i].key : cs_option_short_name(&options[i]);
        if (strcmp(names[i], key) == 0)
            found = &options[i];
    }
    if (found) {
        *out = found;
        return CS_OK;
    }
    char guess[128];
    return cs_hint(
        cs_fail(CS_ERR_ARG, "unknown option '%s'%s", key, cs_did_you_mean(key, names, n, guess, sizeof guess)),
        "`cnnsweep options` lists them all");
}

static cs_status fail_value(const cs_option *option, const char *text, const char *wanted) {
    return cs_fail(CS_ERR_ARG, "%s is '%s'; it takes %s", option->key, text, wanted);
}

static cs_status check_range(const cs_option *option, const char *text, double value) {
    if (value >= option->min && value <= option->max)
        return CS_OK;
    return cs_fail(CS_ERR_ARG, "%s is %s, outside %g to %g", option->key, text, option->min, option->max);
}

cs_status cs_parse_bool(const char *text, bool *out) {
    static const char *const words[][2] = {{"true", "false"}, {"True", "False"}, {"yes", "no"}, {"on", "off"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(text, words[i][0]) == 0 || strcmp(text, words[i][1]) == 0) {
            *out = strcmp(text, words[i][0]) == 0;
            return CS_OK;
        }
    }
    return cs_fail(CS_ERR_ARG, "'%s' is neither true nor false", text);
}

cs_status cs_parse_float(const char *text, double *out) {
    char *end;
    *out = strtod(text, &end);
    if (end == text || *end || !isfinite(*out) || strpbrk(text, "xX"))
        return cs_fail(CS_ERR_ARG, "'%s' is not a number", text);
    return CS_OK;
}

/* "auto", where it is the default, is stored as 0, which is outside the range: who uses the value resolves it. */
static bool is_default_word(const cs_option *option, const char *text) {
    return isalpha((unsigned char)text[0]) && strcmp(text, option->fallback) == 0;
}

static cs_status set_int(const cs_option *option, const char *text, void *field) {
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (is_default_word(option, text)) {
        value = 0;
    } else {
        if (end == text || *end || errno == ERANGE)
            return fail_value(option, text, "a whole number");
        CS_TRY(check_range(option, text, (double)value));
    }
    if (option->size == sizeof(int64_t))
        *(int64_t *)field = value;
    else
        *(int *)field = (int)value;
    return CS_OK;
}

static cs_status set_float(const cs_option *option, const char *text, void *field) {
    double value = 0;
    if (!is_default_word(option, text)) {
        if (cs_parse_float(text, &value) != CS_OK)
            return fail_value(option, text, "a number");
        CS_TRY(check_range(option, text, value));
    }
    if (option->size == sizeof(double))
        *(double *)field = value;
    else
        *(float *)field = (float)value;
    return CS_OK;
}

/* The choices are names of a C enum in its order, or the texts themselves when the field is a string. */
static cs_status set_enum(const cs_option *option, const char *text, void *field) {
    char names[8][32], list[256] = "", guess[64];
    const char *pointers[8];
    int n = 0;
    for (const char *at = option->choices; *at; n++) {
        size_t length = strcspn(at, "|");
        snprintf(names[n], sizeof names[n], "%.*s", (int)length, at);
        pointers[n] = names[n];
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", n ? ", " : "", names[n]);
        if (strcmp(names[n], text) == 0) {
            if (option->size == sizeof(int))
                *(int *)field = n;
            else
                snprintf(field, option->size, "%s", text);
            return CS_OK;
        }
        at += length + (at[length] == '|');
    }
    return cs_hint(cs_fail(CS_ERR_ARG, "%s is '%s'%s", option->key, text,
                           cs_did_you_mean(text, pointers, (size_t)n, guess, sizeof guess)),
                   "%s is one of %s", option->key, list);
}

static cs_status set_size(const cs_option *option, const char *text, int field[2]) {
    long side[2] = {0, 0};
    char *end;
    if (strcmp(text, option->fallback) != 0) {
        side[0] = side[1] = strtol(text, &end, 10);
        if (end != text && *end == 'x') {
            const char *second = end + 1;
            side[1] = strtol(second, &end, 10);
            if (end == second)
                return fail_value(option, text, "a size such as [50, 50] or 50x50");
        }
        if (end == text || *end || side[0] < 1 || side[1] < 1 || side[0] > IMAGE_MAX || side[1] > IMAGE_MAX)
            return fail_value(option, text, "a size such as [50, 50] or 50x50");
    }
    field[0] = (int)side[0];
    field[1] = (int)side[1];
    return CS_OK;
}

/* Strings, and lists as comma-separated text without spaces. */
static cs_status set_string(const cs_option *option, const char *text, char *field) {
    if (strlen(text) >= option->size)
        return cs_fail(CS_ERR_ARG, "%s is longer than %zu characters: %.40s...", option->key, option->size - 1, text);
    memset(field, 0, option->size);
    for (size_t used = 0; *text; text++)
        if (option->type != CS_OPTION_LIST || !isspace((unsigned char)*text))
            field[used++] = *text;
    return CS_OK;
}

static cs_status set_cache(const cs_option *option, const char *text, cs_run_config *run) {
    static const char *const modes[] = {"auto", "off"}; /* in the order of cs_cache_mode */
    static const char units[] = "KMGT";
    char *end, guess[64];
    double bytes = strtod(text, &end);
    run->cache_bytes = 0;
    for (int mode = 0; mode < 2; mode++) {
        run->cache = mode;
        if (strcmp(text, modes[mode]) == 0)
            return CS_OK;
    }
    const char *unit = *end ? strchr(units, *end) : NULL;
    if (unit)
        bytes = ldexp(bytes, 10 * (int)(unit - units + 1));
    if (!isdigit((unsigned char)text[0]) || strpbrk(text, "xX") || (unit ? end[1] : *end))
        return cs_hint(cs_fail(CS_ERR_ARG, "%s is '%s'%s", option->key, text,
                               cs_did_you_mean(text, modes, 2, guess, sizeof guess)),
                       "%s is auto, off, or a size such as 512M or 1.5G", option->key);
    CS_TRY(check_range(option, text, bytes));
    run->cache = CS_CACHE_SIZE;
    run->cache_bytes = (size_t)bytes;
    return CS_OK;
}

cs_status cs_option_set(const cs_option *option, const char *text, void *config) {
    void *field = (char *)config + option->offset;
    switch (option->type) {
    case CS_OPTION_BOOL:
        return cs_parse_bool(text, field) == CS_OK ? CS_OK : fail_value(option, text, "true or false");
    case CS_OPTION_INT:
        return set_int(option, text, field);
    case CS_OPTION_FLOAT:
        return set_float(option, text, field);
    case CS_OPTION_ENUM:
        return set_enum(option, text, field);
    case CS_OPTION_SIZE:
        return set_size(option, text, field);
    case CS_OPTION_CACHE:
        return set_cache(option, text, field);
    case CS_OPTION_STRING:
    case CS_OPTION_LIST:
        break;
    }
    return set_string(option, text, field);
}

/* The shortest text that gives the same float back. */
static void print_float(float value, char *out, size_t size) {
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(out, size, "%.*g", digits, (double)value);
        if (strtof(out, NULL) == value)
            return;
    }
}

static void print_choice(const char *choices, int index, char *out, size_t size) {
    for (; index > 0; index--)
        choices += strcspn(choices, "|") + 1;
    snprintf(out, size, "%.*s", (int)strcspn(choices, "|"), choices);
}

void cs_option_get(const cs_option *option, const void *config, char *out, size_t size) {
    const void *field = (const char *)config + option->offset;
    const int *side = field;
    float number;
    switch (option->type) {
    case CS_OPTION_BOOL:
        snprintf(out, size, "%s", *(const bool *)field ? "true" : "false");
        return;
    case CS_OPTION_INT:
        snprintf(out, size, "%lld",
                 option->size == sizeof(int64_t) ? (long long)*(const int64_t *)field : (long long)*(const int *)field);
        return;
    case CS_OPTION_FLOAT:
        number = option->size == sizeof number ? *(const float *)field : (float)*(const double *)field;
        if (number < option->min)
            snprintf(out, size, "%s", option->fallback);
        else
            print_float(number, out, size);
        return;
    case CS_OPTION_SIZE:
        if (side[0] == 0)
            snprintf(out, size, "%s", option->fallback);
        else
            snprintf(out, size, "%dx%d", side[0], side[1]);
        return;
    case CS_OPTION_ENUM:
        if (option->size == sizeof(int)) {
            print_choice(option->choices, *side, out, size);
            return;
        }
        break;
    case CS_OPTION_STRING:
    case CS_OPTION_LIST:
    case CS_OPTION_CACHE: /* of a job, not of a trial */
        break;
    }
    snprintf(out, size, "%s", (const char *)field);
}

static void print_accepted(const cs_option *option, char *out, size_t size) {
    static const char *const names[] = {
        "true, false", "int", "float", "text", "", "HxW", "list", "auto, off, or a size such as 512M"};
    if (option->type == CS_OPTION_ENUM)
        snprintf(out, size, "%s", option->choices);
    else if (option->type == CS_OPTION_INT || option->type == CS_OPTION_FLOAT)
        snprintf(out, size, "%s %g to %g", names[option->type], option->min, option->max);
    else
        snprintf(out, size, "%s", names[option->type]);
    for (char *bar = strchr(out, '|'); bar; bar = strchr(bar, '|'))
        *bar = '/'; /* a bar would end a Markdown cell */
}

static void print_options(const cs_option *options, size_t n, FILE *out, bool markdown) {
    for (size_t i = 0; i < n; i++) {
        char accepted[128];
        print_accepted(&options[i], accepted, sizeof accepted);
        const char *fallback = options[i].fallback[0] ? options[i].fallback : "(none)";
        if (markdown)
            fprintf(out, "| `%s` | %s | %s | %s | %s |\n", options[i].key, accepted, fallback,
                    options[i].sweepable ? "yes" : "no", options[i].doc);
        else
            fprintf(out, "%-20s  %s\n%22stakes %s; default %s%s\n", options[i].key, options[i].doc, "", accepted,
                    fallback, options[i].sweepable ? "; can be swept" : "");
    }
}

void cs_options_print(FILE *out, bool markdown) {
    size_t n;
    const cs_option *options = cs_options(&n);
    if (markdown)
        fprintf(out, "| option | takes | default | sweepable | |\n|---|---|---|---|---|\n");
    print_options(options, n, out, markdown);
    options = cs_job_options(&n);
    print_options(options, n, out, markdown);
}
