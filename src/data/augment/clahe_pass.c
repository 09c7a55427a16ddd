/* SPDX-License-Identifier: Apache-2.0 */
/* Equalises the lightness of a copy of the image. */
#include "lines.h"

#include "cnnsweep/memory.h"
#include "exact/exact.h"

#include <string.h>

cs_status cs_clahe_image(const cs_sweep *s, cs_augment_scratch *scratch) {
    const cs_clahe_tiles *tiles = &s->passes->clahe;
    CS_TRY(cs_grow(&scratch->rows, &scratch->rows_capacity, cs_clahe_memory(tiles->across, tiles->down), 1, "CLAHE"));
    memcpy(s->to, s->from, (size_t)s->h * (size_t)s->w * 3);
    cs_clahe(tiles->clip_limit, tiles->across, tiles->down, s->h, s->w, scratch->rows, s->to);
    return CS_OK;
}
