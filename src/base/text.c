/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cs_float_text(float value, char *out, size_t size) {
    enum { ENOUGH = 9 }; /* this many digits distinguish any two floats */
    const float positive = value == 0 ? 0 : value;
    for (int digits = 1; digits <= ENOUGH; digits++) {
        snprintf(out, size, "%.*g", digits, (double)positive);
        if (strtof(out, NULL) == value)
            return;
    }
}

void cs_double_text(double value, char *out, size_t size) {
    enum { ENOUGH = 17 };
    const double positive = value == 0 ? 0 : value;
    for (int digits = 1; digits <= ENOUGH; digits++) {
        snprintf(out, size, "%.*g", digits, positive);
        if (strtod(out, NULL) == value)
            return;
    }
}

void cs_clock_text(double seconds, char *out, size_t size) {
    const long whole = lround(seconds);
    snprintf(out, size, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
}

/* Unicode 15, table 3-7: what follows the first byte is limited so that no character has two forms. */
int cs_utf8_read(const char *text, uint32_t *code) {
    enum { NEXT_BITS = 6, NEXT_MASK = 0x3F };
    static const struct {
        unsigned char first, last, second_first, second_last;
        int length;
        unsigned char mask; /* the bits of the first byte that are the character's */
    } forms[] = {
        {0x01, 0x7F, 0, 0, 1, 0x7F},       {0xC2, 0xDF, 0x80, 0xBF, 2, 0x1F}, {0xE0, 0xE0, 0xA0, 0xBF, 3, 0xF},
        {0xE1, 0xEC, 0x80, 0xBF, 3, 0xF},  {0xED, 0xED, 0x80, 0x9F, 3, 0xF},  {0xEE, 0xEF, 0x80, 0xBF, 3, 0xF},
        {0xF0, 0xF0, 0x90, 0xBF, 4, 0x07}, {0xF1, 0xF3, 0x80, 0xBF, 4, 0x07}, {0xF4, 0xF4, 0x80, 0x8F, 4, 0x07}};
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t k = 0; k < sizeof forms / sizeof *forms; k++) {
        const int n = forms[k].length;
        if (bytes[0] < forms[k].first || bytes[0] > forms[k].last)
            continue;
        if (n > 1 && (bytes[1] < forms[k].second_first || bytes[1] > forms[k].second_last))
            return 0;
        *code = bytes[0] & forms[k].mask;
        for (int i = 1; i < n; i++) {
            if (bytes[i] < 0x80 || bytes[i] > 0xBF)
                return 0;
            *code = *code << NEXT_BITS | (bytes[i] & NEXT_MASK);
        }
        return n;
    }
    return 0;
}

/* XML forbids some of these characters, and HTML calls the others errors. Unicode has no characters at the last two
 * places of each plane of 2^16, nor from U+FDD0 to U+FDEF. */
bool cs_utf8_is_text(uint32_t code) {
    enum { PLANE = 0xFFFF, LAST_TWO = 0xFFFE };
    if (code == '\t' || code == '\n')
        return true;
    return code >= ' ' && !(code >= 0x7F && code <= 0x9F) && !(code >= 0xFDD0 && code <= 0xFDEF) &&
           (code & PLANE) < LAST_TWO;
}

void cs_text_printable(const char *text, char *out, size_t size) {
    enum { ESCAPED = 4, DELETE = 0x7F };
    size_t used = 0;
    while (*text) {
        const unsigned char first = (unsigned char)*text;
        uint32_t code;
        size_t n = (size_t)cs_utf8_read(text, &code);
        bool plain = n > 0 && first >= ' ' && first != DELETE;
        size_t needed = plain ? n : ESCAPED;
        if (used + needed >= size)
            break;
        if (plain)
            memcpy(out + used, text, n);
        else
            snprintf(out + used, ESCAPED + 1, "\\x%02x", first);
        used += needed;
        text += plain ? n : 1;
    }
    out[used] = '\0';
}

bool cs_text_is_utf8(const char *text) {
    uint32_t code;
    int n = 1;
    for (; *text && n > 0; text += n)
        n = cs_utf8_read(text, &code);
    return n > 0;
}

int cs_entry_count(const char *text) {
    int n = 1;
    for (; *text; text++)
        n += *text == ',';
    return n;
}

bool cs_entry_read(const char *text, int i, char *name, size_t size, double *value) {
    const char *begin = text;
    char *end;
    for (; i > 0; i--)
        begin = strchr(begin, ',') + 1;
    const char *stop = begin + strcspn(begin, ","), *number = stop;
    while (number > begin && number[-1] != ':')
        number--;
    size_t length = number > begin ? (size_t)(number - begin) - 1 : 0;
    if (length >= size || (number > begin && length == 0))
        return false;
    memcpy(name, begin, length);
    name[length] = '\0';
    *value = strtod(number, &end);
    return end == stop && number < stop;
}
