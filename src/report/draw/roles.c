/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

/* The series have the colours of Okabe and Ito, "Color Universal Design", 2008, the darker ones first. On a dark page
 * the black one is white, and blue is lighter. Text has a contrast of at least 4.5 to the background (WCAG 2, AA). */
static const struct {
    const char *name;
    cs_rgb light, dark;
} roles[CS_ROLE_COUNT] = {
    [CS_ROLE_TEXT] = {"text", {0x22, 0x22, 0x22}, {0xE8, 0xE8, 0xE8}},
    [CS_ROLE_MUTED] = {"muted", {0x55, 0x55, 0x55}, {0xB8, 0xB8, 0xB8}},
    [CS_ROLE_AXIS] = {"axis", {0x88, 0x88, 0x88}, {0x80, 0x80, 0x80}},
    [CS_ROLE_GRID] = {"grid", {0xE4, 0xE4, 0xE4}, {0x36, 0x36, 0x36}},
    [CS_ROLE_MARK] = {"mark", {0xD5, 0x5E, 0x00}, {0xFF, 0x8A, 0x3D}},
    [CS_ROLE_FAINT] = {"faint", {0x9A, 0x9A, 0x9A}, {0x85, 0x85, 0x85}},
    [CS_ROLE_BACKGROUND] = {"background", {0xFF, 0xFF, 0xFF}, {0x1B, 0x1B, 0x1B}},
    [CS_ROLE_BAD] = {"bad", {0xA3, 0x12, 0x2A}, {0xFF, 0x7B, 0x86}},
    [CS_ROLE_SERIES] = {"0", {0x00, 0x72, 0xB2}, {0x3A, 0x9B, 0xDC}},
    [CS_ROLE_SERIES + 1] = {"1", {0xE6, 0x9F, 0x00}, {0xE6, 0x9F, 0x00}},
    [CS_ROLE_SERIES + 2] = {"2", {0x00, 0x9E, 0x73}, {0x00, 0x9E, 0x73}},
    [CS_ROLE_SERIES + 3] = {"3", {0xCC, 0x79, 0xA7}, {0xCC, 0x79, 0xA7}},
    [CS_ROLE_SERIES + 4] = {"4", {0xD5, 0x5E, 0x00}, {0xD5, 0x5E, 0x00}},
    [CS_ROLE_SERIES + 5] = {"5", {0x56, 0xB4, 0xE9}, {0x8F, 0xD3, 0xFA}},
    [CS_ROLE_SERIES + 6] = {"6", {0x00, 0x00, 0x00}, {0xFF, 0xFF, 0xFF}},
    [CS_ROLE_SERIES + 7] = {"7", {0xF0, 0xE4, 0x42}, {0xF0, 0xE4, 0x42}},
};

cs_role cs_role_series(int i) {
    return (cs_role)(CS_ROLE_SERIES + i % CS_SERIES_COLOURS);
}

const char *cs_role_name(cs_role role) {
    return roles[role].name;
}

cs_rgb cs_role_colour(cs_role role, bool dark) {
    return dark ? roles[role].dark : roles[role].light;
}

bool cs_dash_lengths(cs_dash dash, double lengths[2]) {
    static const double table[CS_DASH_COUNT][2] = {[CS_DASH_LONG] = {6, 4}, [CS_DASH_SHORT] = {2, 3}};
    lengths[0] = table[dash][0];
    lengths[1] = table[dash][1];
    return dash != CS_DASH_NONE;
}
