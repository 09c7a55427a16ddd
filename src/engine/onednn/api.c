/* SPDX-License-Identifier: Apache-2.0 */
#include "api.h"

#include <string.h>

cs_status od_fail(dnnl_status_t status, const char *what) {
    static const char *const names[] = {"success",   "out of memory", "invalid arguments", "unimplemented",
                                        "last impl", "runtime error", "not required"};
    const char *name = (size_t)status < sizeof names / sizeof *names ? names[status] : "unknown error";
    if (status == dnnl_out_of_memory)
        return cs_fail(CS_ERR_NO_MEMORY, "oneDNN: %s: %s", what, name);
    return cs_hint(cs_fail(CS_ERR_UNSUPPORTED, "oneDNN: %s: %s", what, name), "--device ref runs every layer, slowly");
}

#define OD_TRY(expr, what)                                                                                             \
    do {                                                                                                               \
        dnnl_status_t od_status_ = (expr);                                                                             \
        if (od_status_ != dnnl_success)                                                                                \
            return od_fail(od_status_, what);                                                                          \
    } while (0)

/* 2.x passes descriptors by value and creates a primitive descriptor from an operation descriptor. 3.x returns pointers
 * and creates a primitive descriptor in one call. od_md is the type of a memory descriptor in this version. */
#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t od_md;
typedef const_dnnl_memory_desc_t od_md_view;
#define MD_ARG(md) (md)

static dnnl_status_t md_create(od_md *md, const od_desc *desc) {
    return dnnl_memory_desc_create_with_tag(md, desc->rank, desc->dims, dnnl_f32, desc->tag);
}
static void md_destroy(od_md *md) {
    if (*md)
        dnnl_memory_desc_destroy(*md);
}
static dnnl_status_t append_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t kind, float alpha, float beta) {
    return dnnl_post_ops_append_eltwise(ops, kind, alpha, beta);
}
#else
typedef dnnl_memory_desc_t od_md;
typedef const dnnl_memory_desc_t *od_md_view;
#define MD_ARG(md) (&(md))

static dnnl_status_t md_create(od_md *md, const od_desc *desc) {
    return dnnl_memory_desc_init_by_tag(md, desc->rank, desc->dims, dnnl_f32, desc->tag);
}
static void md_destroy(od_md *md) {
    (void)md; /* a plain struct needs no freeing */
}
static dnnl_status_t append_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t kind, float alpha, float beta) {
    return dnnl_post_ops_append_eltwise(ops, 1.0f, kind, alpha, beta);
}
#endif

void od_primitive_clear(od_primitive *primitive) {
    if (primitive->code)
        dnnl_primitive_destroy(primitive->code);
    if (primitive->plan)
        dnnl_primitive_desc_destroy(primitive->plan);
    *primitive = (od_primitive){0};
}

const char *od_primitive_implementation(const od_primitive *primitive) {
    const char *name = NULL;
    if (!primitive->plan ||
        dnnl_primitive_desc_query(primitive->plan, dnnl_query_impl_info_str, 0, &name) != dnnl_success)
        return "";
    return name;
}

bool od_sums_alike(const od_primitive *primitive) {
    return strstr(od_primitive_implementation(primitive), "gemm") == NULL ||
           strstr(od_primitive_implementation(primitive), "brgemm") != NULL;
}

/* The memory descriptors of one operation. */
typedef struct od_mds {
    od_md source, weights, bias, destination;
} od_mds;

static void mds_clear(od_mds *mds) {
    md_destroy(&mds->source);
    md_destroy(&mds->weights);
    md_destroy(&mds->bias);
    md_destroy(&mds->destination);
}

static dnnl_status_t mds_create(od_mds *mds, const od_desc *source, const od_desc *weights,
                                const od_desc *destination) {
    memset(mds, 0, sizeof *mds);
    od_desc bias = {.rank = 1, .dims = {destination->dims[1]}, .tag = dnnl_x};
    dnnl_status_t status = md_create(&mds->source, source);
    if (status == dnnl_success)
        status = md_create(&mds->destination, destination);
    if (status == dnnl_success)
        status = md_create(&mds->bias, &bias);
    if (status == dnnl_success && weights)
        status = md_create(&mds->weights, weights);
    return status;
}

static dnnl_status_t append_activation(dnnl_post_ops_t ops, cs_activation activation) {
    switch (activation) {
    case CS_ACT_RELU:
        return append_eltwise(ops, dnnl_eltwise_relu, 0.0f, 0.0f);
    case CS_ACT_RELU6:
        return append_eltwise(ops, dnnl_eltwise_clip, 0.0f, 6.0f);
    case CS_ACT_SWISH:
        return append_eltwise(ops, dnnl_eltwise_swish, 1.0f, 0.0f);
    case CS_ACT_SIGMOID:
        return append_eltwise(ops, dnnl_eltwise_logistic, 0.0f, 0.0f);
    default:
        return dnnl_success;
    }
}

