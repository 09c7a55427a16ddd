/* SPDX-License-Identifier: Apache-2.0 */
#include "choices.h"

#include <stdio.h>
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

static const char *resize_name(int i) {
    return cs_resize_name((cs_resize)i);
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
    CS_TRY(choose(text, CS_RESIZE_COUNT, resize_name, &choice));
    *(cs_resize *)target = (cs_resize)choice;
    return CS_OK;
}

cs_status pack_parse_exif(const char *text, void *target) {
    int choice = 0;
    CS_TRY(choose(text, 2, exif_name, &choice));
    *(bool *)target = choice == 1;
    return CS_OK;
}

cs_status pack_parse_alpha(const char *text, void *target) {
    cs_decode_rules *rules = target;
    unsigned rgb[3];
    int end = 0;
    rules->blend = strcmp(text, "drop") != 0;
    if (!rules->blend)
        return CS_OK;
    if (sscanf(text, "%3u,%3u,%3u%n", &rgb[0], &rgb[1], &rgb[2], &end) != 3 || text[end] != '\0' || rgb[0] > 255 ||
        rgb[1] > 255 || rgb[2] > 255)
        return cs_hint(cs_fail(CS_ERR_ARG, "\"%s\" is neither drop nor a colour", text),
                       "red, green and blue from 0 to 255, such as 255,255,255");
    for (int c = 0; c < 3; c++)
        rules->background[c] = (uint8_t)rgb[c];
    return CS_OK;
}
