/* SPDX-License-Identifier: Apache-2.0 */
/* The pixels of passes that follow the layers of Keras 3. picture_sample.h includes this file. The arithmetic is in
 * floats, each operation rounded by itself, as in TensorFlow's. */

CS_SAMPLE float cs_keras_sum(float a, float b) {
    return (float)CS_SUM(a, b);
}

CS_SAMPLE float cs_keras_product(float a, float b) {
    return (float)CS_PRODUCT(a, b);
}

CS_SAMPLE float cs_keras_quotient(float a, float b) {
    return (float)((double)a / (double)b);
}

/* row * (x, y, 1), where the last number of the row is `last`. */
CS_SAMPLE float cs_keras_row(const double row[3], int x, int y, float last) {
    const float across = cs_keras_product((float)row[0], (float)x), down = cs_keras_product((float)row[1], (float)y);
    return cs_keras_sum(cs_keras_sum(across, down), last);
}

CS_SAMPLE float cs_keras_reflect(float at, float n) {
    const float period = 2 * n;
    if (at < 0) {
        at = cs_keras_sum(cs_keras_product(period, floorf(cs_keras_quotient(-at, period))), at);
        return at < -n ? cs_keras_sum(at, period) : cs_keras_sum(-at, -1);
    }
    at = cs_keras_sum(at, -cs_keras_product(period, floorf(cs_keras_quotient(at, period))));
    return at >= n ? cs_keras_sum(cs_keras_sum(period, -at), -1) : at;
}

/* TensorFlow counts the turns in units of n - 1 pixels, but each moves by n. */
CS_SAMPLE float cs_keras_wrap(float at, float n) {
    const float last = n - 1;
    if (at < 0)
        return cs_keras_sum(at, cs_keras_product(n, floorf(cs_keras_quotient(-at, last)) + 1));
    return cs_keras_sum(at, -cs_keras_product(n, floorf(cs_keras_quotient(at, last))));
}

/* Brings a coordinate of a line of n pixels into [0, n-1], unless beyond it there is the fill value. */
CS_SAMPLE float cs_keras_inside(float at, int n, cs_fill fill) {
    const float last = (float)(n - 1);
    if (fill == CS_FILL_CONSTANT || (at >= 0 && at <= last))
        return at;
    if (fill == CS_FILL_REFLECT)
        at = cs_keras_reflect(at, (float)n);
    else if (fill == CS_FILL_WRAP && n > 1)
        at = cs_keras_wrap(at, (float)n);
    return !(at >= 0) ? 0 : at > last ? last : at;
}

/* Where a warp reads: pixel (x, y), and the next ones to the right and below with these weights. */
typedef struct cs_keras_place {
    int x, y;
    float right, lower;
} cs_keras_place;

/* false: far outside the image, where there is the fill value. */
CS_SAMPLE bool cs_keras_find(const cs_warp *warp, int h, int w, int x, int y, cs_keras_place *place) {
    const double(*map)[3] = warp->map;
    const float q = cs_keras_row(map[2], x, y, 1);
    if (q == 0)
        return false;
    float u = cs_keras_quotient(cs_keras_row(map[0], x, y, (float)map[0][2]), q);
    float v = cs_keras_quotient(cs_keras_row(map[1], x, y, (float)map[1][2]), q);
    u = cs_keras_inside(u, w, warp->fill);
    v = cs_keras_inside(v, h, warp->fill);
    if (!(u > -1 && u < (float)w && v > -1 && v < (float)h))
        return false;
    const float left = warp->nearest ? roundf(u) : floorf(u), top = warp->nearest ? roundf(v) : floorf(v);
    place->x = (int)left;
    place->y = (int)top;
    place->right = warp->nearest ? 0 : cs_keras_sum(u, -left);
    place->lower = warp->nearest ? 0 : cs_keras_sum(v, -top);
    return true;
}

