/* SPDX-License-Identifier: Apache-2.0 */
/* The pixels of passes that follow OpenCV 5. picture_sample.h includes this file. */

/* OpenCV's RGB2HSV of bytes: the hue from 0 to 179, saturation and value to 255. Quotients are products with numbers
 * that are rounded to multiples of 2^-12. */
CS_SAMPLE void cs_opencv_to_hsv(const uint8_t rgb[3], uint8_t hsv[3]) {
    enum { BITS = 12, HALF = 1 << (BITS - 1), SATURATION = 255 << BITS, SIXTH = 30 << BITS };
    const int r = rgb[0], g = rgb[1], b = rgb[2];
    const int largest = r > g ? (r > b ? r : b) : (g > b ? g : b), smallest = r < g ? (r < b ? r : b) : (g < b ? g : b);
    const int width = largest - smallest;
    hsv[0] = hsv[1] = 0;
    hsv[2] = (uint8_t)largest;
    if (width == 0)
        return;
    const int place = r == largest ? g - b : g == largest ? b - r + 2 * width : r - g + 4 * width;
    const int hue = (place * ((2 * SIXTH + width) / (2 * width)) + HALF) >> BITS;
    hsv[0] = (uint8_t)(hue < 0 ? hue + 180 : hue);
    hsv[1] = (uint8_t)((width * ((2 * SATURATION + largest) / (2 * largest)) + HALF) >> BITS);
}

/* The product of a value and of 1 - part * of, as a byte. */
CS_SAMPLE uint8_t cs_opencv_darker(float value, float part, float of) {
    const float left = (float)CS_SUM(1, -CS_PRODUCT(part, of)), darker = (float)CS_PRODUCT(value, left);
    return (uint8_t)(float)CS_PRODUCT(darker, 255);
}

/* OpenCV's HSV2RGB of bytes, in floats, where it computes several pixels at once with fused products and sums: it then
 * truncates to bytes. In what is left over at the end of a line it rounds, which is not done here. */
CS_SAMPLE void cs_opencv_from_hsv(const uint8_t hsv[3], uint8_t rgb[3]) {
    const float unit = 1 / 255.0f, sixths = (float)CS_PRODUCT(hsv[0], 6 / 180.0f);
    const float saturation = (float)CS_PRODUCT(hsv[1], unit), v = (float)CS_PRODUCT(hsv[2], unit);
    const int sector = (int)sixths, at = sector % 6;
    const float rest = (float)CS_SUM(sixths, -(double)sector);
    const uint8_t value = cs_opencv_darker(v, 0, 0), p = cs_opencv_darker(v, saturation, 1);
    const uint8_t q = cs_opencv_darker(v, saturation, rest);
    const uint8_t t = cs_opencv_darker(v, saturation, (float)CS_SUM(1, -rest));
    rgb[0] = at == 0 || at == 5 ? value : at == 1 ? q : at == 4 ? t : p;
    rgb[1] = at == 1 || at == 2 ? value : at == 0 ? t : at == 3 ? q : p;
    rgb[2] = at == 3 || at == 4 ? value : at == 2 ? t : at == 5 ? q : p;
}

/* Changes hue, saturation and value each by a table. */
CS_SAMPLE void cs_opencv_hsv(const uint8_t level[3][256], uint8_t rgb[3]) {
    uint8_t hsv[3];
    cs_opencv_to_hsv(rgb, hsv);
    for (int c = 0; c < 3; c++)
        hsv[c] = level[c][hsv[c]];
    cs_opencv_from_hsv(hsv, rgb);
}

/* a * b + c, rounded once but for the last bit of a double. */
CS_SAMPLE float cs_opencv_fused(float a, float b, float c) {
    return (float)CS_SUM(CS_PRODUCT(a, b), c);
}

/* Where a row of the map sends pixel (x, y). Farther away than any image reaches, the exact place does not matter. */
CS_SAMPLE float cs_opencv_row(const double row[3], int x, int y) {
    const float far = 1 << 24, down = (float)CS_SUM((float)CS_PRODUCT(y, (float)row[1]), (float)row[2]);
    const float at = cs_opencv_fused((float)x, (float)row[0], down);
    return !(at >= -far) ? -far : at > far ? far : at;
}

