/* SPDX-License-Identifier: Apache-2.0 */
/* conv.h on the host: plain loops in float. Inputs and outputs are rounded to the engine's type. */
#include "conv.h"

#include "cnnsweep/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct cu_dnn {
    int unused;
};

/* a, b and out as floats, [N,H,W,C] and [O,H,W,I]; `transposed` is the kernel as [H,W,I,O]. */
typedef struct operands {
    const float *x, *dy, *kernel, *transposed;
    float *y, *dx, *dkernel;
} operands;

struct cu_conv {
    cu_conv_spec spec;
    size_t in, kernel, out; /* number of values */
};

static float float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float from_bf16(uint16_t half) {
    return float_of_bits((uint32_t)half << 16);
}

static uint16_t to_bf16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (isnan(value))
        return 0x7fc0;
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static float from_f16(uint16_t half) {
    int exponent = half >> 10 & 31, mantissa = half & 1023;
    float size = exponent == 31  ? (mantissa ? NAN : INFINITY)
                 : exponent == 0 ? ldexpf((float)mantissa, -24)
                                 : ldexpf((float)(mantissa + 1024), exponent - 25);
    return half >> 15 ? -size : size;
}

/* Rounds to a unit in the last place of a half of this size; nearbyintf rounds to nearest, ties to even. */
static uint16_t to_f16(float value) {
    uint16_t sign = signbit(value) ? 0x8000 : 0;
    float size = fabsf(value);
    if (isnan(value))
        return 0x7e00;
    if (size >= 65520)
        return sign | 0x7c00;
    int exponent;
    frexpf(size, &exponent); /* size = [0.5,1) * 2^exponent */
    if (size < 0x1p-14F)     /* includes 0 */
        exponent = -13;
    int units = (int)nearbyintf(ldexpf(size, 11 - exponent)); /* at most 2048, which carries into the exponent */
    return (uint16_t)(sign | (unsigned)(units + ((exponent + 13) << 10)));
}

static void load(cu_type type, size_t count, const void *from, float *to) {
    if (type == CU_F32)
        memcpy(to, from, count * sizeof *to);
    else
        for (size_t i = 0; i < count; i++) {
            uint16_t half = ((const uint16_t *)from)[i];
            to[i] = type == CU_BF16 ? from_bf16(half) : from_f16(half);
        }
}

static void store(cu_type type, size_t count, const float *from, void *to) {
    if (type == CU_F32)
        memcpy(to, from, count * sizeof *from);
    else
        for (size_t i = 0; i < count; i++)
            ((uint16_t *)to)[i] = type == CU_BF16 ? to_bf16(from[i]) : to_f16(from[i]);
}

/* Transposes [O,H,W,I] to [H,W,I,O]. */
static void transpose(const cu_dims *dims, const float *kernel, float *transposed) {
    size_t row = (size_t)dims->window.kernel_h * (size_t)dims->window.kernel_w * (size_t)dims->in_c;
    size_t outs = (size_t)dims->out_c;
    for (size_t o = 0; o < outs; o++)
        for (size_t i = 0; i < row; i++)
            transposed[i * outs + o] = kernel[o * row + i];
}

/* Adds factor*from[i] to to[i]. */
static void add_product(size_t count, float factor, const float *restrict from, float *restrict to) {
    for (size_t i = 0; i < count; i++)
        to[i] += factor * from[i];
}

/* Adds the products of one window position. `in` and `out` are the indexes of the pixels' first channels. */
static void add_place(const cu_conv *conv, const operands *o, size_t in, size_t out, size_t place) {
    size_t ins = (size_t)conv->spec.dims.in_c, outs = (size_t)conv->spec.dims.out_c;
    size_t row = conv->kernel / outs;
    switch (conv->spec.kind) {
    case CU_CONV_FORWARD:
        for (size_t i = 0; i < ins; i++)
            add_product(outs, o->x[in + i], o->transposed + (place * ins + i) * outs, o->y + out);
        break;
    case CU_CONV_BACKWARD_DATA:
        for (size_t c = 0; c < outs; c++)
            add_product(ins, o->dy[out + c], o->kernel + c * row + place * ins, o->dx + in);
        break;
    case CU_CONV_BACKWARD_KERNEL:
        for (size_t c = 0; c < outs; c++)
            add_product(ins, o->dy[out + c], o->x + in, o->dkernel + c * row + place * ins);
        break;
    }
}

