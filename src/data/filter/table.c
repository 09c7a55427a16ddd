/* SPDX-License-Identifier: Apache-2.0 */
/* The table of filters. */
#include "filters.h"

enum { MOST_SIZE = 31 /* pixels of a side of a window */ };
/* The parameters of filters that keep a region. */
#define REGION                                                                                                         \
    [CS_REGION_SIDE] = {"region", CS_FILTER_CHOICE, 0, 0, CS_SIDE_DARK, cs_side_choices},                              \
    [CS_REGION_KEEP] = {"keep", CS_FILTER_CHOICE, 0, 0, CS_KEEP_CROP, cs_keep_choices},                                \
    [CS_REGION_MARGIN] = {"margin", CS_FILTER_NUMBER, 0, 1, 0.1F, NULL}, [CS_REGION_MIN_AREA] = {"min_area",           \
                                                                                                 CS_FILTER_NUMBER,     \
                                                                                                 0,                    \
                                                                                                 1,                    \
                                                                                                 0.01F,                \
                                                                                                 NULL}
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
    {.name = "nl_means",
     .doc = "denoises by non-local means, as OpenCV's fastNlMeansDenoising; `h` is the strength. Slow",
     .parameters = {{"h", CS_FILTER_NUMBER, 0.1F, 100, 3, NULL},
                    {"patch", CS_FILTER_ODD, 3, 15, 7, NULL},
                    {"search", CS_FILTER_ODD, 3, 51, 21, NULL}},
     .apply = cs_nl_means_apply},
    {.name = "clahe",
     .doc = "contrast-limited adaptive histogram equalisation of the lightness L of L*a*b*, as OpenCV's createCLAHE",
     .parameters = {{"clip_limit", CS_FILTER_NUMBER, 0.1F, 1000, 2, NULL}, {"tiles", CS_FILTER_WHOLE, 1, 64, 8, NULL}},
     .apply = cs_clahe_apply},
    {.name = "gray_world",
     .doc = "white balance: scales the channels so that their means become equal",
     .apply = cs_gray_world_apply},
    {.name = "hair_removal",
     .doc = "inpaints thin dark lines (DullRazor): where a closing of the gray values with a `kernel` of size x size "
            "brightens by more than `threshold`, as OpenCV's MORPH_BLACKHAT and INPAINT_TELEA",
     .parameters = {{"size", CS_FILTER_ODD, 3, 99, 17, NULL},
                    {"kernel", CS_FILTER_CHOICE, 0, 0, CS_ELEMENT_CROSS, cs_element_choices},
                    {"threshold", CS_FILTER_NUMBER, 0, 254, 10, NULL},
                    {"radius", CS_FILTER_WHOLE, 1, 20, 1, NULL}},
     .apply = cs_hair_removal_apply},
    {.name = "fundus",
     .doc = "crops the photograph of an eye's fundus to its disc (gray values above `black`), and gives 128 plus "
            "`amount` times the difference from the image smoothed with sigma = radius / `scale` (Ben Graham); beyond "
            "`keep` of the radius it gives 128",
     .crops = true,
     .parameters = {{"amount", CS_FILTER_NUMBER, 0.1F, 20, 4, NULL},
                    {"scale", CS_FILTER_NUMBER, 1, 1000, 30, NULL},
                    {"keep", CS_FILTER_NUMBER, 0.1F, 2, 0.9F, NULL},
                    {"black", CS_FILTER_NUMBER, 0, 254, 7, NULL}},
     .apply = cs_fundus_apply},
    {.name = "otsu",
     .doc = "keeps the largest dark or bright region by Otsu's threshold: crops to it with a `margin` (a part of its "
            "longer side), or makes all other pixels black. An image without a region of `min_area` (a part of the "
            "image) is left as it is",
     .crops = true,
     .parameters = {REGION},
     .apply = cs_otsu_apply},
    {.name = "chan_vese",
     .doc =
         "keeps a region as otsu does, found by the active contour of Chan and Vese, as scikit-image's chan_vese, in "
         "an image reduced to at most `size` pixels a side; `mu` is the weight of the contour's length. Slow",
     .crops = true,
     .parameters = {REGION, [CS_CHAN_VESE_MU] = {"mu", CS_FILTER_NUMBER, 0, 10, 0.25F, NULL},
                    [CS_CHAN_VESE_ITERATIONS] = {"iterations", CS_FILTER_WHOLE, 1, 1000, 200, NULL},
                    [CS_CHAN_VESE_SIZE] = {"size", CS_FILTER_WHOLE, 16, 1024, 128, NULL}},
     .apply = cs_chan_vese_apply},
};

const cs_filter *cs_filters(int *n) {
    *n = sizeof table / sizeof *table;
    return table;
}
