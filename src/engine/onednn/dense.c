#include "program.h"

/* [rows, C] */
static od_desc rows_of(const od_node *node, int value) {
    return (od_desc){.rank = 2, .dims = {node->chunk, node->program->values[value].shape.c}, .tag = dnnl_nc};
}

cs_status od_product_plan(od_node *node) {
    od_program *program = node->program;
    dnnl_engine_t engine = program->engine->engine;
    od_param *kernel = od_node_kernel(node);
    od_inner_product product = {.source = rows_of(node, node->op->inputs[0]),
                                .weights = od_plain_kernel_desc(program->graph, kernel),
                                .destination = rows_of(node, node->op->output),
                                .has_bias = od_has_bias(node),
                                .inference = !program->training,
                                .activation = node->op->activation};
    product.weights.tag = dnnl_format_tag_any;
    CS_TRY(od_inner_product_create(engine, &product, OD_FORWARD, NULL, &node->forward.primitive));
    if (!program->training)
        return CS_OK;
    if (node->op->trainable)
        CS_TRY(od_inner_product_create(engine, &product, OD_BACKWARD_WEIGHTS, &node->forward.primitive,
                                       &node->backward_weights.primitive));
    kernel->layout_of = node->op->trainable ? &node->backward_weights.primitive : &node->forward.primitive;
    kernel->layout_what = node->op->trainable ? dnnl_query_diff_weights_md : dnnl_query_weights_md;
    kernel->count = od_primitive_bytes(kernel->layout_of, kernel->layout_what) / sizeof(float);
    if (!node->input_grads[0].wanted)
        return CS_OK;
    return od_inner_product_create(engine, &product, OD_BACKWARD_DATA, &node->forward.primitive,
                                   &node->backward_data.primitive);
}

const od_op_class od_dense_class = {od_product_plan,     od_weighted_bind,    od_weighted_load,
                                    od_weighted_refresh, od_weighted_forward, od_weighted_backward};
