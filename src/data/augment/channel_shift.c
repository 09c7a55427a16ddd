/* SPDX-License-Identifier: Apache-2.0 */
/* Keras' random_channel_shift adds one number to all values and clips them to the range that the image had. */
#include "rules.h"

void cs_channel_shift_compose(const cs_augment_value *value, const float *draws, cs_picture *picture) {
    picture->adjustment.shifts = true;
    picture->adjustment.shift = value->number[0] * (2 * draws[0] - 1);
}
