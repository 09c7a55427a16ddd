/* SPDX-License-Identifier: Apache-2.0 */
/* Layers that multiply by a factor for each channel, or by a dropout's factor for each value. */
#include "classes.h"
#include "layout.h"
#include "params.h"

#include "cnnsweep/memory.h"

#include <math.h>

static const cs_layer *layer_of(const od_node *node) {
    return &node->program->graph->layers[node->op->layer];
}

/* Sets norm.scale and norm.shift, and norm.p to zeros. */
static cs_status bind_scale(od_node *node) {
    const cs_layer *layer = layer_of(node);
    size_t lanes = od_lanes(node->program, layer->in.c);
    CS_TRY(cs_alloc_aligned(3 * lanes, sizeof(float), "scale", &node->norm.scale));
    node->norm.shift = node->norm.scale + lanes;
    node->norm.p = node->norm.shift + lanes;
    for (int c = 0; layer->kind == CS_LAYER_RESCALING && c < layer->in.c; c++)
        node->norm.scale[c] = layer->factor[c];
    return CS_OK;
}

static void set_normalization(const od_node *node, const float *mean, const float *variance) {
    for (int c = 0; c < layer_of(node)->in.c; c++) {
        double scale = 1 / fmax(sqrt((double)variance[c]), 1e-7);
        node->norm.scale[c] = (float)scale;
        node->norm.shift[c] = (float)(-(double)mean[c] * scale);
    }
}

static cs_status load_scale(od_node *node, const cs_params *params) {
    if (layer_of(node)->kind == CS_LAYER_NORMALIZATION)
        set_normalization(node, params->data + od_node_param(node, CS_PARAM_MEAN)->param->offset,
                          params->data + od_node_param(node, CS_PARAM_VARIANCE)->param->offset);
    return CS_OK;
}

static cs_status refresh_scale(od_node *node) {
    if (layer_of(node)->kind == CS_LAYER_NORMALIZATION)
        set_normalization(node, od_param_at(node, CS_ARRAY_VALUE, od_node_param(node, CS_PARAM_MEAN)),
                          od_param_at(node, CS_ARRAY_VALUE, od_node_param(node, CS_PARAM_VARIANCE)));
    return CS_OK;
}

/* Both tensors have the same layout. */
static void scale(const od_node *node, const od_rows *rows, const float *shift, const od_tensor *from,
                  const od_tensor *to) {
    const od_kernels *kernels = node->program->engine->kernels;
    od_affine affine = {node->norm.scale, shift, CS_ACT_LINEAR};
    size_t channels = (size_t)from->shape.c, pixels = (size_t)from->shape.h * (size_t)from->shape.w;
    if (from->layout == OD_PLANAR)
        kernels->affine_planar((size_t)rows->size * channels, channels, pixels, affine, od_at(from, rows),
                               od_at(to, rows));
    else
        kernels->affine(od_dims_of(node->program, from, rows->size), affine, od_at(from, rows), od_at(to, rows));
}

static cs_status forward_scale(od_node *node, const od_rows *rows) {
    const od_tensor *values = node->program->values;
    scale(node, rows, node->norm.shift, &values[node->op->inputs[0]], &values[node->op->output]);
    return CS_OK;
}

static cs_status backward_scale(od_node *node, const od_rows *rows) {
    if (node->input_grads[0].wanted)
        scale(node, rows, node->norm.p, &node->program->grads[node->op->output], &node->input_grads[0]);
    return CS_OK;
}

/* The factors [2, row] of one row: first in the tensor's layout, then in NHWC order. */
static cs_status bind_dropout(od_node *node) {
    size_t row = node->program->values[node->op->output].row;
    node->program->other_bytes += 2 * row * sizeof(float);
    return cs_alloc_aligned(2 * row, sizeof(float), "dropout", &node->factors);
}

static void drop(const od_node *node, const od_rows *rows, const od_tensor *from, const od_tensor *to) {
    const od_program *program = node->program;
    const od_kernels *kernels = program->engine->kernels;
    const cs_layer *layer = layer_of(node);
    const cs_draw *draw = &program->base.draw;
    float *plain = node->factors + from->row, *factors = from->layout == OD_FLAT ? plain : node->factors;
    for (int r = 0; r < rows->active; r++) {
        const float *in = od_at(from, rows) + (size_t)r * from->row;
        float *out = od_at(to, rows) + (size_t)r * to->row;
        if (layer->per_row) {
            kernels->scale(from->row, cs_dropout_row_factor(layer, draw, rows->first + r), in, out);
            continue;
        }
        cs_dropout_factors(layer, draw, rows->first + r, plain);
        if (from->layout != OD_FLAT)
            kernels->from_nhwc(od_dims_of(program, from, 1), plain, factors);
        kernels->multiply(from->row, in, factors, out);
    }
}

static cs_status forward_dropout(od_node *node, const od_rows *rows) {
    const od_tensor *values = node->program->values;
    drop(node, rows, &values[node->op->inputs[0]], &values[node->op->output]);
    return CS_OK;
}

static cs_status backward_dropout(od_node *node, const od_rows *rows) {
    if (node->input_grads[0].wanted)
        drop(node, rows, &node->program->grads[node->op->output], &node->input_grads[0]);
    return CS_OK;
}

const od_op_class od_scale_class = {.bind = bind_scale,
                                    .load = load_scale,
                                    .refresh = refresh_scale,
                                    .forward = forward_scale,
                                    .backward = backward_scale};
const od_op_class od_dropout_class = {.bind = bind_dropout, .forward = forward_dropout, .backward = backward_dropout};
