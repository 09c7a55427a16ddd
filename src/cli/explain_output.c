/* SPDX-License-Identifier: Apache-2.0 */
#include "explain_output.h"
#include "cnnsweep/arrays.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/text_table.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ID_BYTES = 512, IDS = 0, CLASSES = 1, TRUTH = 2, LOGITS = 3, FIRST_METHOD = 4 };

struct cs_output {
    cs_output_spec spec;
    char folder[CS_PATH_MAX];
    cs_arrays *arrays;
    cs_atomic_file *csv;
    cs_image image; /* [H,W,3] */
    float *heat;    /* [H,W] */
};

void cs_image_stem(int number, const char *id, char out[CS_NAME_MAX * 2]) {
    const char *name = strrchr(id, '/') ? strrchr(id, '/') + 1 : id;
    const char *dot = strrchr(name, '.');
    size_t length = dot && dot > name ? (size_t)(dot - name) : strlen(name);
    size_t used = (size_t)snprintf(out, (size_t)CS_NAME_MAX * 2, "%04d_", number);
    if (length > CS_NAME_MAX)
        length = CS_NAME_MAX;
    for (size_t i = 0; i < length; i++) {
        const unsigned char letter = (unsigned char)name[i];
        const bool plain = letter < 128 && (isalnum(letter) || letter == '-' || letter == '.');
        out[used] = '_';
        if (plain)
            out[used] = name[i];
        used++;
    }
    out[used] = '\0';
}

cs_status cs_write_png(const char *path, const cs_image *image) {
    uint8_t *bytes = NULL;
    size_t size;
    CS_TRY(cs_encode_png(image, &bytes, &size));
    cs_status status = cs_file_write(path, bytes, size);
    free(bytes);
    return status;
}

static cs_array_spec spec_of(const cs_output_spec *spec, const cs_explain_method *method) {
    const cs_shape shape = cs_explainer_shape(spec->network->explainer, method);
    cs_array_spec out = {.type = CS_ITEM_FLOAT32,
                         .rank = method->kind == CS_MAP_COLOUR ? 4 : 3,
                         .dims = {spec->n_images, shape.h, shape.w, shape.c}};
    snprintf(out.name, sizeof out.name, "%s", method->name);
    return out;
}

static cs_status describe(cs_output *output) {
    const cs_network *network = output->spec.network;
    CS_TRY(cs_arrays_describe(output->arrays, "network", network->label));
    CS_TRY(cs_arrays_describe(output->arrays, "arch", network->graph->arch));
    return cs_arrays_describe(output->arrays, "layer", cs_explainer_layer(network->explainer));
}

/* The names of the classes are an array of their own, after those of the methods. */
static cs_status write_class_names(cs_output *output, size_t bytes) {
    const cs_network *network = output->spec.network;
    const int n = cs_network_classes(network);
    char *names = NULL, number[16];
    CS_TRY(cs_alloc((size_t)n * bytes, 1, "class names", &names));
    for (int k = 0; k < n; k++)
        snprintf(names + (size_t)k * bytes, bytes, "%s", cs_network_class(network, k, number));
    cs_status status =
        cs_arrays_write(output->arrays, FIRST_METHOD + output->spec.n_methods, 0, cs_network_classes(network), names);
    free(names);
    return status;
}

static cs_status create_arrays(cs_output *output) {
    const cs_output_spec *spec = &output->spec;
    const int n = FIRST_METHOD + spec->n_methods + 1, classes = cs_network_classes(spec->network);
    cs_array_spec *specs = NULL;
    char path[CS_PATH_MAX], number[16];
    size_t longest = 0;
    for (int k = 0; k < classes; k++) {
        const size_t length = strlen(cs_network_class(spec->network, k, number));
        longest = length > longest ? length : longest;
    }
    CS_TRY(cs_path(path, sizeof path, "%s/maps.h5", output->folder));
    CS_TRY(cs_alloc((size_t)n, sizeof *specs, "arrays", &specs));
    specs[IDS] = (cs_array_spec){"ids", CS_ITEM_TEXT, 1, {spec->n_images, ID_BYTES}};
    specs[CLASSES] = (cs_array_spec){"classes", CS_ITEM_INT32, 1, {spec->n_images}};
    specs[TRUTH] = (cs_array_spec){"true_classes", CS_ITEM_INT32, 1, {spec->n_images}};
    specs[LOGITS] = (cs_array_spec){"logits", CS_ITEM_FLOAT32, 2, {spec->n_images, classes}};
    for (int m = 0; m < spec->n_methods; m++)
        specs[FIRST_METHOD + m] = spec_of(spec, spec->methods[m]);
    specs[n - 1] = (cs_array_spec){"class_names", CS_ITEM_TEXT, 1, {classes, (int64_t)longest + 1}};
    cs_status status = cs_arrays_create(path, specs, n, &output->arrays);
    free(specs);
    CS_TRY(status);
    CS_TRY(describe(output));
    return write_class_names(output, longest + 1);
}

