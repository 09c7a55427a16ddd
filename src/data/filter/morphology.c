/* SPDX-License-Identifier: Apache-2.0 */
/* Dilation and closing. What lies outside of the image does not count. */
#include "filters.h"

#include <string.h>

/* out[i] = the largest of the values from i - radius to i + radius, of a line of n values that are `step` apart. */
static void widen_line(const uint8_t *from, int n, size_t step, int radius, uint8_t *out) {
    for (int i = 0; i < n; i++) {
        const int first = i > radius ? i - radius : 0, last = i + radius < n ? i + radius : n - 1;
        uint8_t largest = 0;
        for (int k = first; k <= last; k++)
            if (from[(size_t)k * step] > largest)
                largest = from[(size_t)k * step];
        out[(size_t)i * step] = largest;
    }
}

static void widen_rows(const uint8_t *from, int h, int w, int radius, uint8_t *out) {
    for (int y = 0; y < h; y++)
        widen_line(from + (size_t)y * (size_t)w, w, 1, radius, out + (size_t)y * (size_t)w);
}

static void widen_columns(const uint8_t *from, int h, int w, int radius, uint8_t *out) {
    for (int x = 0; x < w; x++)
        widen_line(from + x, h, (size_t)w, radius, out + x);
}

cs_status cs_dilate(cs_filter_scratch *scratch, int h, int w, cs_element element, int radius, uint8_t *values) {
    const size_t n = (size_t)h * (size_t)w;
    uint8_t *rows, *columns;
    CS_TRY(cs_scratch_take(scratch, n, 1, &rows));
    widen_rows(values, h, w, radius, rows);
    if (element == CS_ELEMENT_RECT) {
        widen_columns(rows, h, w, radius, values);
        return CS_OK;
    }
    CS_TRY(cs_scratch_take(scratch, n, 1, &columns));
    widen_columns(values, h, w, radius, columns);
    for (size_t i = 0; i < n; i++)
        values[i] = rows[i] > columns[i] ? rows[i] : columns[i];
    return CS_OK;
}

static void invert(uint8_t *values, size_t n) {
    for (size_t i = 0; i < n; i++)
        values[i] = (uint8_t)(UINT8_MAX - values[i]);
}

cs_status cs_close(cs_filter_scratch *scratch, int h, int w, cs_element element, int radius, uint8_t *values) {
    const size_t n = (size_t)h * (size_t)w;
    CS_TRY(cs_dilate(scratch, h, w, element, radius, values));
    invert(values, n);
    CS_TRY(cs_dilate(scratch, h, w, element, radius, values));
    invert(values, n);
    return CS_OK;
}
