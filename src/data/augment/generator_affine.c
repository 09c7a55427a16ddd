/* SPDX-License-Identifier: Apache-2.0 */
/* Rotation, shifts, shear and zoom of Keras' ImageDataGenerator. Keras multiplies their matrices in this order and
 * applies the product about a centre (apply_affine_transform). To apply each matrix about that centre, one after the
 * other, gives the same.
 *
 * In Keras' matrices the first coordinate is the column and the second one the line, and the centre is (h/2 - 0.5, w/2
 * - 0.5), which is the middle of square images only. Until 2.8 the first coordinate was the line, and the centre was
 * (h/2 + 0.5, w/2 + 0.5). In both, height_shift_range shifts the first coordinate. */
#include "rules.h"

#include <math.h>

static const double degree = 3.14159265358979323846 / 180;

/* Moves the picture by Keras' matrix m about the centre. */
static void move_about_centre(cs_picture *picture, const double m[2][3]) {
    const bool line_first = picture->is_of_keras_2_8;
    const double half = line_first ? 0.5 : -0.5, centre[2] = {picture->h / 2.0 + half, picture->w / 2.0 + half};
    double by[2][3];
    for (int row = 0; row < 2; row++) {
        double *to = by[line_first ? 1 - row : row]; /* by[0] gives the column */
        to[line_first] = m[row][0];
        to[!line_first] = m[row][1];
        to[2] = m[row][2] + centre[row] - m[row][0] * centre[0] - m[row][1] * centre[1];
    }
    cs_picture_move(picture, by);
}

/* Uniform in [-range, range). */
void cs_symmetric_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    (void)h, (void)w;
    drawn[0] = cs_uniform(rng, -(double)number[0], (double)number[0]);
}

void cs_rotation_compose(const float *number, const double *drawn, cs_picture *picture) {
    const double angle = drawn[0] * degree;
    (void)number;
    move_about_centre(picture, (double[2][3]){{cos(angle), -sin(angle), 0}, {sin(angle), cos(angle), 0}});
}

/* Pixels of a side of `side` pixels. */
static double draw_shift(const float *number, cs_rng *rng, int side) {
    const int n = (int)number[1];
    const float *choices = number + 2;
    double largest = (double)choices[0], shift;
    for (int i = 1; i < n; i++)
        largest = fmax(largest, (double)choices[i]);
    const double unit = largest < 1 ? side : 1;
    if (number[0] == CS_SHIFT_UNIFORM)
        return cs_uniform(rng, -largest, largest) * unit;
    const float draw = cs_rng_float(rng);
    if (number[0] == CS_SHIFT_WHOLE)
        shift = floor((double)draw * largest);
    else
        shift = (double)choices[(int)(draw * (float)n)];
    return (cs_rng_float(rng) < 0.5f ? -shift : shift) * unit;
}

void cs_height_shift_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    (void)w;
    drawn[0] = draw_shift(number, rng, h);
}

void cs_width_shift_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    (void)h;
    drawn[0] = draw_shift(number, rng, w);
}

void cs_height_shift_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)number;
    move_about_centre(picture, (double[2][3]){{1, 0, drawn[0]}, {0, 1, 0}});
}

void cs_width_shift_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)number;
    move_about_centre(picture, (double[2][3]){{1, 0, 0}, {0, 1, drawn[0]}});
}

void cs_shear_compose(const float *number, const double *drawn, cs_picture *picture) {
    const double angle = drawn[0] * degree;
    (void)number;
    move_about_centre(picture, (double[2][3]){{1, -sin(angle), 0}, {0, cos(angle), 0}});
}

/* A factor for each coordinate. With a factor above 1 the image becomes smaller. */
void cs_zoom_draw(const float *number, cs_rng *rng, int h, int w, double *drawn) {
    (void)h, (void)w;
    for (int i = 0; i < 2; i++)
        drawn[i] = cs_uniform(rng, (double)number[0], (double)number[1]);
}

void cs_zoom_compose(const float *number, const double *drawn, cs_picture *picture) {
    (void)number;
    move_about_centre(picture, (double[2][3]){{drawn[0], 0, 0}, {0, drawn[1], 0}});
}
