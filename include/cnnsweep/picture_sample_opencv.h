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