static void add_pixel(const cu_conv *conv, const operands *o, int n, int oh, int ow) {
    const cu_dims *d = &conv->spec.dims;
    const cs_window *w = &d->window;
    size_t out = (((size_t)n * (size_t)d->out_h + (size_t)oh) * (size_t)d->out_w + (size_t)ow) * (size_t)d->out_c;
    for (int kh = 0; kh < w->kernel_h; kh++)
        for (int kw = 0; kw < w->kernel_w; kw++) {
            int h = oh * w->stride_h - w->pad_top + kh, x = ow * w->stride_w - w->pad_left + kw;
            if (h < 0 || h >= d->in_h || x < 0 || x >= d->in_w)
                continue;
            size_t in = (((size_t)n * (size_t)d->in_h + (size_t)h) * (size_t)d->in_w + (size_t)x) * (size_t)d->in_c;
            add_place(conv, o, in, out, (size_t)(kh * w->kernel_w + kw));
        }
}

static float activate(cs_activation activation, float x) {
    switch (activation) {
    case CS_ACT_RELU:
        return x < 0 ? 0 : x;
    case CS_ACT_RELU6:
        return x < 0 ? 0 : x > 6 ? 6 : x;
    case CS_ACT_SWISH:
        return x / (1 + expf(-x));
    case CS_ACT_SIGMOID:
        return 1 / (1 + expf(-x));
    default:
        return x;
    }
}

cs_status cu_dnn_open(cu_device *device, const char *description, const cs_engine_options *options, cu_dnn **out) {
    (void)device, (void)description, (void)options;
    return cs_alloc(1, sizeof **out, "convolutions", out);
}

void cu_dnn_close(cu_dnn *dnn) {
    free(dnn);
}

cs_status cu_conv_open(cu_dnn *dnn, const cu_conv_spec *spec, cu_conv **out) {
    (void)dnn;
    const cu_dims *d = &spec->dims;
    cu_conv *conv = NULL;
    CS_TRY(cs_alloc(1, sizeof *conv, "a convolution", &conv));
    conv->spec = *spec;
    conv->in = (size_t)d->batch * (size_t)d->in_h * (size_t)d->in_w * (size_t)d->in_c;
    conv->out = (size_t)d->batch * (size_t)d->out_h * (size_t)d->out_w * (size_t)d->out_c;
    conv->kernel = (size_t)d->out_c * (size_t)d->window.kernel_h * (size_t)d->window.kernel_w * (size_t)d->in_c;
    *out = conv;
    return CS_OK;
}

void cu_conv_close(cu_conv *conv) {
    free(conv);
}

size_t cu_conv_workspace(const cu_conv *conv) {
    return (conv->in + conv->out + 2 * conv->kernel) * sizeof(float);
}

const char *cu_conv_name(const cu_conv *conv) {
    (void)conv;
    return "host:loops";
}

cs_status cu_conv_run(cu_conv *conv, const void *a, const void *b, const float *bias, void *out, void *workspace) {
    const cu_conv_spec *s = &conv->spec;
    bool forward = s->kind == CU_CONV_FORWARD, to_kernel = s->kind == CU_CONV_BACKWARD_KERNEL;
    float *image = workspace, *result = image + conv->in, *kernel = result + conv->out,
          *transposed = kernel + conv->kernel;
    operands o = {image, result, kernel, transposed, result, image, kernel};
    if (s->kind == CU_CONV_BACKWARD_DATA)
        load(s->type, conv->out, a, result);
    else
        load(s->type, conv->in, a, image);
    if (to_kernel)
        load(s->type, conv->out, b, result);
    else
        load(s->type, conv->kernel, b, kernel);
    if (forward)
        transpose(&s->dims, kernel, transposed);
    float *to = forward ? result : to_kernel ? kernel : image;
    size_t count = forward ? conv->out : to_kernel ? conv->kernel : conv->in, channels = (size_t)s->dims.out_c;
    for (size_t i = 0; i < count; i++)
        to[i] = s->has_bias ? bias[i % channels] : 0;
    for (int n = 0; n < s->dims.batch; n++)
        for (int oh = 0; oh < s->dims.out_h; oh++)
            for (int ow = 0; ow < s->dims.out_w; ow++)
                add_pixel(conv, &o, n, oh, ow);
    for (size_t i = 0; s->activation != CS_ACT_LINEAR && i < count; i++)
        to[i] = activate(s->activation, to[i]);
    store(s->type, count, to, out);
    return CS_OK;
}
