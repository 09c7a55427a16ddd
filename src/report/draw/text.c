/* SPDX-License-Identifier: Apache-2.0 */
/* How wide texts are, about. */
#include "cnnsweep/text.h"
#include "cnnsweep/drawing.h"

#include <stddef.h>
#include <string.h>

/* Widths in units of a letter's height, between those of the fonts Arial and DejaVu Sans, of which readers have either.
 */
static const struct {
    const char *letters;
    double width;
} widths[] = {
    {"ijl|!'.,:;I", 0.31},
    {" fr()[]t-/\\\"`", 0.37},
    {"sckvxyzJ*^_{}", 0.54},
    {"mwMW%@", 0.93},
    {"ABCDEFGHKNOPQRSTUVXYZ&+<=>~#", 0.72},
};

/* Ranges of Unicode whose characters are as wide as high, and of marks that have no width of their own. */
static const struct {
    uint32_t first, last;
    double width;
} ranges[] = {{0x0300, 0x036F, 0}, {0x0591, 0x05BD, 0},     {0x064B, 0x065F, 0},  {0x1100, 0x115F, 1},
              {0x200B, 0x200F, 0}, {0x202A, 0x202E, 0},     {0x2060, 0x2069, 0},  {0x2E80, 0xA4CF, 1},
              {0xAC00, 0xD7A3, 1}, {0xF900, 0xFAFF, 1},     {0xFE00, 0xFE0F, 0},  {0xFE30, 0xFE6F, 1},
              {0xFF00, 0xFF60, 1}, {0x1F000, 0x1FAFF, 1.2}, {0x20000, 0x3FFFF, 1}};

static double character_width(uint32_t code) {
    const double usual = 0.6, other = 0.68;
    if (code < 0x80) {
        for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
            if (strchr(widths[i].letters, (int)code))
                return widths[i].width;
        return usual;
    }
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return ranges[i].width;
    return other;
}

/* The width of the character that the text begins with; its bytes are at least one, also where it is none of UTF-8. */
static double next_width(const char *text, size_t *bytes) {
    const double replacement = 1;
    uint32_t code;
    const int n = cs_utf8_read(text, &code);
    *bytes = n > 0 ? (size_t)n : 1;
    return n > 0 ? character_width(code) : replacement;
}

double cs_text_width(const char *text, double size) {
    double width = 0;
    size_t bytes;
    for (; *text; text += bytes)
        width += next_width(text, &bytes);
    return width * size;
}

const char *cs_text_shorten(const char *text, double width, double text_size, char *out, size_t size) {
    static const char ellipsis[] = "\xE2\x80\xA6";
    const double room = width / text_size - 0.68; /* for letters in front of the ellipsis */
    const bool whole = cs_text_width(text, text_size) <= width && strlen(text) < size;
    double used = 0;
    size_t n = 0, bytes;
    if (whole)
        return strcpy(out, text);
    while (text[n]) {
        used += next_width(text + n, &bytes);
        if (used > room || n + bytes + sizeof ellipsis > size)
            break;
        n += bytes;
    }
    memcpy(out, text, n);
    strcpy(out + n, ellipsis);
    return out;
}
