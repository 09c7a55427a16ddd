/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the table that Keras' model.summary(show_trainable=True) prints. */
#include "cnnsweep/graph.h"

#include <string.h>

enum { CELL_MAX = CS_NAME_MAX + 40 };

typedef struct row {
    char layer[CELL_MAX], shape[CELL_MAX], params[CELL_MAX];
    const char *trainable;
} row;

/* "2,263,108" */
static void with_separators(size_t value, char *out, size_t size) {
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%zu", value);
    size_t used = 0;
    for (int i = 0; i < length && used + 2 < size; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = '\0';
}

/* Keras' networks use the ReLU layer for ReLU6 only; the graph has one layer kind for all activations. */
static const char *class_name(const cs_layer *layer) {
    bool relu6 = layer->kind == CS_LAYER_ACTIVATION && layer->activation == CS_ACT_RELU6;
    return relu6 ? "ReLU" : cs_layer_kind_name(layer->kind);
}

static row row_of(const cs_graph *graph, const cs_layer *layer) {
    row r = {.trainable = layer->n_params == 0 ? "-" : layer->trainable ? "yes" : "no"};
    size_t count = 0;
    for (int i = 0; i < layer->n_params; i++)
        count += graph->params[layer->first_param + i].count;
    snprintf(r.layer, sizeof r.layer, "%s (%s)", layer->name, class_name(layer));
    if (layer->out.flat)
        snprintf(r.shape, sizeof r.shape, "(None, %d)", layer->out.c);
    else
        snprintf(r.shape, sizeof r.shape, "(None, %d, %d, %d)", layer->out.h, layer->out.w, layer->out.c);
    with_separators(count, r.params, sizeof r.params);
    return r;
}

static int longer(int width, const char *text) {
    int length = (int)strlen(text);
    return length > width ? length : width;
}

static void print_rule(FILE *out, int width, char c) {
    while (width-- > 0)
        fputc(c, out);
    fputc('\n', out);
}

static void print_total(FILE *out, const char *what, size_t value) {
    char text[CELL_MAX];
    with_separators(value, text, sizeof text);
    fprintf(out, "%s: %s\n", what, text);
}

void cs_graph_summary(const cs_graph *graph, FILE *out) {
    const row title = {"Layer (type)", "Output Shape", "Param #", "Trainable"};
    int layer = longer(0, title.layer), shape = longer(0, title.shape), params = longer(0, title.params);
    for (int i = 0; i < graph->n_layers; i++) {
        row r = row_of(graph, &graph->layers[i]);
        layer = longer(layer, r.layer);
        shape = longer(shape, r.shape);
        params = longer(params, r.params);
    }
    int width = layer + shape + params + longer(0, title.trainable) + 6;
    fprintf(out, "Model: \"%s\"\n", graph->arch);
    print_rule(out, width, '_');
    fprintf(out, "%-*s  %-*s  %*s  %s\n", layer, title.layer, shape, title.shape, params, title.params,
            title.trainable);
    print_rule(out, width, '=');
    for (int i = 0; i < graph->n_layers; i++) {
        row r = row_of(graph, &graph->layers[i]);
        fprintf(out, "%-*s  %-*s  %*s  %s\n", layer, r.layer, shape, r.shape, params, r.params, r.trainable);
    }
    print_rule(out, width, '=');
    cs_param_counts counts = cs_graph_count_params(graph);
    print_total(out, "Total params", counts.total);
    print_total(out, "Trainable params", counts.trainable);
    print_total(out, "Non-trainable params", counts.non_trainable);
}
