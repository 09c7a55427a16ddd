/* SPDX-License-Identifier: Apache-2.0 */
/* Removal of hair from photographs of skin, after T. Lee et al., DullRazor, 1997, in the form that is common with
 * OpenCV: what a closing of the gray values brightens by more than a threshold is thin and dark, and is inpainted. */
#include "filters.h"

#include <string.h>

const char *const cs_element_choices[] = {[CS_ELEMENT_CROSS] = "cross", [CS_ELEMENT_RECT] = "rect", NULL};

cs_status cs_hair_removal_apply(const float *value, cs_filter_scratch *scratch, cs_image *image) {
    const size_t n = (size_t)image->h * (size_t)image->w;
    uint8_t *gray, *closed;
    CS_TRY(cs_gray_of(scratch, image, &gray));
    CS_TRY(cs_scratch_take(scratch, n, 1, &closed));
    memcpy(closed, gray, n);
    CS_TRY(cs_close(scratch, image->h, image->w, (cs_element)value[1], (int)value[0] / 2, closed));
    for (size_t i = 0; i < n; i++)
        closed[i] = (float)(closed[i] - gray[i]) > value[2];
    return cs_inpaint(scratch, closed, (int)value[3], image);
}
