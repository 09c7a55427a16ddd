/* SPDX-License-Identifier: Apache-2.0 */
/* The table of filters. */
#include "filters.h"

enum { MOST_SIZE = 31 /* pixels of a side of a window */ };
static const cs_filter table[] = {
    {.name = "gaussian",
     .doc = "smooths with a Gaussian of sigma pixels, as OpenCV's GaussianBlur",
     .parameters = {{"sigma", CS_FILTER_NUMBER, 0.1F, 100, 1, NULL}},
     .apply = cs_gaussian_apply},
    {.name = "median",
     .doc = "the median of the size x size pixels around each pixel, as OpenCV's medianBlur",
     .parameters = {{"size", CS_FILTER_ODD, 3, MOST_SIZE, 3, NULL}},
     .apply = cs_median_apply},
    {.name = "bilateral",
     .doc = "smooths, but not across edges, as OpenCV's bilateralFilter",
     .parameters = {{"diameter", CS_FILTER_ODD, 3, MOST_SIZE, 9, NULL},
                    {"sigma_color", CS_FILTER_NUMBER, 1, 1000, 75, NULL},
                    {"sigma_space", CS_FILTER_NUMBER, 0.1F, 1000, 75, NULL}},
     .apply = cs_bilateral_apply},
    {.name = "unsharp",
     .doc = "sharpens: adds `amount` times the difference from the image smoothed with sigma pixels",
     .parameters = {{"amount", CS_FILTER_NUMBER, 0, 20, 1, NULL}, {"sigma", CS_FILTER_NUMBER, 0.1F, 100, 2, NULL}},
     .apply = cs_unsharp_apply},
    {.name = "sobel",
     .doc = "blends the image with the magnitude of the Sobel gradient of its gray values; 1: the gradient alone",
     .parameters = {{"amount", CS_FILTER_NUMBER, 0, 1, 0.5F, NULL}},
     .apply = cs_sobel_apply},
    {.name = "gray_world",
     .doc = "white balance: scales the channels so that their means become equal",
     .apply = cs_gray_world_apply},
};

const cs_filter *cs_filters(int *n) {
    *n = sizeof table / sizeof *table;
    return table;
}