/* The pixel of a line of n that shows what lies at `at`; -1: there is the fill value. */
CS_SAMPLE int cs_opencv_inside(int at, int n, cs_fill fill) {
    if (at >= 0 && at < n)
        return at;
    if (fill == CS_FILL_CONSTANT)
        return -1;
    if (fill == CS_FILL_REFLECT) {
        at = (at < 0 ? -1 - at : at) % (2 * n);
        return at < n ? at : 2 * n - 1 - at;
    }
    if (fill == CS_FILL_MIRROR && n > 1) {
        const int period = 2 * (n - 1);
        at = (at < 0 ? -at : at) % period;
        return at < n ? at : period - at;
    }
    return at < 0 ? 0 : n - 1;
}

/* The pixel at (x, y), or NULL: there is the fill value. */
CS_SAMPLE const uint8_t *cs_opencv_pixel(const cs_warp *warp, const uint8_t *source, int h, int w, int x, int y) {
    x = cs_opencv_inside(x, w, warp->fill);
    y = cs_opencv_inside(y, h, warp->fill);
    return x < 0 || y < 0 ? NULL : source + ((size_t)y * (size_t)w + (size_t)x) * 3;
}

CS_SAMPLE float cs_opencv_value(const cs_warp *warp, const uint8_t *pixel, int c) {
    return pixel ? (float)pixel[c] : warp->fill_value[c];
}

/* The three values, which are whole numbers, of the source [h,w,3] at (u, v). */
CS_SAMPLE void cs_opencv_sample(const cs_warp *warp, const uint8_t *source, int h, int w, float u, float v,
                                double values[3]) {
    u += warp->nearest ? 0.5f : 0;
    v += warp->nearest ? 0.5f : 0;
    const int left = (int)u - ((float)(int)u > u), top = (int)v - ((float)(int)v > v);
    const uint8_t *first = cs_opencv_pixel(warp, source, h, w, left, top);
    if (warp->nearest) {
        for (int c = 0; c < 3; c++)
            values[c] = cs_sample_rounded(cs_opencv_value(warp, first, c));
        return;
    }
    const uint8_t *second = cs_opencv_pixel(warp, source, h, w, left + 1, top);
    const uint8_t *third = cs_opencv_pixel(warp, source, h, w, left, top + 1);
    const uint8_t *fourth = cs_opencv_pixel(warp, source, h, w, left + 1, top + 1);
    const float right = u - (float)left, lower = v - (float)top;
    for (int c = 0; c < 3; c++) {
        const float a = cs_opencv_value(warp, first, c), b = cs_opencv_value(warp, second, c);
        const float d = cs_opencv_value(warp, third, c), e = cs_opencv_value(warp, fourth, c);
        const float above = cs_opencv_fused(right, b - a, a), below = cs_opencv_fused(right, e - d, d);
        values[c] = cs_sample_rounded(cs_opencv_fused(lower, below - above, above));
    }
}

/* The three values that pixel (x, y) has after a warp. */
CS_SAMPLE void cs_opencv_warp(const cs_pass *pass, const uint8_t *source, int h, int w, int x, int y,
                              double values[3]) {
    const cs_warp *warp = &pass->warp;
    x = warp->mirror_x ? pass->w - 1 - x : x;
    y = warp->mirror_y ? pass->h - 1 - y : y;
    cs_opencv_sample(warp, source, h, w, cs_opencv_row(warp->map[0], x, y), cs_opencv_row(warp->map[1], x, y), values);
}

/* Where pixel `at` of a line of n shows the source. */
CS_SAMPLE float cs_opencv_grid_place(const cs_grid_axis *axis, int at, int n) {
    const int cell = at / axis->side, first = cell * axis->side;
    const int last = first + axis->side < n ? axis->side - 1 : n - 1 - first;
    if (cell >= axis->cells)
        return 0;
    if (at - first == last && last > 0)
        return (float)axis->start[cell + 1];
    return (float)CS_SUM(CS_PRODUCT(at - first, axis->by[cell]), axis->start[cell]);
}

CS_SAMPLE void cs_opencv_grid(const cs_grid *grid, const uint8_t *source, int h, int w, int x, int y, uint8_t rgb[3]) {
    double values[3];
    cs_opencv_sample(&grid->warp, source, h, w, cs_opencv_grid_place(&grid->across, x, w),
                     cs_opencv_grid_place(&grid->down, y, h), values);
    for (int c = 0; c < 3; c++)
        rgb[c] = (uint8_t)values[c];
}
