/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the command line: panels, pictures of several networks' maps of one image side by side. */
#ifndef CNNSWEEP_EXPLAIN_PANEL_H
#define CNNSWEEP_EXPLAIN_PANEL_H

#include "cnnsweep/image.h"

/* A panel has a column for each network and a row for each picture, all of the size of the largest network's input. */
typedef struct cs_panel {
    cs_image image;
    cs_decoder *decoder;
    int columns, rows, h, w;
} cs_panel;

CS_MUST_CHECK cs_status cs_panel_open(int columns, int rows, int h, int w, cs_panel *out);
void cs_panel_close(cs_panel *panel);
/* Draws a picture [h,w,3] into a cell, resized. */
CS_MUST_CHECK cs_status cs_panel_draw(cs_panel *panel, int column, int row, const uint8_t *pixels, int h, int w);

#endif
