/* SPDX-License-Identifier: Apache-2.0 */
/* Layers with a sliding window: the convolutions and both pools. */
#include "ref.h"

#include <math.h>
#include <string.h>

/* One position in the window of one output pixel. It is inside the input. */
typedef struct tap {
    size_t out, in, kernel; /* index of the pixel's first channel; position kh*kernel_w + kw in the window */
    int count;              /* positions in the window of this output pixel that are inside the input */
} tap;

typedef void tap_function(const cs_ref_op *op, tap t);

/* The part of a window at output position `o` that is inside an axis of `size`: positions [*first, *last). */
static int clip_window(int o, int stride, int pad, int kernel, int size, int *first, int *last) {
    int start = o * stride - pad;
    *first = start < 0 ? -start : 0;
    *last = start + kernel > size ? size - start : kernel;
    return start;
}

static void visit_pixel(const cs_ref_op *op, int row, int oh, int ow, tap_function *visit) {
    const cs_layer *layer = op->layer;
    const cs_window *window = &layer->window;
    cs_shape in = layer->in, out = layer->out;
    int kh0, kh1, kw0, kw1;
    int top = clip_window(oh, window->stride_h, window->pad_top, window->kernel_h, in.h, &kh0, &kh1);
    int left = clip_window(ow, window->stride_w, window->pad_left, window->kernel_w, in.w, &kw0, &kw1);
    tap t = {.count = (kh1 - kh0) * (kw1 - kw0)};
    t.out = (((size_t)row * (size_t)out.h + (size_t)oh) * (size_t)out.w + (size_t)ow) * (size_t)out.c;
    for (int kh = kh0; kh < kh1; kh++)
        for (int kw = kw0; kw < kw1; kw++) {
            size_t line = (size_t)row * (size_t)in.h + (size_t)(top + kh);
            t.in = (line * (size_t)in.w + (size_t)(left + kw)) * (size_t)in.c;
            t.kernel = (size_t)kh * (size_t)window->kernel_w + (size_t)kw;
            visit(op, t);
        }
}

/* Visits the output pixels in order, and for each of them the window in order. */
static void each_tap(const cs_ref_op *op, tap_function *visit) {
    for (int row = 0; row < op->n; row++)
        for (int oh = 0; oh < op->layer->out.h; oh++)
            for (int ow = 0; ow < op->layer->out.w; ow++)
                visit_pixel(op, row, oh, ow, visit);
}

static size_t pixels_out(const cs_ref_op *op) {
    return (size_t)op->n * (size_t)op->layer->out.h * (size_t)op->layer->out.w;
}

/* Fills every output pixel with `values` [C], or with `value` if `values` is NULL. */
static void fill_output(const cs_ref_op *op, const double *values, double value) {
    size_t channels = (size_t)op->layer->out.c;
    for (size_t p = 0; p < pixels_out(op); p++)
        for (size_t c = 0; c < channels; c++)
            op->out[p * channels + c] = values ? values[c] : value;
}

static void add_bias_gradient(const cs_ref_op *op) {
    size_t channels = (size_t)op->layer->out.c;
    double *dbias = op->dparam[CS_PARAM_BIAS];
    for (size_t p = 0; dbias && p < pixels_out(op); p++)
        for (size_t c = 0; c < channels; c++)
            dbias[c] += op->dout[p * channels + c];
}

/* The kernel is HWIO. */
static void conv2d_tap(const cs_ref_op *op, tap t) {
    size_t inputs = (size_t)op->layer->in.c, filters = (size_t)op->layer->out.c;
    const double *kernel = op->param[CS_PARAM_KERNEL] + t.kernel * inputs * filters;
    double *out = op->out + t.out;
    for (size_t i = 0; i < inputs; i++, kernel += filters) {
        double x = op->in[0][t.in + i];
        for (size_t f = 0; f < filters; f++)
            out[f] += x * kernel[f];
    }
}

static void conv2d_gradient_tap(const cs_ref_op *op, tap t) {
    size_t inputs = (size_t)op->layer->in.c, filters = (size_t)op->layer->out.c;
    const double *dout = op->dout + t.out;
    for (size_t i = 0; i < inputs; i++) {
        size_t k = (t.kernel * inputs + i) * filters;
        double x = op->in[0][t.in + i], dx = 0;
        for (size_t f = 0; op->dparam[CS_PARAM_KERNEL] && f < filters; f++)
            op->dparam[CS_PARAM_KERNEL][k + f] += x * dout[f];
        for (size_t f = 0; op->din[0] && f < filters; f++)
            dx += op->param[CS_PARAM_KERNEL][k + f] * dout[f];
        if (op->din[0])
            op->din[0][t.in + i] += dx;
    }
}

void cs_ref_conv2d_forward(const cs_ref_op *op) {
    fill_output(op, op->param[CS_PARAM_BIAS], 0);
    each_tap(op, conv2d_tap);
}

void cs_ref_conv2d_backward(const cs_ref_op *op) {
    add_bias_gradient(op);
    each_tap(op, conv2d_gradient_tap);
}

