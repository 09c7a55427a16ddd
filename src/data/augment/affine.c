/* SPDX-License-Identifier: Apache-2.0 */
/* Rotation, shifts, shear and zoom of Keras' ImageDataGenerator. Keras multiplies their matrices in this order and
 * applies the product about a centre (apply_affine_transform); a factor about the centre after another is the same.
 *
 * In Keras' matrices the first coordinate is the column and the second the line, with the centre (h/2 - 0.5, w/2 -
 * 0.5): of an image that is not square that is not its middle. Until 2.8 the first coordinate was the line, and the
 * centre (h/2
 * + 0.5, w/2 + 0.5). A shift of height is along the first coordinate in both. */
#include "rules.h"

#include <math.h>

static const double degree = 3.14159265358979323846 / 180;

static double between(double low, double high, float draw) {
    return low + (high - low) * (double)draw;
}

/* Moves the picture by Keras' matrix m about the centre. */
static void move_about_centre(cs_picture *picture, const double m[2][3]) {
    const double half = picture->is_of_keras_2_8 ? 0.5 : -0.5;
    const double centre[2] = {picture->h / 2.0 + half, picture->w / 2.0 + half};
    double by[2][3];
    for (int row = 0; row < 2; row++) {
        int to = picture->is_of_keras_2_8 ? 1 - row : row; /* x is the second coordinate */
        by[to][picture->is_of_keras_2_8 ? 1 : 0] = m[row][0];
        by[to][picture->is_of_keras_2_8 ? 0 : 1] = m[row][1];
        by[to][2] = m[row][2] + centre[row] - m[row][0] * centre[0] - m[row][1] * centre[1];
    }
    cs_picture_move(picture, by);
}

void cs_rotation_compose(const cs_augment_value *value, const float *draws, cs_picture *picture) {
    const double range = (double)value->number[0], angle = between(-range, range, draws[0]) * degree;
    move_about_centre(picture, (double[2][3]){{cos(angle), -sin(angle), 0}, {sin(angle), cos(angle), 0}});
}

/* Pixels, of a side of `side` pixels. */
static double draw_shift(const cs_augment_value *value, const float *draws, int side) {
    const int n = (int)value->number[1];
    const float *numbers = value->number + 2;
    double largest = (double)numbers[0], shift;
    for (int i = 1; i < n; i++)
        largest = fmax(largest, (double)numbers[i]);
    switch ((cs_augment_shift)value->number[0]) {
    case CS_SHIFT_LIST:
        shift = (double)numbers[(int)(draws[0] * (float)n)];
        break;
    case CS_SHIFT_WHOLE:
        shift = floor((double)draws[0] * (double)numbers[0]);
        break;
    default:
        return between(-largest, largest, draws[0]) * (largest < 1 ? side : 1);
    }
    return (draws[1] < 0.5f ? -shift : shift) * (largest < 1 ? side : 1);
}

void cs_height_shift_compose(const cs_augment_value *value, const float *draws, cs_picture *picture) {
    move_about_centre(picture, (double[2][3]){{1, 0, draw_shift(value, draws, picture->h)}, {0, 1, 0}});
}

void cs_width_shift_compose(const cs_augment_value *value, const float *draws, cs_picture *picture) {
    move_about_centre(picture, (double[2][3]){{1, 0, 0}, {0, 1, draw_shift(value, draws, picture->w)}});
}

void cs_shear_compose(const cs_augment_value *value, const float *draws, cs_picture *picture) {
    const double range = (double)value->number[0], angle = between(-range, range, draws[0]) * degree;
    move_about_centre(picture, (double[2][3]){{1, -sin(angle), 0}, {0, cos(angle), 0}});
}

/* Both directions by themselves; above 1 the image becomes smaller. */
void cs_zoom_compose(const cs_augment_value *value, const float *draws, cs_picture *picture) {
    const double low = (double)value->number[0], high = (double)value->number[1];
    move_about_centre(picture,
                      (double[2][3]){{between(low, high, draws[0]), 0, 0}, {0, between(low, high, draws[1]), 0}});
}
