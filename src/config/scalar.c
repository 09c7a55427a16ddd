/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/scalar.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 128, HEXADECIMAL = 16, DECIMAL = 10, OCTAL = 8, BINARY = 2 };

/* A number as it is written. */
typedef struct number {
    char digits[DIGITS_MAX]; /* the text without underscores and without 0x or 0b */
    int base;
    bool is_int;       /* there is no point and no exponent */
    bool leading_zero; /* a whole number in decimal digits begins with a 0 that says nothing */
} number;

static bool is_one_of(const char *text, const char *const *words, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return false;
}

bool cs_scalar_is_null(const char *text) {
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    return is_one_of(text, words, sizeof words / sizeof *words);
}

cs_status cs_parse_bool(const char *text, bool *out) {
    static const char *const yes[] = {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"};
    static const char *const no[] = {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"};
    *out = is_one_of(text, yes, sizeof yes / sizeof *yes);
    if (*out || is_one_of(text, no, sizeof no / sizeof *no))
        return CS_OK;
    return cs_fail(CS_ERR_ARG, "'%s' is neither true nor false", text);
}

/* Copies the digits at *at, without the underscores that follow the first. Returns their number. */
static int copy_digits(const char **at, bool underscores, char **to) {
    int n = 0;
    for (; isdigit((unsigned char)**at) || (underscores && **at == '_'); ++*at) {
        if (**at == '_')
            continue;
        *(*to)++ = **at;
        n++;
    }
    return n;
}

/* Copies a number in decimal digits: whole, with a point, with an exponent. */
static bool scan_decimal(const char *at, char *to, number *out) {
    const char *first = at;
    int whole = copy_digits(&at, isdigit((unsigned char)*at), &to), fraction = 0;
    out->base = DECIMAL;
    out->is_int = *at == '\0';
    out->leading_zero = out->is_int && first[0] == '0' && first[1] != '\0';
    if (*at == '.') {
        *to++ = *at++;
        fraction = copy_digits(&at, whole > 0 || isdigit((unsigned char)*at), &to);
    }
    if (whole + fraction > 0 && (*at == 'e' || *at == 'E')) {
        *to++ = *at++;
        if (*at == '+' || *at == '-')
            *to++ = *at++;
        if (copy_digits(&at, false, &to) == 0)
            return false;
    }
    *to = '\0';
    return whole + fraction > 0 && *at == '\0';
}

/* Copies the digits of a number with the prefix 0x or 0b. */
static bool scan_prefixed(const char *at, char *to, number *out) {
    const char *const digits = out->base == HEXADECIMAL ? "0123456789abcdefABCDEF_" : "01_", *first = to;
    out->is_int = true;
    for (; *at && strchr(digits, *at); at++)
        if (*at != '_')
            *to++ = *at;
    *to = '\0';
    return *at == '\0' && to > first;
}

/* False: the text is not a number. */
static bool scan(const char *text, number *out) {
    char *to = out->digits;
    *out = (number){0};
    if (strlen(text) >= sizeof out->digits)
        return false;
    if (*text == '+' || *text == '-')
        *to++ = *text++;
    if (text[0] != '0' || (text[1] != 'x' && text[1] != 'b'))
        return scan_decimal(text, to, out);
    out->base = text[1] == 'x' ? HEXADECIMAL : BINARY;
    return scan_prefixed(text + 2, to, out);
}

const char *cs_number_hint(const char *text, char *buffer, size_t size) {
    number seen;
    char *end;
    buffer[0] = '\0';
    if (scan(text, &seen)) {
        if (seen.leading_zero && strspn(seen.digits, "01234567+-") == strlen(seen.digits))
            snprintf(
                buffer, size,
                "with a leading 0 it is %lld to YAML 1.1 (PyYAML), which reads octal digits, and %lld to YAML 1.2: "
                "write one of them",
                strtoll(seen.digits, NULL, OCTAL), strtoll(seen.digits, NULL, DECIMAL));
        else if (seen.leading_zero)
            snprintf(buffer, size, "write it without the leading 0, which means octal digits in YAML 1.1");
        return buffer;
    }
    double above = strtod(text, &end);
    if (end == text || end[strspn(end, " ")] != '/')
        return buffer;
    const char *second = end + strspn(end, " ") + 1;
    double below = strtod(second, &end);
    if (end != second && end[strspn(end, " ")] == '\0' && isfinite(above / below))
        snprintf(buffer, size, "YAML does not calculate: write %.9g", above / below);
    return buffer;
}

static cs_status fail_number(const char *text, const char *wanted) {
    char hint[256];
    cs_status status = cs_fail(CS_ERR_ARG, "'%s' is not a %s", text, wanted);
    return cs_number_hint(text, hint, sizeof hint)[0] ? cs_hint(status, "%s", hint) : status;
}

cs_status cs_parse_float(const char *text, double *out) {
    number seen;
    bool valid = scan(text, &seen) && !seen.leading_zero;
    long long whole = 0;
    if (valid && seen.base != DECIMAL) {
        CS_TRY(cs_parse_whole(text, &whole));
        *out = (double)whole;
        return CS_OK;
    }
    *out = valid ? strtod(seen.digits, NULL) : 0;
    return valid && isfinite(*out) ? CS_OK : fail_number(text, "number");
}

cs_status cs_parse_whole(const char *text, long long *out) {
    const char *what = "whole number";
    const double exact = 9007199254740992.0;
    number seen;
    double value;
    if (!scan(text, &seen) || seen.leading_zero)
        return fail_number(text, what);
    if (seen.is_int) {
        errno = 0;
        *out = strtoll(seen.digits, NULL, seen.base);
        return errno == ERANGE ? fail_number(text, what) : CS_OK;
    }
    CS_TRY(cs_parse_float(text, &value));
    if (value != floor(value) || fabs(value) > exact)
        return fail_number(text, what);
    *out = (long long)value;
    return CS_OK;
}

bool cs_scalar_is_int(const char *text) {
    number seen;
    return scan(text, &seen) && seen.is_int;
}
