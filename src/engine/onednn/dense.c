/* SPDX-License-Identifier: Apache-2.0 */
#include "dense.h"
#include "classes.h"
#include "forward_plan.h"
#include "kernel_layout.h"
#include "params.h"
#include "weights.h"

/* [rows, C] */
static od_desc rows_of(const od_node *node, int value) {
    return (od_desc){.rank = 2, .dims = {node->chunk, node->program->values[value].shape.c}, .tag = dnnl_nc};
}

/* [1, C, 1, rows] in nhwc has the same memory layout as [rows, C]. */
static od_desc pixels_of(const od_node *node, int value) {
    return (od_desc){.rank = 4, .dims = {1, node->program->values[value].shape.c, 1, node->chunk}, .tag = dnnl_nhwc};
}

/* A 1x1 convolution of one image whose pixels are the rows. program.h explains why. */
static cs_status plan_inference(od_node *node) {
    enum { PIXELS = 3 }; /* the dimension of the pixels */
    static const cs_window pointwise = {.kernel_h = 1, .kernel_w = 1, .stride_h = 1, .stride_w = 1};
    od_conv conv = {.source = pixels_of(node, node->op->inputs[0]),
                    .weights = od_plain_kernel_desc(node),
                    .destination = pixels_of(node, node->op->output),
                    .has_bias = od_has_bias(node),
                    .inference = true,
                    .activation = node->op->activation,
                    .window = &pointwise};
    conv.weights.tag = dnnl_format_tag_any;
    return od_forward_plan(node, &conv, PIXELS);
}

cs_status od_product_plan(od_node *node) {
    od_program *program = node->program;
    dnnl_engine_t engine = program->engine->engine;
    if (!program->training)
        return plan_inference(node);
    node->kernel_layout.matrix = true;
    od_inner_product product = {.source = rows_of(node, node->op->inputs[0]),
                                .weights = od_plain_kernel_desc(node),
                                .destination = rows_of(node, node->op->output),
                                .has_bias = od_has_bias(node),
                                .activation = node->op->activation};
    product.weights.tag = dnnl_format_tag_any;
    CS_TRY(od_inner_product_create(engine, &product, OD_FORWARD, NULL, &node->forward.primitive));
    if (node->op->trainable)
        CS_TRY(od_inner_product_create(engine, &product, OD_BACKWARD_WEIGHTS, &node->forward.primitive,
                                       &node->backward_weights.primitive));
    od_kernel_follows_primitive(node);
    if (!node->input_grads[0].wanted)
        return CS_OK;
    return od_inner_product_create(engine, &product, OD_BACKWARD_DATA, &node->forward.primitive,
                                   &node->backward_data.primitive);
}

const od_op_class od_dense_class = {od_product_plan,     od_weighted_bind,    od_weighted_load,
                                    od_weighted_refresh, od_weighted_forward, od_weighted_backward};
