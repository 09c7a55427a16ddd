/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/image.h"
#include "event.h"

#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 3, CELL_MAX = 24, SIDE_WANTED = 480, LINED_CELL = 6, NAMED_CLASSES = 100 };

static const uint8_t line_color[CHANNELS] = {210, 210, 210}, no_image[CHANNELS] = {235, 235, 235};

/* The drawing: cells of `cell` pixels, each of which shows `shared` x `shared` classes. */
typedef struct drawing {
    const cs_evaluation *evaluation;
    int shared, cells, cell;
    cs_image image;
} drawing;

static void plan(const cs_evaluation *evaluation, drawing *d) {
    const int classes = evaluation->spec.classes;
    *d = (drawing){.evaluation = evaluation, .shared = (classes + CS_CONFUSION_PIXELS - 1) / CS_CONFUSION_PIXELS};
    d->cells = (classes + d->shared - 1) / d->shared;
    d->cell = SIDE_WANTED / d->cells;
    d->cell = d->cell < 1 ? 1 : d->cell > CELL_MAX ? CELL_MAX : d->cell;
}

/* The color of a fraction, from white to dark blue; how light it is falls evenly, so that it needs no sense of color.
 */
static void color_of(double fraction, uint8_t out[CHANNELS]) {
    static const double white[CHANNELS] = {255, 255, 255}, dark[CHANNELS] = {8, 48, 107};
    for (int c = 0; c < CHANNELS; c++)
        out[c] = (uint8_t)(white[c] + (dark[c] - white[c]) * fraction + 0.5);
}

/* Sums the counts of the classes that cell (i, j) shows. */
static int64_t count_cell(const drawing *d, int i, int j) {
    const int classes = d->evaluation->spec.classes;
    int64_t count = 0;
    for (int label = i * d->shared; label < (i + 1) * d->shared && label < classes; label++)
        for (int predicted = j * d->shared; predicted < (j + 1) * d->shared && predicted < classes; predicted++)
            count += cs_evaluation_count(d->evaluation, label, predicted);
    return count;
}

static void fill_cell(const drawing *d, int i, int j, const uint8_t color[CHANNELS]) {
    const bool lined = d->cell >= LINED_CELL;
    for (int y = 0; y < d->cell; y++) {
        for (int x = 0; x < d->cell; x++) {
            const bool on_line = lined && (y == d->cell - 1 || x == d->cell - 1);
            const size_t at = (size_t)(i * d->cell + y) * (size_t)d->image.w + (size_t)(j * d->cell + x);
            memcpy(d->image.pixels + at * CHANNELS, on_line ? line_color : color, CHANNELS);
        }
    }
}

static void draw_row(const drawing *d, int i) {
    int64_t total = 0;
    uint8_t color[CHANNELS];
    for (int label = i * d->shared; label < (i + 1) * d->shared && label < d->evaluation->spec.classes; label++)
        total += cs_count_labels(d->evaluation, label);
    for (int j = 0; j < d->cells; j++) {
        if (total > 0)
            color_of((double)count_cell(d, i, j) / (double)total, color);
        fill_cell(d, i, j, total > 0 ? color : no_image);
    }
}

/* TensorBoard shows a description as Markdown; a backslash makes the character after it an ordinary one. */
static void print_name(const char *name, FILE *out) {
    for (const char *at = name; *at; at++) {
        if (strchr("\\`*_{}[]()#+-.!<>&|~\"", *at))
            fputc('\\', out);
        fputc((unsigned char)*at < ' ' ? ' ' : *at, out);
    }
}

static void describe(const drawing *d, const char *const *classes, FILE *out) {
    const int n = d->evaluation->spec.classes;
    fputs("Rows are the true classes, columns the predicted ones; the darker, the more of the images of the row.\n\n",
          out);
    if (d->shared > 1)
        fprintf(out, "Each pixel shows %d classes of each side.\n\n", d->shared);
    for (int i = 0; i < n && i < NAMED_CLASSES; i++) {
        fprintf(out, "%d\\. ", i);
        print_name(classes[i], out);
        fputs("\n\n", out);
    }
    if (n > NAMED_CLASSES)
        fprintf(out, "and %d more\n", n - NAMED_CLASSES);
}

/* Adds the description of the image to its value. */
static void write_description(cs_wire *value, const drawing *d, const char *tag, const char *const *classes) {
    cs_wire metadata = {0}, plugin = {0};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    cs_wire_text(&plugin, PLUGIN_NAME, "images");
    cs_wire_message(&metadata, METADATA_PLUGIN, &plugin);
    cs_wire_text(&metadata, METADATA_NAME, tag);
    if (out)
        describe(d, classes, out);
    if (!out || fclose(out) != 0)
        value->failed = true;
    else
        cs_wire_text(&metadata, METADATA_DESCRIPTION, text);
    free(text);
    cs_wire_message(value, VALUE_METADATA, &metadata);
}

/* An image is a tensor of three strings: its width, its height and the PNG (tensorboard/plugins/image/summary_v2.py).
 */
static cs_status encode(const drawing *d, cs_wire *tensor) {
    enum { STRINGS = 3 };
    cs_wire shape = {0}, dimension = {0};
    uint8_t *bytes = NULL;
    char side[16];
    size_t size;
    CS_TRY(cs_encode_png(&d->image, &bytes, &size));
    cs_wire_varint(&dimension, DIMENSION_SIZE, STRINGS);
    cs_wire_message(&shape, SHAPE_DIMENSION, &dimension);
    cs_wire_varint(tensor, TENSOR_TYPE, TYPE_STRING);
    cs_wire_message(tensor, TENSOR_SHAPE, &shape);
    snprintf(side, sizeof side, "%d", d->image.w);
    cs_wire_text(tensor, TENSOR_STRING, side);
    snprintf(side, sizeof side, "%d", d->image.h);
    cs_wire_text(tensor, TENSOR_STRING, side);
    cs_wire_bytes(tensor, TENSOR_STRING, bytes, size);
    free(bytes);
    return CS_OK;
}

cs_status cs_event_confusion(cs_event_time time, const char *tag, const cs_evaluation *evaluation,
                             const char *const *classes, FILE *out) {
    drawing d;
    cs_wire summary = {0}, value = {0}, tensor = {0};
    plan(evaluation, &d);
    CS_TRY(cs_image_reserve(&d.image, d.cells * d.cell, d.cells * d.cell));
    for (int i = 0; i < d.cells; i++)
        draw_row(&d, i);
    cs_status status = encode(&d, &tensor);
    cs_image_clear(&d.image);
    if (status != CS_OK)
        return status;
    cs_wire_text(&value, VALUE_TAG, tag);
    cs_wire_message(&value, VALUE_TENSOR, &tensor);
    write_description(&value, &d, tag, classes);
    cs_wire_message(&summary, SUMMARY_VALUE, &value);
    return cs_event_print(time, &summary, out);
}
