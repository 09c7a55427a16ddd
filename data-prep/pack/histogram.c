/* SPDX-License-Identifier: Apache-2.0 */
/* Histograms of what is measured of the images of a dataset. */
#include "report.h"

static int whole_brightness(const pack_measured *image) {
    return (int)image->brightness;
}

static int width(const pack_measured *image) {
    return image->w;
}

static int height(const pack_measured *image) {
    return image->h;
}

/* To add a histogram of the images: a row here and its function. */
static const pack_histogram histograms[] = {
    {"brightness", "Brightness", "mean grey value, rounded down", whole_brightness, false},
    {"widths", "Widths", "pixels", width, true},
    {"heights", "Heights", "pixels", height, true},
};

const pack_histogram *pack_histograms(size_t *n) {
    *n = sizeof histograms / sizeof *histograms;
    return histograms;
}

/* A width of bins, 1, 2 or 5 times a power of ten, with which PACK_BINS of them are enough. */
static int bin_width(int least, int most) {
    static const int steps[] = {1, 2, 5};
    for (int power = 1;; power *= 10)
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
            if (most / (steps[i] * power) - least / (steps[i] * power) < PACK_BINS)
                return steps[i] * power;
}

bool pack_fill_bins(const cs_dataset *dataset, const pack_histogram *histogram, const pack_measured *images, size_t n,
                    pack_bins *out) {
    int h, w;
    cs_dataset_image_size(dataset, &h, &w);
    if (n == 0 || (h > 0 && histogram->of_sizes))
        return false;
    int least = histogram->value(&images[0]), most = least;
    for (size_t i = 0; i < n; i++) {
        const int value = histogram->value(&images[i]);
        least = value < least ? value : least;
        most = value > most ? value : most;
    }
    const int step = bin_width(least, most), first = least / step;
    *out = (pack_bins){.n = (size_t)(most / step) - (size_t)first + 1};
    for (size_t b = 0; b < out->n; b++) {
        const int from = (first + (int)b) * step;
        snprintf(out->names[b], sizeof out->names[b], step > 1 ? "%d to %d" : "%d", from, from + step - 1);
        out->rows[b].name = out->names[b];
    }
    for (size_t i = 0; i < n; i++)
        out->rows[histogram->value(&images[i]) / step - first].counts[images[i].split]++;
    return true;
}
