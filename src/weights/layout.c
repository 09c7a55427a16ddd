/* SPDX-License-Identifier: Apache-2.0 */
#include "layout.h"

cs_layout cs_layout_of(const cs_graph *graph, const cs_param *param, cs_naming naming) {
    /* torch: convolutions OIHW, depthwise C1HW, dense OI */
    static const int conv[4] = {3, 2, 0, 1}, depthwise[4] = {2, 3, 0, 1}, dense[4] = {1, 0}, same[4] = {0, 1, 2, 3};
    bool torch = naming == CS_NAMING_FLAT && graph->dialect == CS_DIALECT_TORCH;
    bool is_depthwise = graph->layers[param->layer].kind == CS_LAYER_DEPTHWISE_CONV2D;
    cs_layout layout = {.rank = param->rank};
    const int *axes = same;
    if (torch && param->rank == 4)
        axes = is_depthwise ? depthwise : conv;
    else if (torch && param->rank == 2)
        axes = dense;
    for (int a = 0; a < param->rank; a++) {
        layout.axes[a] = axes[a];
        layout.dims[a] = param->dims[axes[a]];
    }
    return layout;
}

/* Computes how far apart in the parameter neighbours along each axis of the file are. There are always four axes;
 * missing ones have length 1. */
static void strides_of(const cs_layout *layout, size_t dims[4], size_t strides[4]) {
    size_t own[4], step = 1;
    int param_dims[4] = {0};
    for (int a = 0; a < layout->rank; a++)
        param_dims[layout->axes[a]] = layout->dims[a];
    for (int a = layout->rank - 1; a >= 0; a--) {
        own[a] = step;
        step *= (size_t)param_dims[a];
    }
    for (int a = 0; a < 4; a++) {
        bool present = a < layout->rank;
        dims[a] = present ? (size_t)layout->dims[a] : 1;
        strides[a] = present ? own[layout->axes[a]] : 0;
    }
}

static void copy(const cs_layout *layout, const float *from, float *to, bool to_file) {
    size_t dims[4], strides[4], k = 0;
    strides_of(layout, dims, strides);
    for (size_t a = 0; a < dims[0]; a++)
        for (size_t b = 0; b < dims[1]; b++)
            for (size_t c = 0; c < dims[2]; c++)
                for (size_t d = 0; d < dims[3]; d++, k++) {
                    size_t at = a * strides[0] + b * strides[1] + c * strides[2] + d * strides[3];
                    to[to_file ? k : at] = from[to_file ? at : k];
                }
}

void cs_layout_from_file(const cs_layout *layout, const float *file, float *param) {
    copy(layout, file, param, false);
}

void cs_layout_to_file(const cs_layout *layout, const float *param, float *file) {
    copy(layout, param, file, true);
}
