/* SPDX-License-Identifier: Apache-2.0 */
/* Resizing with Pillow's arithmetic (Pillow 9.4, src/libImaging/Resample.c): columns first, then rows, with weights of
 * 22 bits behind the point, and rounding to bytes after each. Where weights are negative, what the first rounding cuts
 * off changes the result, so no other order would agree with Pillow. */
#include "image_impl.h"

#include "cnnsweep/memory.h"

cs_status cs_resample_reserve(cs_decoder *decoder, int in_h, int out_w) {
    const size_t row = (size_t)out_w * 3;
    CS_TRY(cs_grow(&decoder->between, &decoder->between_capacity, (size_t)in_h * row, 1, "resize"));
    return cs_grow(&decoder->totals, &decoder->totals_capacity, row, sizeof *decoder->totals, "resize");
}

cs_status cs_resample(cs_decoder *decoder, const cs_image *image, uint8_t *out, size_t stride) {
    const cs_axis *x = &decoder->x, *y = &decoder->y;
    const size_t row = (size_t)x->out * 3;
    const int first = y->start[0], end = y->start[y->out - 1] + y->count[y->out - 1];
    CS_TRY(cs_resample_reserve(decoder, end - first, x->out));
    for (int i = first; i < end; i++)
        cs_resample_columns(x->out, x->taps, x->start, x->count, x->fixed,
                            image->pixels + (size_t)i * (size_t)image->w * 3,
                            decoder->between + (size_t)(i - first) * row);
    for (int i = 0; i < y->out; i++, out += stride) {
        const int32_t *weight = y->fixed + (size_t)i * (size_t)y->taps;
        for (size_t k = 0; k < row; k++)
            decoder->totals[k] = CS_RESAMPLE_HALF;
        for (int k = 0; k < y->count[i]; k++)
            cs_resample_add_row(decoder->between + (size_t)(y->start[i] - first + k) * row, weight[k], row,
                                decoder->totals);
        cs_resample_round(row, decoder->totals, out);
    }
    return CS_OK;
}