static cs_status open_output(cs_output *output) {
    const cs_shape input = cs_explainer_input(output->spec.network->explainer);
    char path[CS_PATH_MAX];
    CS_TRY(cs_path(output->folder, sizeof output->folder, "%s", output->spec.folder));
    CS_TRY(cs_folder_create(output->folder));
    CS_TRY(cs_image_reserve(&output->image, input.h, input.w));
    CS_TRY(cs_alloc((size_t)input.h * (size_t)input.w, sizeof *output->heat, "heat", &output->heat));
    CS_TRY(cs_path(path, sizeof path, "%s/explained.csv", output->folder));
    CS_TRY(cs_atomic_open(path, &output->csv));
    fputs("number,id,files,true,predicted,probability,explained,logit\n", cs_atomic_stream(output->csv));
    return create_arrays(output);
}

cs_status cs_output_open(const cs_output_spec *spec, cs_output **out) {
    cs_output *output = NULL;
    CS_TRY(cs_alloc(1, sizeof *output, "output", &output));
    output->spec = *spec;
    cs_status status = open_output(output);
    if (status != CS_OK)
        cs_output_abort(&output);
    *out = output;
    return status;
}

static void write_row(const cs_output *output, const cs_explained *batch, int i) {
    const cs_network *network = output->spec.network;
    const int classes = cs_network_classes(network);
    const float *logits = batch->logits + (size_t)i * (size_t)classes;
    FILE *csv = cs_atomic_stream(output->csv);
    char stem[CS_NAME_MAX * 2], number[16];
    int best = 0;
    double sum = 0;
    for (int k = 1; k < classes; k++)
        best = logits[k] > logits[best] ? k : best;
    for (int k = 0; k < classes; k++)
        sum += exp((double)logits[k] - (double)logits[best]);
    cs_image_stem(batch->first + i, batch->ids[i], stem);
    fprintf(csv, "%d,", batch->first + i);
    cs_csv_field(batch->ids[i], csv);
    fprintf(csv, ",%s,", stem);
    cs_csv_field(batch->truth[i] < 0 ? "" : cs_network_class(network, batch->truth[i], number), csv);
    fputc(',', csv);
    cs_csv_field(cs_network_class(network, best, number), csv);
    fprintf(csv, ",%.6g,", 1 / sum);
    cs_csv_field(cs_network_class(network, batch->classes[i], number), csv);
    fprintf(csv, ",%.6g\n", (double)logits[batch->classes[i]]);
}

cs_status cs_output_images(cs_output *output, const cs_explained *batch) {
    for (int i = 0; i < batch->n; i++) {
        char id[ID_BYTES] = "";
        snprintf(id, sizeof id, "%s", batch->ids[i]);
        CS_TRY(cs_arrays_write(output->arrays, IDS, batch->first + i, 1, id));
        write_row(output, batch, i);
    }
    CS_TRY(cs_arrays_write(output->arrays, CLASSES, batch->first, batch->n, batch->classes));
    CS_TRY(cs_arrays_write(output->arrays, TRUTH, batch->first, batch->n, batch->truth));
    return cs_arrays_write(output->arrays, LOGITS, batch->first, batch->n, batch->logits);
}

static cs_status write_picture(const cs_output *output, const char *stem, const char *method, const char *ending) {
    char path[CS_PATH_MAX];
    CS_TRY(cs_path(path, sizeof path, "%s/%s.%s%s.png", output->folder, stem, method, ending));
    return cs_write_png(path, &output->image);
}

/* A map of the input's colours is shown as an image; its heat is that of the largest value of each place. */
static void draw_overlay(cs_output *output, const cs_explain_method *method, const uint8_t *pixels, const float *map) {
    const double share = 0.5;
    if (method->kind == CS_MAP_COLOUR)
        cs_colour_map_draw(map, output->spec.network->bgr, &output->image);
    else
        cs_heat_overlay(output->heat, output->spec.colours, pixels, share, &output->image);
}

cs_status cs_output_maps(cs_output *output, const cs_explained *batch, int method, const float *maps,
                         uint8_t *overlays) {
    const cs_explain_method *row = output->spec.methods[method];
    const cs_shape shape = cs_explainer_shape(output->spec.network->explainer, row);
    const size_t size = (size_t)output->image.h * (size_t)output->image.w * 3;
    CS_TRY(cs_arrays_write(output->arrays, FIRST_METHOD + method, batch->first, batch->n, maps));
    for (int i = 0; i < batch->n; i++) {
        const float *map = maps + (size_t)i * cs_shape_count(shape);
        char stem[CS_NAME_MAX * 2];
        cs_image_stem(batch->first + i, batch->ids[i], stem);
        CS_TRY(cs_explain_heat(map, shape, output->image.h, output->image.w, output->heat));
        cs_heat_draw(output->heat, output->spec.colours, &output->image);
        CS_TRY(write_picture(output, stem, row->name, ".map"));
        draw_overlay(output, row, batch->pixels + (size_t)i * size, map);
        CS_TRY(write_picture(output, stem, row->name, ""));
        memcpy(overlays + (size_t)i * size, output->image.pixels, size);
    }
    return CS_OK;
}

cs_status cs_output_commit(cs_output **output) {
    cs_status status = cs_arrays_commit(&(*output)->arrays);
    if (status == CS_OK)
        status = cs_atomic_commit(&(*output)->csv);
    cs_output_abort(output);
    return status;
}

void cs_output_abort(cs_output **output) {
    cs_output *self = *output;
    if (!self)
        return;
    cs_arrays_abort(&self->arrays);
    cs_atomic_abort(&self->csv);
    cs_image_clear(&self->image);
    free(self->heat);
    free(self);
    *output = NULL;
}