/* The kernel is HWC1. */
static void depthwise_tap(const cs_ref_op *op, tap t) {
    size_t channels = (size_t)op->layer->out.c;
    for (size_t c = 0; c < channels; c++)
        op->out[t.out + c] += op->in[0][t.in + c] * op->param[CS_PARAM_KERNEL][t.kernel * channels + c];
}

static void depthwise_gradient_tap(const cs_ref_op *op, tap t) {
    size_t channels = (size_t)op->layer->out.c, k = t.kernel * channels;
    for (size_t c = 0; op->dparam[CS_PARAM_KERNEL] && c < channels; c++)
        op->dparam[CS_PARAM_KERNEL][k + c] += op->in[0][t.in + c] * op->dout[t.out + c];
    for (size_t c = 0; op->din[0] && c < channels; c++)
        op->din[0][t.in + c] += op->param[CS_PARAM_KERNEL][k + c] * op->dout[t.out + c];
}

void cs_ref_depthwise_forward(const cs_ref_op *op) {
    fill_output(op, op->param[CS_PARAM_BIAS], 0);
    each_tap(op, depthwise_tap);
}

void cs_ref_depthwise_backward(const cs_ref_op *op) {
    add_bias_gradient(op);
    each_tap(op, depthwise_gradient_tap);
}

/* A separable convolution is two convolutions; the tensor between them is in `saved`. */
typedef struct separable {
    cs_layer depthwise_layer, pointwise_layer;
    cs_ref_op depthwise, pointwise;
} separable;

static void split(const cs_ref_op *op, separable *s) {
    cs_shape middle = op->layer->out;
    middle.c = op->layer->in.c;
    size_t count = (size_t)op->n * cs_shape_count(middle);
    s->depthwise_layer = s->pointwise_layer = *op->layer;
    s->depthwise_layer.out = s->pointwise_layer.in = middle;
    s->pointwise_layer.window = (cs_window){.kernel_h = 1, .kernel_w = 1, .stride_h = 1, .stride_w = 1};
    s->depthwise = s->pointwise = *op;
    s->depthwise.layer = &s->depthwise_layer;
    s->depthwise.out = op->saved;
    s->depthwise.dout = op->saved + count;
    s->depthwise.param[CS_PARAM_BIAS] = s->depthwise.dparam[CS_PARAM_BIAS] = NULL;
    s->pointwise.layer = &s->pointwise_layer;
    s->pointwise.in[0] = s->depthwise.out;
    s->pointwise.din[0] = s->depthwise.dout;
    s->pointwise.param[CS_PARAM_KERNEL] = op->param[CS_PARAM_POINTWISE_KERNEL];
    s->pointwise.dparam[CS_PARAM_KERNEL] = op->dparam[CS_PARAM_POINTWISE_KERNEL];
}

void cs_ref_separable_forward(const cs_ref_op *op) {
    separable s;
    split(op, &s);
    cs_ref_depthwise_forward(&s.depthwise);
    cs_ref_conv2d_forward(&s.pointwise);
}

void cs_ref_separable_backward(const cs_ref_op *op) {
    separable s;
    split(op, &s);
    memset(s.depthwise.dout, 0, (size_t)op->n * cs_shape_count(s.depthwise_layer.out) * sizeof(double));
    cs_ref_conv2d_backward(&s.pointwise);
    cs_ref_depthwise_backward(&s.depthwise);
}

static void max_pool_tap(const cs_ref_op *op, tap t) {
    for (size_t c = 0; c < (size_t)op->layer->out.c; c++)
        op->out[t.out + c] = fmax(op->out[t.out + c], op->in[0][t.in + c]);
}

/* The whole gradient goes to the first maximum. Clearing dout there gives later equal values a gradient of 0. */
static void max_pool_gradient_tap(const cs_ref_op *op, tap t) {
    for (size_t c = 0; c < (size_t)op->layer->out.c; c++)
        if (op->in[0][t.in + c] == op->out[t.out + c]) {
            op->din[0][t.in + c] += op->dout[t.out + c];
            op->dout[t.out + c] = 0;
        }
}

void cs_ref_max_pool_forward(const cs_ref_op *op) {
    fill_output(op, NULL, -HUGE_VAL);
    each_tap(op, max_pool_tap);
}

void cs_ref_max_pool_backward(const cs_ref_op *op) {
    if (op->din[0])
        each_tap(op, max_pool_gradient_tap);
}

static void average_pool_tap(const cs_ref_op *op, tap t) {
    for (size_t c = 0; c < (size_t)op->layer->out.c; c++)
        op->out[t.out + c] += op->in[0][t.in + c] / t.count;
}

static void average_pool_gradient_tap(const cs_ref_op *op, tap t) {
    for (size_t c = 0; c < (size_t)op->layer->out.c; c++)
        op->din[0][t.in + c] += op->dout[t.out + c] / t.count;
}

void cs_ref_average_pool_forward(const cs_ref_op *op) {
    fill_output(op, NULL, 0);
    each_tap(op, average_pool_tap);
}

void cs_ref_average_pool_backward(const cs_ref_op *op) {
    if (op->din[0])
        each_tap(op, average_pool_gradient_tap);
}