static dnnl_status_t attr_create(cs_activation activation, dnnl_primitive_attr_t *out) {
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t status = dnnl_primitive_attr_create(out);
    if (status == dnnl_success)
        status = dnnl_post_ops_create(&ops);
    if (status == dnnl_success)
        status = append_activation(ops, activation);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_post_ops(*out, ops);
    if (ops)
        dnnl_post_ops_destroy(ops);
    return status;
}

/* A window in oneDNN's terms. */
typedef struct od_window {
    dnnl_dims_t kernel, strides, dilation, padding_begin, padding_end;
} od_window;

static od_window window_of(const cs_window *w) {
    return (od_window){.kernel = {w->kernel_h, w->kernel_w},
                       .strides = {w->stride_h, w->stride_w},
                       .padding_begin = {w->pad_top, w->pad_left},
                       .padding_end = {w->pad_bottom, w->pad_right}};
}

static dnnl_prop_kind_t forward_kind(bool inference) {
    return inference ? dnnl_forward_inference : dnnl_forward_training;
}

#if DNNL_VERSION_MAJOR >= 3

static dnnl_status_t conv_plan(dnnl_engine_t engine, const od_conv *conv, dnnl_alg_kind_t algorithm,
                               od_direction direction, const od_mds *m, const_dnnl_primitive_desc_t hint,
                               const_dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *out) {
    od_window w = window_of(conv->window);
    const_dnnl_memory_desc_t bias = conv->has_bias ? m->bias : NULL;
    switch (direction) {
    case OD_FORWARD:
        return dnnl_convolution_forward_primitive_desc_create(out, engine, forward_kind(conv->inference), algorithm,
                                                              m->source, m->weights, bias, m->destination, w.strides,
                                                              w.dilation, w.padding_begin, w.padding_end, attr);
    case OD_BACKWARD_DATA:
        return dnnl_convolution_backward_data_primitive_desc_create(out, engine, algorithm, m->source, m->weights,
                                                                    m->destination, w.strides, w.dilation,
                                                                    w.padding_begin, w.padding_end, hint, attr);
    default:
        return dnnl_convolution_backward_weights_primitive_desc_create(out, engine, algorithm, m->source, m->weights,
                                                                       bias, m->destination, w.strides, w.dilation,
                                                                       w.padding_begin, w.padding_end, hint, attr);
    }
}

static dnnl_status_t inner_product_plan(dnnl_engine_t engine, const od_inner_product *product, od_direction direction,
                                        const od_mds *m, const_dnnl_primitive_desc_t hint,
                                        const_dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *out) {
    const_dnnl_memory_desc_t bias = product->has_bias ? m->bias : NULL;
    switch (direction) {
    case OD_FORWARD:
        return dnnl_inner_product_forward_primitive_desc_create(out, engine, dnnl_forward_training, m->source,
                                                                m->weights, bias, m->destination, attr);
    case OD_BACKWARD_DATA:
        return dnnl_inner_product_backward_data_primitive_desc_create(out, engine, m->source, m->weights,
                                                                      m->destination, hint, attr);
    default:
        return dnnl_inner_product_backward_weights_primitive_desc_create(out, engine, m->source, m->weights, bias,
                                                                         m->destination, hint, attr);
    }
}

static dnnl_status_t pool_plan(dnnl_engine_t engine, const od_pool *pool, od_direction direction, const od_mds *m,
                               const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *out) {
    od_window w = window_of(pool->window);
    dnnl_alg_kind_t kind = pool->max ? dnnl_pooling_max : dnnl_pooling_avg_exclude_padding;
    if (direction == OD_FORWARD)
        return dnnl_pooling_forward_primitive_desc_create(out, engine, forward_kind(pool->inference), kind, m->source,
                                                          m->destination, w.strides, w.kernel, w.dilation,
                                                          w.padding_begin, w.padding_end, NULL);
    return dnnl_pooling_backward_primitive_desc_create(out, engine, kind, m->source, m->destination, w.strides,
                                                       w.kernel, w.dilation, w.padding_begin, w.padding_end, hint,
                                                       NULL);
}

#else

/* The library has two Winograd algorithms and prefers F(2x2,3x3) for one row and F(4x4,3x3) for more. The bits of a row
 * must not depend on the number of rows, so this always takes F(4x4,3x3), which is not slower for one row. */