CS_SAMPLE float cs_keras_read(const cs_warp *warp, const uint8_t *source, int h, int w, int x, int y, int c) {
    if (x < 0 || x >= w || y < 0 || y >= h)
        return warp->fill_value[c];
    return (float)source[((size_t)y * (size_t)w + (size_t)x) * 3 + (size_t)c];
}

/* `weight` is that of b. */
CS_SAMPLE float cs_keras_mix(float a, float b, float weight) {
    return cs_keras_sum(cs_keras_product(cs_keras_sum(1, -weight), a), cs_keras_product(weight, b));
}

/* The value of channel c there. */
CS_SAMPLE float cs_keras_value(const cs_warp *warp, const uint8_t *source, int h, int w, cs_keras_place at, int c) {
    const float upper = cs_keras_read(warp, source, h, w, at.x, at.y, c);
    if (warp->nearest)
        return upper;
    const float lower = cs_keras_read(warp, source, h, w, at.x, at.y + 1, c);
    const float top = cs_keras_mix(upper, cs_keras_read(warp, source, h, w, at.x + 1, at.y, c), at.right);
    const float bottom = cs_keras_mix(lower, cs_keras_read(warp, source, h, w, at.x + 1, at.y + 1, c), at.right);
    return cs_keras_mix(top, bottom, at.lower);
}

/* The pixels of a line of n between which tf.image.resize finds a value, and the weight of the farther one. */
typedef struct cs_keras_axis {
    int lower, upper;
    float weight;
} cs_keras_axis;

CS_SAMPLE cs_keras_axis cs_keras_between(float scale, int at, int n) {
    const float place = cs_keras_sum(cs_keras_product((float)at + 0.5f, scale), -0.5f), first = floorf(place);
    cs_keras_axis axis = {(int)first, (int)ceilf(place), cs_keras_sum(place, -first)};
    axis.lower = axis.lower < 0 ? 0 : axis.lower;
    axis.upper = axis.upper < n ? axis.upper : n - 1;
    return axis;
}

CS_SAMPLE float cs_keras_blend(float a, float b, float weight) {
    return cs_keras_sum(a, cs_keras_product(cs_keras_sum(b, -a), weight));
}

/* The three values of pixel (x, y) after tf.image.resize. */
CS_SAMPLE void cs_keras_resize(const cs_warp *warp, const uint8_t *source, int h, int w, int x, int y,
                               double values[3]) {
    const cs_keras_axis column = cs_keras_between((float)warp->map[0][0], x, w);
    const cs_keras_axis line = cs_keras_between((float)warp->map[1][1], y, h);
    for (int c = 0; c < 3; c++) {
        const float upper = cs_keras_read(warp, source, h, w, column.lower, line.lower, c);
        const float lower = cs_keras_read(warp, source, h, w, column.lower, line.upper, c);
        const float upper_right = cs_keras_read(warp, source, h, w, column.upper, line.lower, c);
        const float lower_right = cs_keras_read(warp, source, h, w, column.upper, line.upper, c);
        values[c] = (double)cs_keras_blend(cs_keras_blend(upper, upper_right, column.weight),
                                           cs_keras_blend(lower, lower_right, column.weight), line.weight);
    }
}

/* The three values that pixel (x, y) has after a warp: ImageProjectiveTransformV3, which Keras calls. */
CS_SAMPLE void cs_keras_warp(const cs_pass *pass, const uint8_t *source, int h, int w, int x, int y, double values[3]) {
    const cs_warp *warp = &pass->warp;
    cs_keras_place at;
    x = warp->mirror_x ? pass->w - 1 - x : x;
    y = warp->mirror_y ? pass->h - 1 - y : y;
    if (warp->resizes) {
        cs_keras_resize(warp, source, h, w, x, y, values);
        return;
    }
    const bool inside = cs_keras_find(warp, h, w, x, y, &at);
    for (int c = 0; c < 3; c++)
        values[c] = (double)(inside ? cs_keras_value(warp, source, h, w, at, c) : warp->fill_value[c]);
}

