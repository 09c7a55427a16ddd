/* SPDX-License-Identifier: Apache-2.0 */
/* The orientation of photographs: cameras store the pixels as the sensor gives them, and EXIF data say how the image is
 * to be turned (Exif 2.32, tag 0x0112, in the form of a TIFF file). */
#include "image_impl.h"

#include <string.h>

/* Reads `n` bytes as a number. */
static uint32_t number(const uint8_t *bytes, int n, bool little_endian) {
    uint32_t value = 0;
    for (int i = 0; i < n; i++)
        value = value << 8 | bytes[little_endian ? n - 1 - i : i];
    return value;
}

int cs_exif_orientation(const uint8_t *tiff, size_t size) {
    enum { HEAD = 8, ENTRY = 12, ORIENTATION = 0x0112, SHORT = 3 };
    if (size < HEAD || (memcmp(tiff, "II*\0", 4) != 0 && memcmp(tiff, "MM\0*", 4) != 0))
        return 1;
    const bool little = tiff[0] == 'I';
    const size_t directory = number(tiff + 4, 4, little);
    if (directory > size - 2)
        return 1;
    const size_t entries = number(tiff + directory, 2, little);
    for (size_t i = 0, at = directory + 2; i < entries && at + ENTRY <= size; i++, at += ENTRY) {
        if (number(tiff + at, 2, little) != ORIENTATION || number(tiff + at + 2, 2, little) != SHORT)
            continue;
        const uint32_t value = number(tiff + at + 8, 2, little);
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}

cs_status cs_image_turn(const cs_image *from, int orientation, cs_image *upright) {
    /* how the upright image finds a pixel in `from`: rows and columns change places, rows from below, columns from the
     * right */
    static const struct {
        bool swap, rows_back, columns_back;
    } ways[] = {
        [1] = {false, false, false}, [2] = {false, false, true}, [3] = {false, true, true}, [4] = {false, true, false},
        [5] = {true, false, false},  [6] = {true, true, false},  [7] = {true, true, true},  [8] = {true, false, true}};
    const bool swap = ways[orientation].swap;
    CS_TRY(cs_image_reserve(upright, swap ? from->w : from->h, swap ? from->h : from->w));
    uint8_t *out = upright->pixels;
    for (int y = 0; y < upright->h; y++)
        for (int x = 0; x < upright->w; x++, out += 3) {
            int row = swap ? x : y, column = swap ? y : x;
            row = ways[orientation].rows_back ? from->h - 1 - row : row;
            column = ways[orientation].columns_back ? from->w - 1 - column : column;
            memcpy(out, from->pixels + ((size_t)row * (size_t)from->w + (size_t)column) * 3, 3);
        }
    return CS_OK;
}
