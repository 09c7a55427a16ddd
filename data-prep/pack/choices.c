/* SPDX-License-Identifier: Apache-2.0 */
#include "choices.h"

#include "pack.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Finds the text among the `n` names; its index becomes *choice. */
static cs_status choose(const char *text, int n, const char *(*name)(int i), int *choice) {
    char names[128] = "";
    for (int i = 0; i < n; i++) {
        if (strcmp(text, name(i)) == 0) {
            *choice = i;
            return CS_OK;
        }
        const char *before = i == 0 ? "" : i + 1 < n ? ", " : " or ";
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", before, name(i));
    }
    return cs_fail(CS_ERR_ARG, "\"%s\" is not %s", text, names);
}

static const char *depth16_name(int i) {
    return cs_depth16_name((cs_depth16)i);
}

static const char *interpolation_name(int i) {
    return cs_interpolation_name((cs_interpolation)i);
}

static const char *aspect_name(int i) {
    return cs_aspect_name((cs_aspect)i);
}

static const char *exif_name(int i) {
    return i ? "apply" : "ignore";
}

cs_status pack_parse_depth16(const char *text, void *target) {
    int choice = 0;
    CS_TRY(choose(text, CS_DEPTH16_COUNT, depth16_name, &choice));
    *(cs_depth16 *)target = (cs_depth16)choice;
    return CS_OK;
}

cs_status pack_parse_resize(const char *text, void *target) {
    int choice = 0;
    CS_TRY(choose(text, CS_INTERPOLATION_COUNT, interpolation_name, &choice));
    *(cs_interpolation *)target = (cs_interpolation)choice;
    return CS_OK;
}

cs_status pack_parse_aspect(const char *text, void *target) {
    int choice = 0;
    CS_TRY(choose(text, CS_ASPECT_COUNT, aspect_name, &choice));
    *(cs_aspect *)target = (cs_aspect)choice;
    return CS_OK;
}

cs_status pack_parse_exif(const char *text, void *target) {
    int choice = 0;
    CS_TRY(choose(text, 2, exif_name, &choice));
    *(bool *)target = choice == 1;
    return CS_OK;
}

cs_status pack_parse_duplicates(const char *text, void *target) {
    int choice = 0;
    CS_TRY(choose(text, PACK_DUPLICATES_COUNT, pack_duplicates_name, &choice));
    *(pack_duplicates_rule *)target = (pack_duplicates_rule)choice;
    return CS_OK;
}

cs_status pack_parse_balance(const char *text, void *target) {
    int choice = 0;
    CS_TRY(choose(text, PACK_BALANCE_COUNT, pack_balance_name, &choice));
    *(pack_balance *)target = (pack_balance)choice;
    return CS_OK;
}

cs_status pack_parse_alpha(const char *text, void *target) {
    cs_decode_rules *rules = target;
    rules->blend = strcmp(text, "drop") != 0;
    for (int c = 0; rules->blend && c < 3; c++) {
        char *end;
        const unsigned long value = strtoul(text, &end, 10);
        if (!isdigit((unsigned char)*text) || value > 255 || *end != (c < 2 ? ',' : '\0'))
            return cs_hint(cs_fail(CS_ERR_ARG, "neither drop nor a colour"),
                           "a colour is red, green and blue from 0 to 255, such as 255,255,255");
        rules->background[c] = (uint8_t)value;
        text = end + 1;
    }
    return CS_OK;
}
