/* SPDX-License-Identifier: Apache-2.0 */
#include "synthetic.h"

#include <math.h>

/* To add a class, add a row. */
static const lesion_class classes[] = {
    {"synthetic_nevus", 0.22f, 0.20f, 0.25f, 0.45f},
    {"synthetic_melanoma", 0.58f, 0.55f, 0.65f, 0.60f},
    {"synthetic_keratosis", 0.30f, 0.10f, 0.55f, 0.15f},
};

enum { HARMONICS = 7, GRID = 9, RAY_COUNT = 256 };
static const float tau = 6.2831853f;

/* Smooth random values: a grid of uniform numbers and interpolation between them. */
typedef struct noise {
    float grid[GRID][GRID];
} noise;

typedef struct lesion {
    float x, y, radius;        /* centre and size, in units of the image width */
    float rays[RAY_COUNT + 1]; /* the outline: relative radius for each angle */
    float soft;                /* width of the soft edge, relative to the radius */
    float skin[3], dark[3], light[3];
    float colours; /* how much the colours of the patches differ */
    float grain;   /* camera noise, in levels */
    noise patches, texture;
} lesion;

const lesion_class *lesion_classes(int *n) {
    *n = (int)(sizeof classes / sizeof *classes);
    return classes;
}

/* Draws a value of this image around the class's mean. */
static float trait(cs_rng *rng, float mean) {
    const float spread = 0.16f;
    float value = mean + spread * cs_rng_normal(rng);
    return value < 0 ? 0 : value > 1 ? 1 : value;
}

static void noise_fill(noise *field, cs_rng *rng) {
    for (int y = 0; y < GRID; y++)
        for (int x = 0; x < GRID; x++)
            field->grid[y][x] = cs_rng_float(rng);
}

/* Interpolates the noise at x, y in [0, 1]; the result is in [0, 1]. */
static float noise_at(const noise *field, float x, float y) {
    float gx = x * (GRID - 1.001f), gy = y * (GRID - 1.001f);
    int ix = (int)gx, iy = (int)gy;
    float fx = gx - (float)ix, fy = gy - (float)iy;
    fx = fx * fx * (3 - 2 * fx);
    fy = fy * fy * (3 - 2 * fy);
    const float *top = field->grid[iy], *bottom = field->grid[iy + 1];
    float upper = top[ix] + fx * (top[ix + 1] - top[ix]);
    float lower = bottom[ix] + fx * (bottom[ix + 1] - bottom[ix]);
    return upper + fy * (lower - upper);
}

/* Draws the outline. The first harmonic makes the shape lopsided, the second one makes it long, and high ones fray the
 * border. */
static void draw_outline(lesion *shape, cs_rng *rng, float asymmetry, float border) {
    float amplitude[HARMONICS], phase[HARMONICS];
    for (int k = 0; k < HARMONICS; k++) {
        float strength = k < 2 ? 0.28f * asymmetry : 0.16f * border / sqrtf((float)k);
        amplitude[k] = strength * (0.5f + cs_rng_float(rng));
        phase[k] = tau * cs_rng_float(rng);
    }
    for (int i = 0; i <= RAY_COUNT; i++) {
        float angle = tau * (float)i / RAY_COUNT, radius = 1;
        for (int k = 0; k < HARMONICS; k++)
            radius += amplitude[k] * cosf((float)(k < 2 ? k + 1 : 2 * k) * angle + phase[k]);
        shape->rays[i] = radius > 0.25f ? radius : 0.25f;
    }
}

static void choose_colours(lesion *shape, cs_rng *rng, float tone) {
    static const float pale[3] = {236, 196, 178}, tan_skin[3] = {196, 146, 118};
    static const float brown[3] = {168, 112, 82}, black[3] = {48, 30, 30}, rose[3] = {200, 120, 112};
    float tan_share = cs_rng_float(rng), rose_share = cs_rng_float(rng);
    for (int c = 0; c < 3; c++) {
        shape->skin[c] = pale[c] + tan_share * (tan_skin[c] - pale[c]);
        shape->dark[c] = brown[c] + tone * (black[c] - brown[c]);
        shape->light[c] = shape->skin[c] * 0.6f + 0.4f * (brown[c] + rose_share * (rose[c] - brown[c]));
    }
}

static lesion choose(const lesion_class *class, cs_rng *rng) {
    lesion shape = {0};
    shape.x = cs_rng_range(rng, 0.40f, 0.60f);
    shape.y = cs_rng_range(rng, 0.40f, 0.60f);
    shape.radius = cs_rng_range(rng, 0.20f, 0.34f);
    shape.soft = cs_rng_range(rng, 0.08f, 0.25f);
    shape.grain = cs_rng_range(rng, 3, 9);
    draw_outline(&shape, rng, trait(rng, class->asymmetry), trait(rng, class->border));
    shape.colours = trait(rng, class->colours);
    choose_colours(&shape, rng, trait(rng, class->tone));
    noise_fill(&shape.patches, rng);
    noise_fill(&shape.texture, rng);
    return shape;
}

/* How much the lesion covers the point (x, y): 1 inside, 0 outside, values between on the soft edge. */
static float cover(const lesion *shape, float x, float y) {
    float dx = x - shape->x, dy = y - shape->y;
    float angle = atan2f(dy, dx) / tau;
    int ray = (int)((angle < 0 ? angle + 1 : angle) * RAY_COUNT);
    float distance = sqrtf(dx * dx + dy * dy) / (shape->radius * shape->rays[ray]);
    float inside = (1 - distance) / shape->soft + 0.5f;
    return inside < 0 ? 0 : inside > 1 ? 1 : inside;
}

static uint8_t to_byte(float value) {
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

void lesion_draw(const lesion_class *class, cs_rng *rng, cs_image *image) {
    lesion shape = choose(class, rng);
    uint8_t *pixel = image->pixels;
    for (int row = 0; row < image->h; row++)
        for (int column = 0; column < image->w; column++, pixel += 3) {
            float x = ((float)column + 0.5f) / (float)image->w, y = ((float)row + 0.5f) / (float)image->h;
            float share = cover(&shape, x, y);
            float patch = 0.5f + shape.colours * 1.6f * (noise_at(&shape.patches, x, y) - 0.5f);
            float shade = 0.94f + 0.12f * noise_at(&shape.texture, x, y);
            float grain = shape.grain * (cs_rng_float(rng) + cs_rng_float(rng) - 1);
            patch = patch < 0 ? 0 : patch > 1 ? 1 : patch;
            for (int c = 0; c < 3; c++) {
                float mole = shape.dark[c] + patch * (shape.light[c] - shape.dark[c]);
                pixel[c] = to_byte(shade * (shape.skin[c] + share * (mole - shape.skin[c])) + grain);
            }
        }
}
