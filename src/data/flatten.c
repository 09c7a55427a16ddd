/* SPDX-License-Identifier: Apache-2.0 */
/* Makes RGB of 8 bits of what codecs read: removes alpha and the lower half of 16 bits by the decoder's rules. */
#include "image_impl.h"

#include "cnnsweep/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *cs_depth16_name(cs_depth16 depth16) {
    static const char *const names[CS_DEPTH16_COUNT] = {"high-byte", "clip", "scale"};
    return names[depth16];
}

void cs_decode_rules_text(const cs_decode_rules *rules, char text[CS_DECODE_TEXT]) {
    size_t used = 0;
    strcpy(text, " default");
    if (rules->depth16 != CS_DEPTH16_HIGH_BYTE)
        used += (size_t)snprintf(text + used, CS_DECODE_TEXT - used, " depth16=%s", cs_depth16_name(rules->depth16));
    if (rules->blend)
        used += (size_t)snprintf(text + used, CS_DECODE_TEXT - used, " alpha=%d,%d,%d", rules->background[0],
                                 rules->background[1], rules->background[2]);
    if (rules->exif)
        used += (size_t)snprintf(text + used, CS_DECODE_TEXT - used, " exif=apply");
    if (rules->max_pixels > 0)
        snprintf(text + used, CS_DECODE_TEXT - used, " max-pixels=%" PRId64, rules->max_pixels);
    memmove(text, text + 1, strlen(text)); /* each part began with a space */
}

/* The number after `name` in the text, and *after what follows it; 0 if the name is not there. */
static int64_t find_number(const char *text, const char *name, const char **after) {
    const char *at = strstr(text, name);
    char *end;
    if (!at)
        return 0;
    const int64_t number = strtoll(at + strlen(name), &end, 10);
    *after = end;
    return number;
}

bool cs_decode_rules_parse(const char *text, cs_decode_rules *rules) {
    char of[CS_DECODE_TEXT];
    const char *at = text;
    *rules = (cs_decode_rules){.blend = strstr(text, "alpha=") != NULL, .exif = strstr(text, "exif=") != NULL};
    for (int i = 0; i < CS_DEPTH16_COUNT; i++)
        if (strstr(text, cs_depth16_name((cs_depth16)i)))
            rules->depth16 = (cs_depth16)i;
    for (int c = 0; c < 3 && rules->blend; c++)
        rules->background[c] = (uint8_t)find_number(c == 0 ? text : at, c == 0 ? "alpha=" : ",", &at);
    rules->max_pixels = find_number(text, "max-pixels=", &at);
    cs_decode_rules_text(rules, of);
    return strcmp(of, text) == 0; /* else there is something else in the text */
}

cs_status cs_reserve_rgba(cs_decoder *decoder, int h, int w) {
    return cs_grow(&decoder->four, &decoder->four_capacity, (size_t)h * (size_t)w * 4, 1, "image of four channels");
}

cs_status cs_reserve_rgba16(cs_decoder *decoder, int h, int w) {
    return cs_grow(&decoder->four16, &decoder->four16_capacity, (size_t)h * (size_t)w * 4, sizeof *decoder->four16,
                   "image of 16 bits");
}

/* Pillow's blend (Paste.c): a / 255, rounded; exact for sums of two products of bytes that are at most 255 * 255. */
static uint8_t blend(unsigned colour, unsigned background, unsigned alpha) {
    unsigned sum = colour * alpha + background * (255 - alpha) + 128;
    return (uint8_t)(((sum >> 8) + sum) >> 8);
}

static void take_pixel(const cs_decode_rules *rules, const uint8_t rgb[3], unsigned alpha, uint8_t *out) {
    if (!rules->blend)
        memcpy(out, rgb, 3);
    for (int c = 0; rules->blend && c < 3; c++)
        out[c] = blend(rgb[c], rules->background[c], alpha);
}

cs_status cs_take_rgba(cs_decoder *decoder, const uint8_t *rgba, int h, int w, cs_image *image) {
    CS_TRY(cs_image_reserve(image, h, w));
    const size_t n = (size_t)h * (size_t)w;
    for (size_t i = 0; i < n; i++)
        take_pixel(&decoder->rules, rgba + 4 * i, rgba[4 * i + 3], image->pixels + 3 * i);
    return CS_OK;
}

/* The values that become 0 and 255 by CS_DEPTH16_SCALE: the least and the greatest of the colours. */
static void find_range(const uint16_t *rgba, size_t n, unsigned *least, unsigned *greatest) {
    *least = UINT16_MAX;
    *greatest = 0;
    for (size_t i = 0; i < 4 * n; i++) {
        if (i % 4 == 3)
            continue;
        *least = rgba[i] < *least ? rgba[i] : *least;
        *greatest = rgba[i] > *greatest ? rgba[i] : *greatest;
    }
}

static uint8_t reduce(cs_depth16 how, unsigned value, unsigned least, unsigned greatest) {
    if (how == CS_DEPTH16_HIGH_BYTE)
        return (uint8_t)(value >> 8);
    if (how == CS_DEPTH16_CLIP)
        return (uint8_t)(value < 255 ? value : 255);
    const unsigned range = greatest > least ? greatest - least : 1;
    return (uint8_t)((2 * 255 * (value - least) + range) / (2 * range));
}

cs_status cs_take_rgba16(cs_decoder *decoder, int h, int w, cs_image *image) {
    CS_TRY(cs_image_reserve(image, h, w));
    const cs_decode_rules *rules = &decoder->rules;
    const size_t n = (size_t)h * (size_t)w;
    unsigned least = 0, greatest = 0;
    if (rules->depth16 == CS_DEPTH16_SCALE)
        find_range(decoder->four16, n, &least, &greatest);
    for (size_t i = 0; i < n; i++) {
        const uint16_t *deep = decoder->four16 + 4 * i;
        uint8_t rgb[3];
        for (int c = 0; c < 3; c++)
            rgb[c] = reduce(rules->depth16, deep[c], least, greatest);
        take_pixel(rules, rgb, deep[3] >> 8, image->pixels + 3 * i);
    }
    decoder->counts.depth16++;
    return CS_OK;
}