/* The nearest byte; halves are rounded up. */
CS_SAMPLE uint8_t cs_keras_byte(float value) {
    return (uint8_t)(value <= 0 ? 0 : value >= 255 ? 255 : cs_keras_sum(value, 0.5f));
}

CS_SAMPLE float cs_keras_clip(float value, float most) {
    return value < 0 ? 0 : value > most ? most : value;
}

CS_SAMPLE void cs_keras_degenerate(float factor, uint8_t rgb[3]) {
    const float red = cs_keras_product(0.2989f, (float)rgb[0]), green = cs_keras_product(0.587f, (float)rgb[1]);
    const float grey = cs_keras_sum(cs_keras_sum(red, green), cs_keras_product(0.114f, (float)rgb[2]));
    for (int c = 0; c < 3; c++) {
        const float value = (float)rgb[c];
        rgb[c] = cs_keras_byte(cs_keras_sum(value, cs_keras_product(factor, cs_keras_sum(grey, -value))));
    }
}

/* Blends with the mean of 3 x 3 pixels, that in the middle counted 5 times, where pixels beyond the edges are black. */
CS_SAMPLE void cs_keras_sharpen(float factor, const uint8_t *source, int h, int w, int x, int y, uint8_t rgb[3]) {
    const int left = x > 0 ? x - 1 : x, right = x + 1 < w ? x + 1 : x;
    const int top = y > 0 ? y - 1 : y, bottom = y + 1 < h ? y + 1 : y;
    for (int c = 0; c < 3; c++) {
        const uint8_t middle = source[((size_t)y * (size_t)w + (size_t)x) * 3 + (size_t)c];
        int sum = 4 * middle;
        for (int j = top; j <= bottom; j++)
            for (int i = left; i <= right; i++)
                sum += source[((size_t)j * (size_t)w + (size_t)i) * 3 + (size_t)c];
        const float smooth = cs_keras_quotient((float)sum, 13), value = (float)middle;
        const float change = cs_keras_product(cs_keras_sum(1, -factor), cs_keras_sum(smooth, -value));
        rgb[c] = cs_keras_byte(cs_keras_sum(value, change));
    }
}

/* Hue in turns, saturation, and the largest value, as tf.image.rgb_to_hsv. The values may be beyond 0..255. */
CS_SAMPLE void cs_keras_to_hsv(const float rgb[3], float hsv[3]) {
    const float r = rgb[0], g = rgb[1], b = rgb[2];
    const float largest = fmaxf(fmaxf(r, g), b), range = cs_keras_sum(largest, -fminf(fminf(r, g), b));
    const float first = r == largest ? g : g == largest ? b : r, second = r == largest ? b : g == largest ? r : g;
    const float sector = r == largest ? 0.0f : g == largest ? 2.0f : 4.0f;
    hsv[0] = 0;
    if (range > 0)
        hsv[0] = cs_keras_quotient(cs_keras_sum(sector, cs_keras_quotient(cs_keras_sum(first, -second), range)), 6);
    hsv[0] = hsv[0] < 0 ? cs_keras_sum(hsv[0], 1) : hsv[0];
    hsv[1] = largest > 0 ? cs_keras_quotient(range, largest) : 0;
    hsv[2] = largest;
}

/* As tf.image.hsv_to_rgb. */
CS_SAMPLE void cs_keras_from_hsv(const float hsv[3], float rgb[3]) {
    const float sixths = cs_keras_product(hsv[0], 6), left = cs_keras_sum(1, -hsv[1]);
    const float full[3] = {cs_keras_sum(fabsf(cs_keras_sum(sixths, -3)), -1),
                           cs_keras_sum(2, -fabsf(cs_keras_sum(sixths, -2))),
                           cs_keras_sum(2, -fabsf(cs_keras_sum(sixths, -4)))};
    for (int c = 0; c < 3; c++)
        rgb[c] = cs_keras_product(cs_keras_sum(left, cs_keras_product(hsv[1], cs_keras_clip(full[c], 1))), hsv[2]);
}

