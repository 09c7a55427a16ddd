/* SPDX-License-Identifier: Apache-2.0 */
#include "explain_panel.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

enum { GAP = 4 /* pixels between two pictures */ };

cs_status cs_panel_open(int columns, int rows, int h, int w, cs_panel *out) {
    *out = (cs_panel){.columns = columns, .rows = rows, .h = h, .w = w};
    CS_TRY(cs_decoder_open(&out->decoder));
    CS_TRY(cs_image_reserve(&out->image, rows * (h + GAP) - GAP, columns * (w + GAP) - GAP));
    memset(out->image.pixels, 255, (size_t)out->image.h * (size_t)out->image.w * 3);
    return CS_OK;
}

void cs_panel_close(cs_panel *panel) {
    cs_image_clear(&panel->image);
    cs_decoder_close(panel->decoder);
}

cs_status cs_panel_draw(cs_panel *panel, int column, int row, const uint8_t *pixels, int h, int w) {
    const cs_image from = {.h = h, .w = w, .pixels = (uint8_t *)pixels};
    const size_t stride = (size_t)panel->w * 3;
    uint8_t *cell = NULL;
    CS_TRY(cs_alloc((size_t)panel->h * stride, 1, "picture", &cell));
    cs_status status = CS_OK;
    if (h == panel->h && w == panel->w)
        memcpy(cell, pixels, (size_t)h * stride);
    else
        status = cs_resize_image(panel->decoder, &from, (cs_resize){0}, panel->h, panel->w, cell);
    const size_t top = (size_t)row * (size_t)(panel->h + GAP), left = (size_t)column * (size_t)(panel->w + GAP);
    for (size_t y = 0; y < (size_t)panel->h && status == CS_OK; y++)
        memcpy(panel->image.pixels + ((top + y) * (size_t)panel->image.w + left) * 3, cell + y * stride, stride);
    free(cell);
    return status;
}
