/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing and printing options; the rows are in the files that option_families.h names and in the sweep room's
 * job_options.c. */
#include "cnnsweep/option.h"
#include "cnnsweep/scalar.h"
#include "cnnsweep/text.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGE_MAX = 65536 };

const char *cs_option_short_name(const cs_option *option) {
    const char *dot = strrchr(option->key, '.');
    return dot && !option->whole_name ? dot + 1 : option->key;
}

static cs_status fail_value(const cs_option *option, const char *text, const char *wanted) {
    char hint[256];
    cs_status status = cs_fail(CS_ERR_ARG, "%s is '%s'; it takes %s", option->key, text, wanted);
    return cs_number_hint(text, hint, sizeof hint)[0] ? cs_hint(status, "%s", hint) : status;
}

cs_status cs_option_check_range(const cs_option *option, const char *text, double value) {
    if (value >= option->min && value <= option->max)
        return CS_OK;
    return cs_fail(CS_ERR_ARG, "%s is %s, outside %g to %g", option->key, text, option->min, option->max);
}

/* A default that is a word, such as "auto", is stored as NaN, and for a whole number as 0, which is outside the range.
 * The code that uses the value resolves it. */
static bool is_default_word(const cs_option *option, const char *text) {
    return isalpha((unsigned char)text[0]) && strcmp(text, option->fallback) == 0;
}

static cs_status set_int(const cs_option *option, const char *text, void *field) {
    long long value = 0;
    if (!is_default_word(option, text)) {
        if (cs_parse_whole(text, &value) != CS_OK)
            return fail_value(option, text, "a whole number");
        CS_TRY(cs_option_check_range(option, text, (double)value));
    }
    if (option->size == sizeof(int64_t))
        *(int64_t *)field = value;
    else
        *(int *)field = (int)value;
    return CS_OK;
}

static cs_status set_float(const cs_option *option, const char *text, void *field) {
    double value = (double)NAN;
    if (!is_default_word(option, text)) {
        if (cs_parse_float(text, &value) != CS_OK)
            return fail_value(option, text, "a number");
        CS_TRY(cs_option_check_range(option, text, value));
    }
    if (option->size == sizeof(double))
        *(double *)field = value;
    else
        *(float *)field = (float)value;
    return CS_OK;
}

/* Lists the names of all choices, such as "sgd, adam". */
static void list_choices(const cs_option *option, char *out, size_t size) {
    out[0] = '\0';
    for (int i = 0; option->choice(i); i++) {
        size_t used = strlen(out);
        snprintf(out + used, size - used, "%s%s", i ? ", " : "", option->choice(i));
    }
}

static cs_status set_enum(const cs_option *option, const char *text, void *field) {
    char list[512], guess[96];
    cs_suggestion suggestion = cs_suggestion_begin(text);
    for (int i = 0; option->choice(i); i++) {
        cs_suggestion_try(&suggestion, option->choice(i));
        if (strcmp(option->choice(i), text) != 0)
            continue;
        if (option->size == sizeof(int))
            *(int *)field = i;
        else
            snprintf(field, option->size, "%s", text);
        return CS_OK;
    }
    list_choices(option, list, sizeof list);
    return cs_hint(
        cs_fail(CS_ERR_ARG, "%s is '%s'%s", option->key, text, cs_suggestion_text(&suggestion, guess, sizeof guess)),
        "%s is one of %s", option->key, list);
}

/* Reads "50x40", or a number, which is both sides. 0x50 is a size with a side of 0, not 80. */
static bool parse_size(const char *text, long long side[2]) {
    char height[32];
    const char *x = strchr(text, 'x');
    size_t length = x ? (size_t)(x - text) : strlen(text);
    if (length >= sizeof height)
        return false;
    snprintf(height, sizeof height, "%.*s", (int)length, text);
    return cs_parse_whole(height, &side[0]) == CS_OK && cs_parse_whole(x ? x + 1 : text, &side[1]) == CS_OK;
}

static cs_status set_size(const cs_option *option, const char *text, int field[2]) {
    long long side[2] = {0, 0};
    if (strcmp(text, option->fallback) != 0 &&
        (!parse_size(text, side) || side[0] < 1 || side[1] < 1 || side[0] > IMAGE_MAX || side[1] > IMAGE_MAX))
        return fail_value(option, text, "a size such as [50, 50] or 50x50");
    field[0] = (int)side[0];
    field[1] = (int)side[1];
    return CS_OK;
}