CS_SAMPLE float cs_keras_brightened(const cs_jitter *jitter, int value) {
    return cs_keras_clip(cs_keras_sum((float)value, jitter->brightness), 255);
}

CS_SAMPLE void cs_keras_jitter(const cs_jitter *jitter, const float mean[3], uint8_t rgb[3]) {
    float values[3], hsv[3];
    for (int c = 0; c < 3; c++) {
        values[c] = cs_keras_brightened(jitter, rgb[c]);
        if (jitter->contrast != 1) {
            const float distance = cs_keras_sum(values[c], -mean[c]);
            values[c] = cs_keras_clip(cs_keras_sum(cs_keras_product(distance, jitter->contrast), mean[c]), 255);
        }
    }
    if (jitter->saturation != 1) {
        cs_keras_to_hsv(values, hsv);
        hsv[1] = cs_keras_clip(cs_keras_product(hsv[1], jitter->saturation), jitter->most);
        cs_keras_from_hsv(hsv, values);
    }
    if (jitter->hue != 0) {
        cs_keras_to_hsv(values, hsv);
        hsv[0] = cs_keras_sum(hsv[0], jitter->hue);
        hsv[0] = hsv[0] > 1 ? cs_keras_sum(hsv[0], -1) : hsv[0] < 0 ? cs_keras_sum(hsv[0], 1) : hsv[0];
        cs_keras_from_hsv(hsv, values);
    }
    for (int c = 0; c < 3; c++)
        rgb[c] = cs_keras_byte(values[c]);
}

/* The mean of a channel, of which `count` has the number of pixels with each byte, after the change of brightness. */
CS_SAMPLE float cs_keras_mean(const cs_jitter *jitter, const uint32_t count[256], int64_t pixels) {
    double sum = 0;
    for (int v = 0; v < 256; v++)
        sum = CS_SUM(sum, CS_PRODUCT(count[v], cs_keras_brightened(jitter, v)));
    return (float)(sum / (double)pixels);
}

CS_SAMPLE void cs_keras_autocontrast(const uint32_t count[256], uint8_t level[256]) {
    int lowest = 255, highest = 0;
    for (int v = 0; v < 256; v++) {
        lowest = count[v] > 0 && v < lowest ? v : lowest;
        highest = count[v] > 0 ? v : highest;
    }
    const float scale = highest > lowest ? cs_keras_quotient(255, (float)(highest - lowest)) : 1;
    const float offset = highest > lowest ? cs_keras_product(-(float)lowest, scale) : 0;
    for (int v = 0; v < 256; v++)
        level[v] = cs_keras_byte(cs_keras_sum(cs_keras_product((float)v, scale), offset));
}

/* The bin in which Keras counts a byte. */
CS_SAMPLE int cs_keras_bin(int v, int bins) {
    return (int)cs_keras_quotient((float)(v * (bins - 1)), 255);
}

/* Keras looks a byte up in a bin that it computes in another way. */
CS_SAMPLE int cs_keras_looked_up(int v, int bins) {
    return (int)cs_keras_product(cs_keras_quotient((float)v, 255), (float)(bins - 1));
}

CS_SAMPLE void cs_keras_equalize(const uint32_t count[256], int64_t pixels, int bins, uint8_t level[256]) {
    int64_t first = 0, below = 0;
    int first_bin = -1;
    for (int v = 0; v < 256; v++) {
        const int bin = cs_keras_bin(v, bins);
        first_bin = first_bin < 0 && count[v] > 0 ? bin : first_bin;
        first += bin == first_bin ? count[v] : 0;
    }
    for (int v = 0, counted = 0; v < 256; v++) {
        for (; counted < 256 && cs_keras_bin(counted, bins) <= cs_keras_looked_up(v, bins); counted++)
            below += count[counted];
        const float part = cs_keras_quotient((float)((below - first) * 255), (float)(pixels - first));
        level[v] = pixels == first ? (uint8_t)v : (uint8_t)rintf(cs_keras_clip(part, 255));
    }
}