static dnnl_status_t winograd_plan(dnnl_engine_t engine, const dnnl_convolution_desc_t *desc,
                                   const_dnnl_primitive_desc_t hint, const_dnnl_primitive_attr_t attr,
                                   dnnl_primitive_desc_t *out) {
    dnnl_primitive_desc_iterator_t forms;
    dnnl_status_t status = dnnl_primitive_desc_iterator_create(&forms, desc, attr, engine, hint);
    if (status != dnnl_success)
        return status;
    for (; status == dnnl_success; status = dnnl_primitive_desc_iterator_next(forms)) {
        const od_primitive form = {.plan = dnnl_primitive_desc_iterator_fetch(forms)};
        if (strstr(od_primitive_implementation(&form), "wino_4x3")) {
            *out = form.plan;
            break;
        }
        dnnl_primitive_desc_destroy(form.plan);
    }
    dnnl_primitive_desc_iterator_destroy(forms);
    return status;
}

static dnnl_status_t conv_plan(dnnl_engine_t engine, const od_conv *conv, dnnl_alg_kind_t algorithm,
                               od_direction direction, const od_mds *m, const_dnnl_primitive_desc_t hint,
                               const_dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *out) {
    od_window w = window_of(conv->window);
    const dnnl_memory_desc_t *bias = conv->has_bias ? &m->bias : NULL;
    dnnl_convolution_desc_t desc;
    dnnl_status_t status;
    if (direction == OD_FORWARD)
        status =
            dnnl_convolution_forward_desc_init(&desc, forward_kind(conv->inference), algorithm, &m->source, &m->weights,
                                               bias, &m->destination, w.strides, w.padding_begin, w.padding_end);
    else if (direction == OD_BACKWARD_DATA)
        status = dnnl_convolution_backward_data_desc_init(&desc, algorithm, &m->source, &m->weights, &m->destination,
                                                          w.strides, w.padding_begin, w.padding_end);
    else
        status =
            dnnl_convolution_backward_weights_desc_init(&desc, algorithm, &m->source, &m->weights, bias,
                                                        &m->destination, w.strides, w.padding_begin, w.padding_end);
    if (status == dnnl_success && algorithm == dnnl_convolution_winograd)
        return winograd_plan(engine, &desc, hint, attr, out);
    return status == dnnl_success ? dnnl_primitive_desc_create(out, &desc, attr, engine, hint) : status;
}

static dnnl_status_t inner_product_plan(dnnl_engine_t engine, const od_inner_product *product, od_direction direction,
                                        const od_mds *m, const_dnnl_primitive_desc_t hint,
                                        const_dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *out) {
    const dnnl_memory_desc_t *bias = product->has_bias ? &m->bias : NULL;
    dnnl_inner_product_desc_t desc;
    dnnl_status_t status;
    if (direction == OD_FORWARD)
        status = dnnl_inner_product_forward_desc_init(&desc, dnnl_forward_training, &m->source, &m->weights, bias,
                                                      &m->destination);
    else if (direction == OD_BACKWARD_DATA)
        status = dnnl_inner_product_backward_data_desc_init(&desc, &m->source, &m->weights, &m->destination);
    else
        status = dnnl_inner_product_backward_weights_desc_init(&desc, &m->source, &m->weights, bias, &m->destination);
    return status == dnnl_success ? dnnl_primitive_desc_create(out, &desc, attr, engine, hint) : status;
}

static dnnl_status_t pool_plan(dnnl_engine_t engine, const od_pool *pool, od_direction direction, const od_mds *m,
                               const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *out) {
    od_window w = window_of(pool->window);
    dnnl_alg_kind_t kind = pool->max ? dnnl_pooling_max : dnnl_pooling_avg_exclude_padding;
    dnnl_pooling_desc_t desc;
    dnnl_status_t status;
    if (direction == OD_FORWARD)
        status = dnnl_pooling_forward_desc_init(&desc, forward_kind(pool->inference), kind, &m->source, &m->destination,
                                                w.strides, w.kernel, w.padding_begin, w.padding_end);
    else
        status = dnnl_pooling_backward_desc_init(&desc, kind, &m->source, &m->destination, w.strides, w.kernel,
                                                 w.padding_begin, w.padding_end);
    return status == dnnl_success ? dnnl_primitive_desc_create(out, &desc, NULL, engine, hint) : status;
}

#endif

/* Creates the primitive of a plan. If there is no plan, fails with a message that names `what`. */
static cs_status build(dnnl_status_t status, dnnl_primitive_desc_t plan, const char *what, od_primitive *out) {
    if (status != dnnl_success)
        return od_fail(status, what);
    out->plan = plan;
    OD_TRY(dnnl_primitive_create(&out->code, plan), what);
    return CS_OK;
}