/* Sets a string, or a list as comma-separated text without spaces. A number of layers is stored in decimal digits. */
static cs_status set_string(const cs_option *option, const char *text, char *field) {
    char count[32];
    long long whole;
    if (option->takes_count && cs_parse_whole(text, &whole) == CS_OK) {
        snprintf(count, sizeof count, "%lld", whole);
        text = count;
    } else if (option->takes_count && cs_scalar_is_int(text)) {
        return fail_value(option, text, "a whole number, or a name");
    }
    if (strlen(text) >= option->size)
        return cs_fail(CS_ERR_ARG, "%s is longer than %zu characters: %.40s...", option->key, option->size - 1, text);
    memset(field, 0, option->size);
    for (size_t used = 0; *text; text++)
        if (option->type != CS_OPTION_LIST || !isspace((unsigned char)*text))
            field[used++] = *text;
    return CS_OK;
}

static cs_status set_field(const cs_option *option, const char *text, void *field) {
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
    case CS_OPTION_OTHER:
        return option->parse(option, text, field);
    case CS_OPTION_STRING:
    case CS_OPTION_LIST:
        break;
    }
    return set_string(option, text, field);
}

cs_status cs_option_set(const cs_option *option, const char *text, void *config) {
    CS_TRY(set_field(option, text, (char *)config + option->offset));
    return option->check ? option->check(config) : CS_OK;
}

/* A number below the range is a default that is a word. */
static void print_int(const cs_option *option, const void *field, char *out, size_t size) {
    long long value = option->size == sizeof(int64_t) ? (long long)*(const int64_t *)field : *(const int *)field;
    if ((double)value < option->min)
        snprintf(out, size, "%s", option->fallback);
    else
        snprintf(out, size, "%lld", value);
}

static void print_float(const cs_option *option, const void *field, char *out, size_t size) {
    bool single = option->size == sizeof(float);
    double value = single ? (double)*(const float *)field : *(const double *)field;
    if (isnan(value))
        snprintf(out, size, "%s", option->fallback);
    else if (single)
        cs_float_text((float)value, out, size);
    else
        cs_double_text(value, out, size);
}

void cs_option_get(const cs_option *option, const void *config, char *out, size_t size) {
    const void *field = (const char *)config + option->offset;
    const int *side = field;
    switch (option->type) {
    case CS_OPTION_BOOL:
        snprintf(out, size, "%s", *(const bool *)field ? "true" : "false");
        return;
    case CS_OPTION_INT:
        print_int(option, field, out, size);
        return;
    case CS_OPTION_FLOAT:
        print_float(option, field, out, size);
        return;
    case CS_OPTION_SIZE:
        if (side[0] == 0)
            snprintf(out, size, "%s", option->fallback);
        else
            snprintf(out, size, "%dx%d", side[0], side[1]);
        return;
    case CS_OPTION_ENUM:
        if (option->size == sizeof(int)) {
            snprintf(out, size, "%s", option->choice(*side));
            return;
        }
        break;
    case CS_OPTION_STRING:
    case CS_OPTION_LIST:
    case CS_OPTION_OTHER: /* its text is at the beginning of the field */
        break;
    }
    snprintf(out, size, "%s", (const char *)field);
}

static void print_accepted(const cs_option *option, char *out, size_t size) {
    static const char *const names[] = {
        [CS_OPTION_BOOL] = "true, false", [CS_OPTION_INT] = "int",  [CS_OPTION_FLOAT] = "float",
        [CS_OPTION_STRING] = "text",      [CS_OPTION_SIZE] = "HxW", [CS_OPTION_LIST] = "list"};
    if (option->type == CS_OPTION_ENUM)
        list_choices(option, out, size);
    else if (option->type == CS_OPTION_INT || option->type == CS_OPTION_FLOAT)
        snprintf(out, size, "%s %g to %g", names[option->type], option->min, option->max);
    else
        snprintf(out, size, "%s", option->type == CS_OPTION_OTHER ? option->takes : names[option->type]);
}

bool cs_option_takes_null(const cs_option *option) {
    return !option->required && (!option->fallback[0] || strcmp(option->fallback, "none") == 0);
}

void cs_options_heading(FILE *out) {
    fprintf(out, "| option | takes | default | sweepable | |\n|---|---|---|---|---|\n");
}

void cs_options_print(const cs_option *options, size_t n, FILE *out, bool markdown) {
    for (size_t i = 0; i < n; i++) {
        char accepted[256];
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