cs_status od_conv_create(dnnl_engine_t engine, const od_conv *conv, od_direction direction, const od_primitive *forward,
                         od_primitive *out) {
    od_mds mds;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t plan = NULL;
    dnnl_status_t status = mds_create(&mds, &conv->source, &conv->weights, &conv->destination);
    if (status == dnnl_success)
        status = attr_create(direction == OD_FORWARD ? conv->activation : CS_ACT_LINEAR, &attr);
    const_dnnl_primitive_desc_t hint = forward ? forward->plan : NULL;
    bool planned =
        status == dnnl_success && conv->winograd &&
        conv_plan(engine, conv, dnnl_convolution_winograd, direction, &mds, hint, attr, &plan) == dnnl_success;
    if (status == dnnl_success && !planned)
        status = conv_plan(engine, conv, dnnl_convolution_direct, direction, &mds, hint, attr, &plan);
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    mds_clear(&mds);
    return build(status, plan, "convolution", out);
}

cs_status od_inner_product_create(dnnl_engine_t engine, const od_inner_product *product, od_direction direction,
                                  const od_primitive *forward, od_primitive *out) {
    od_mds mds;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t plan = NULL;
    dnnl_status_t status = mds_create(&mds, &product->source, &product->weights, &product->destination);
    if (status == dnnl_success)
        status = attr_create(direction == OD_FORWARD ? product->activation : CS_ACT_LINEAR, &attr);
    if (status == dnnl_success)
        status = inner_product_plan(engine, product, direction, &mds, forward ? forward->plan : NULL, attr, &plan);
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    mds_clear(&mds);
    return build(status, plan, "dense layer", out);
}

cs_status od_pool_create(dnnl_engine_t engine, const od_pool *pool, od_direction direction, const od_primitive *forward,
                         od_primitive *out) {
    od_mds mds;
    dnnl_primitive_desc_t plan = NULL;
    dnnl_status_t status = mds_create(&mds, &pool->source, NULL, &pool->destination);
    if (status == dnnl_success)
        status = pool_plan(engine, pool, direction, &mds, forward ? forward->plan : NULL, &plan);
    mds_clear(&mds);
    return build(status, plan, "pooling", out);
}

static dnnl_status_t reorder_plan(dnnl_engine_t engine, dnnl_memory_t from, dnnl_memory_t to,
                                  dnnl_primitive_desc_t *out) {
    od_md_view source, destination;
    dnnl_status_t status = dnnl_memory_get_memory_desc(from, &source);
    if (status == dnnl_success)
        status = dnnl_memory_get_memory_desc(to, &destination);
    if (status == dnnl_success)
        status = dnnl_reorder_primitive_desc_create(out, source, engine, destination, engine, NULL);
    return status;
}

cs_status od_reorder_create(dnnl_engine_t engine, dnnl_memory_t from, dnnl_memory_t to, od_primitive *out) {
    dnnl_primitive_desc_t plan = NULL;
    dnnl_status_t status = reorder_plan(engine, from, to, &plan);
    return build(status, plan, "reorder", out);
}

static od_md_view query(const od_primitive *primitive, dnnl_query_t what) {
    return primitive->plan ? dnnl_primitive_desc_query_md(primitive->plan, what, 0) : NULL;
}

size_t od_primitive_bytes(const od_primitive *primitive, dnnl_query_t what) {
    od_md_view view = query(primitive, what);
    return view ? dnnl_memory_desc_get_size(view) : 0;
}

cs_status od_memory_for(dnnl_engine_t engine, const od_primitive *primitive, dnnl_query_t what, void *data,
                        dnnl_memory_t *out) {
    OD_TRY(dnnl_memory_create(out, query(primitive, what), engine, data), "memory");
    return CS_OK;
}

cs_status od_memory_create(dnnl_engine_t engine, const od_desc *desc, void *data, dnnl_memory_t *out) {
    od_md md;
    memset(&md, 0, sizeof md);
    dnnl_status_t status = md_create(&md, desc);
    if (status == dnnl_success)
        status = dnnl_memory_create(out, MD_ARG(md), engine, data);
    md_destroy(&md);
    OD_TRY(status, "memory");
    return CS_OK;
}

bool od_same_layout(dnnl_memory_t a, dnnl_memory_t b) {
    od_md_view of_a, of_b;
    if (dnnl_memory_get_memory_desc(a, &of_a) != dnnl_success || dnnl_memory_get_memory_desc(b, &of_b) != dnnl_success)
        return false;
    return dnnl_memory_desc_equal(of_a, of_b) != 0;
}

cs_status od_execute(dnnl_primitive_t code, dnnl_stream_t stream, int n_args, const dnnl_exec_arg_t *args) {
    OD_TRY(dnnl_primitive_execute(code, stream, n_args, args), "execution");
    OD_TRY(dnnl_stream_wait(stream), "execution");
    return CS_OK;
}
