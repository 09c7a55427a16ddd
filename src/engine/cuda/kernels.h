/* SPDX-License-Identifier: Apache-2.0 */
/* The CUDA engine's own kernels. Each function enqueues on `stream`. nvcc compiles the files of kernels/; the tests
 * compile them for the host, too (kernels/kernel.cuh).
 *
 * Unless they are float, tensors are [batch,H,W,C] and have the cu_type of the call. Kernels process all rows of the
 * batch size for which a program was compiled, so that one CUDA graph serves every number of rows. Rows that do not
 * take part hold finite values of earlier steps, and their gradients are 0. The few kernels that depend on the number
 * of rows read it, like all other data of a step, from `step` in device memory. With `add`, the result is added to the
 * old value of the output. Sums have a fixed order.
 *
 * The kernels are fast if the channels fill packs of 16 bytes (4 values of fp32, else 8) and tensors and parameters are
 * aligned to 16 bytes.
 *
 * To add a kernel, declare its launcher in this file, and write the kernel and the launcher in kernels/. */
#ifndef CNNSWEEP_ENGINE_CUDA_KERNELS_H
#define CNNSWEEP_ENGINE_CUDA_KERNELS_H

#include "conv.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The host writes this before a step and sends it in one copy. */
typedef struct cu_step {
    int n; /* number of rows that take part */
    uint32_t epoch;
    uint64_t seed;
    float loss_scale; /* gradients are multiplied by it until the update divides them; 1 except for fp16 */
} cu_step;

/* convert.cu */
void cu_k_from_float(cu_stream stream, cu_type type, size_t count, const float *x, void *y);
void cu_k_to_float(cu_stream stream, cu_type type, size_t count, const void *x, float *y);
/* Copies row from_rows[i] of `from` to row to_rows[i] of `to` for i < n. If an array of row numbers is NULL, the row is
 * i. A row has `bytes` bytes. Both addresses are aligned to 16 bytes. */
void cu_k_rows(cu_stream stream, int n, size_t bytes, const void *from, const int64_t *from_rows, void *to,
               const int64_t *to_rows);

/* picture.cu. An image in device memory, and what a cs_picture makes of it. Everything it points to is in device
 * memory, too, and so are the arrays of pictures below. */
typedef struct cu_picture {
    const uint8_t *image; /* [h,w,3] */
    const cs_pass *passes;
    cs_pass_facts *facts; /* of the sweep that is made, if it needs facts */
    uint8_t *made[2];     /* [h,w,3] what the sweeps make, in turn; not used if there is only one */
    int sweeps;           /* at least 1 */
    /* The first pass of each sweep, and after the last sweep the number of passes. */
    unsigned char begins[CS_PICTURE_PASSES + 1];
    unsigned char needs[CS_PICTURE_PASSES]; /* the cs_facts_kind of each sweep */
    const struct cu_picture *partner;       /* the picture with which it is mixed; NULL: none */
    cs_mixed mixed;
} cu_picture;
/* Sets the sweeps of a picture. */
static inline void cu_picture_set_sweeps(cu_picture *picture, const cs_picture *change) {
    picture->sweeps = 0;
    picture->begins[0] = picture->needs[0] = 0;
    for (int begin = 0; begin < change->n; begin = cs_picture_sweep(change, begin)) {
        picture->begins[picture->sweeps] = (unsigned char)begin;
        picture->needs[picture->sweeps++] = (unsigned char)cs_pass_needs(&change->passes[begin]);
    }
    if (picture->sweeps == 0)
        picture->sweeps = 1;
    picture->begins[picture->sweeps] = (unsigned char)change->n;
}
/* Finds the facts of that sweep, counted from 0, for those of the n pictures that need them. */
void cu_k_sweep_facts(cu_stream stream, int n, int h, int w, int sweep, const cu_picture *pictures);
/* Makes the sweep of those of the n pictures of which it is not the last one. */
void cu_k_sweep(cu_stream stream, int n, int h, int w, int sweep, const cu_picture *pictures);
/* Makes the last sweep of all of them, converts the pixels to x[c] = pixel[bgr ? 2-c : c]*multiply[c] + add[c] as
 * [n,h,w,3] and, if `mixes`, mixes those that have partners. The partners need not be among the n. */
void cu_k_pixels(cu_stream stream, cu_type type, int n, int h, int w, const cu_picture *pictures, bool mixes,
                 const cs_preprocess *preprocess, void *x);

/* elementwise.cu; `pixels` = batch*H*W */
void cu_k_bias_activation(cu_stream stream, cu_type type, size_t pixels, int channels, const float *bias,
                          cs_activation activation, void *y); /* in place; bias may be NULL */
void cu_k_activation(cu_stream stream, cu_type type, size_t count, cs_activation activation, const void *x, void *y);
void cu_k_activation_backward(cu_stream stream, cu_type type, size_t count, cs_activation activation, const void *x,
                              const void *dy, void *dx, bool add); /* dx may be dy */
void cu_k_add(cu_stream stream, cu_type type, size_t count, const void *a, const void *b, void *y);
void cu_k_copy(cu_stream stream, cu_type type, size_t count, const void *x, void *y, bool add);
/* y = act(x*scale + shift), with a factor and a summand for each channel. */
void cu_k_scale(cu_stream stream, cu_type type, size_t pixels, int channels, const float *scale, const float *shift,
                cs_activation activation, const void *x, void *y);
/* y = act(x*scale + shift + residual) for the first step->n rows; residual may be NULL. The other rows become 0. They
 * do not take part in the statistics from which scale is computed, so otherwise they could grow from one batch norm to
 * the next. */
void cu_k_scale_rows(cu_stream stream, cu_type type, int batch, int pixels_a_row, int channels, const cu_step *step,
                     const float *scale, const float *shift, const void *residual, cs_activation activation,
                     const void *x, void *y);
void cu_k_scale_backward(cu_stream stream, cu_type type, size_t pixels, int channels, const float *scale,
                         const float *shift, cs_activation activation, const void *x, const void *dy, void *dx,
                         bool add);
/* Copies channels [from, from + count) of x [pixels,x_channels] to channels [to, to + count) of y
 * [pixels,y_channels]. */
void cu_k_channels(cu_stream stream, cu_type type, size_t pixels, int count, int x_channels, int from, const void *x,
                   int y_channels, int to, void *y, bool add);
/* Drops the values that cs_dropout_factors drops. `layer` is cs_hash_name(layer name); `least` and `factor` are
 * cs_dropout_rule_of the layer. Backward is the same function of dy. */
void cu_k_dropout(cu_stream stream, cu_type type, int batch, size_t values_a_row, uint32_t layer, uint32_t least,
                  float factor, bool per_row, const cu_step *step, const int64_t *samples, const void *x, void *y,
                  bool add);

/* gate.cu: operations with an image and one value for each channel of it */
void cu_k_global_average(cu_stream stream, cu_type type, int batch, int pixels_a_row, int channels, const void *x,
                         void *y);
void cu_k_global_average_backward(cu_stream stream, cu_type type, int batch, int pixels_a_row, int channels,
                                  const void *dy, void *dx, bool add);
/* y = a*b; if gated, b is [batch,1,1,C]. da and db are NULL if they are not needed. */
void cu_k_multiply(cu_stream stream, cu_type type, int batch, int pixels_a_row, int channels, bool gated, const void *a,
                   const void *b, void *y);
void cu_k_multiply_backward(cu_stream stream, cu_type type, int batch, int pixels_a_row, int channels, bool gated,
                            const void *a, const void *b, const void *dy, void *da, bool add_a, void *db, bool add_b);

/* window.cu; dims.in_c == dims.out_c */
void cu_k_max_pool(cu_stream stream, cu_type type, const cu_dims *dims, const void *x, void *y,
                   /* [batch,out_h,out_w,C] index of the maximum in its window, of equal ones the first; may be NULL. */
                   uint8_t *argmax);
void cu_k_max_pool_backward(cu_stream stream, cu_type type, const cu_dims *dims, const uint8_t *argmax, const void *dy,
                            void *dx, bool add);
void cu_k_average_pool(cu_stream stream, cu_type type, const cu_dims *dims, const void *x, void *y);
void cu_k_average_pool_backward(cu_stream stream, cu_type type, const cu_dims *dims, const void *dy, void *dx,
                                bool add);
void cu_k_zero_pad(cu_stream stream, cu_type type, const cu_dims *dims, const void *x, void *y);
void cu_k_zero_pad_backward(cu_stream stream, cu_type type, const cu_dims *dims, const void *dy, void *dx, bool add);

/* depthwise.cu; kernel [H,W,C] */
void cu_k_depthwise(cu_stream stream, cu_type type, const cu_dims *dims, const void *x, const void *kernel,
                    const float *bias, cs_activation activation, void *y); /* bias may be NULL */
void cu_k_depthwise_backward_data(cu_stream stream, cu_type type, const cu_dims *dims, const void *dy,
                                  const void *kernel, void *dx, bool add);
size_t cu_k_depthwise_partial(const cu_dims *dims); /* bytes of `partial` below */
void cu_k_depthwise_backward_kernel(cu_stream stream, cu_type type, const cu_dims *dims, const void *x, const void *dy,
                                    void *partial, float *dkernel);

/* norm.cu. Batch norm with the statistics of the first step->n rows. Sums over rows and pixels are computed with
 * cu_k_norm_partial bytes of `partial`, and written to sums [2*C + 1] in double. In forward sums[c] is the sum of x and
 * sums[C + c] that of x*x; in backward they are the sums of dz and of dz*xhat. The last element is the number of values
 * in a channel. The caller may add these sums up over ranks. */
size_t cu_k_norm_partial(int batch, int pixels_a_row, int channels);
void cu_k_norm_moments(cu_stream stream, cu_type type, int batch, int pixels_a_row, int channels, const cu_step *step,
                       const void *x, void *partial, double *sums);
/* The data of a batch norm on the device, [C] each. */
typedef struct cu_norm {
    int channels;
    float epsilon, momentum;
    bool unbiased;
    const float *gamma, *beta; /* gamma may be NULL: 1 */
    float *moving_mean, *moving_variance;
    float *mean, *inverse; /* the batch's mean and 1/sqrt(variance + epsilon) */
    float *scale, *shift;  /* y = x*scale + shift */
    float *p, *q;          /* dx = scale*dz + p*x + q */
    float *dgamma, *dbeta; /* dgamma may be NULL */
} cu_norm;
/* Computes mean, inverse, scale and shift, and updates the moving statistics. If there are no values, it uses the
 * moving statistics and leaves them unchanged. */
void cu_k_norm_finish(cu_stream stream, const cu_norm *norm, const double *sums);
/* dz = dy * slope of the activation at x*scale + shift. */
void cu_k_norm_reduce(cu_stream stream, cu_type type, int batch, int pixels_a_row, const cu_step *step,
                      const cu_norm *norm, cs_activation activation, const void *x, const void *dy, void *partial,
                      double *sums);
/* Computes dgamma and dbeta from this rank's own sums (0 if its n is 0), and p and q from the sums of all ranks. */
void cu_k_norm_gradients(cu_stream stream, const cu_norm *norm, const double *own, const double *all);
void cu_k_norm_backward(cu_stream stream, cu_type type, int batch, int pixels_a_row, const cu_step *step,
                        const cu_norm *norm, cs_activation activation, const void *x, const void *dy, void *dx,
                        bool add); /* sets rows from step->n on to 0 */
/* dbias[c] = sum of dy over all pixels. */
size_t cu_k_bias_partial(size_t pixels, int channels);
void cu_k_bias_gradient(cu_stream stream, cu_type type, size_t pixels, int channels, const void *dy, void *partial,
                        float *dbias);

/* loss.cu */
typedef struct cu_loss_sums {
    double sum;
    double penalty;
    int correct;
    int overflow; /* fp16: a gradient of the previous step was not finite, and its update was skipped */
} cu_loss_sums;
/* The loss of logits [batch,classes] and labels, or soft targets [batch,classes] if they are not NULL (engine.h).
 * Sets sums->sum and sums->correct. dlogits is the gradient of the mean over step->n rows, times loss_scale; it is 0 in
 * later rows. dlogits and probabilities may be NULL. row_sums [batch] and row_correct [batch] are scratch memory. */
void cu_k_loss(cu_stream stream, cu_type type, int batch, int classes, const cu_step *step, const void *logits,
               const int32_t *labels, const float *soft, const cs_focal *focal, void *dlogits, float *probabilities,
               double *row_sums, int *row_correct, cu_loss_sums *sums);
/* The same for a binary head: logits and dlogits [batch], soft targets and probabilities [batch,2]. */
void cu_k_binary_loss(cu_stream stream, cu_type type, int batch, const cu_step *step, const void *logits,
                      const int32_t *labels, const float *soft, const cs_focal *focal, void *dlogits,
                      float *probabilities, double *row_sums, int *row_correct, cu_loss_sums *sums);

/* update.cu */
/* A kernel with a penalty and its position in the arrays of trained parameters. */
typedef struct cu_penalty {
    size_t offset, count;
    float l2, l1;
} cu_penalty;
/* sums->penalty = sum of l2*value^2 + l1*|value| over `n` terms, which are in device memory. scratch: n doubles. */
void cu_k_penalty(cu_stream stream, int n, const cu_penalty *terms, const float *value, double *scratch,
                  cu_loss_sums *sums);
/* gradient += (2*l2*value + l1*sign(value)) * loss_scale */
void cu_k_penalty_gradient(cu_stream stream, const cu_penalty *term, const cu_step *step, const float *value,
                           float *gradient);
/* values *= weight */
void cu_k_weigh(cu_stream stream, size_t count, float weight, float *values);
/* gradient *= 1/loss_scale for all values; *overflow = 1 if one of them was not finite, else 0. */
void cu_k_unscale(cu_stream stream, size_t count, float loss_scale, float *gradient, int *overflow);

/* The passes of an update, see common/update.h. If *overflow is set, gradients are not used; overflow may be NULL. */

/* sums[i] = the sum of l2*value^2 + l1*|value| over term i. */
void cu_k_square_sums(cu_stream stream, int n, const cu_penalty *terms, const float *value, double *sums);
/* sum = (fresh ? 0 : sum) + factor*gradient */
void cu_k_accumulate(cu_stream stream, size_t count, float factor, bool fresh, const int *overflow,
                     const float *gradient, float *sum);
/* gradient *= cs_clip_factor of the sum of square_sums [n], which are in device memory */
void cu_k_clip(cu_stream stream, size_t count, double limit, double epsilon, int n, const double *square_sums,
               float *gradient);
/* Parameters that are updated alike. */
typedef struct cu_update {
    cs_optimizer_rule rule;
    float rates[CS_OPTIMIZER_RATES];
    float *gradient, *value, *state[CS_RULE_STATES];
    void *copy; /* [count] gets the values in the engine's type, too; NULL: no copy */
} cu_update;
/* If the rule trusts, the change is written to the gradient and not added to the value. */
void cu_k_update(cu_stream stream, cu_type type, size_t count, const cu_update *update, const int *overflow);
/* value += cs_trust_ratio(lr, *value_square_sum, *change_square_sum) * change */
void cu_k_trust(cu_stream stream, cu_type type, size_t count, float lr, const double *value_square_sum,
                const double *change_square_sum, const int *overflow, const float *change, float *value, void *copy);
/* A kernel whose units have a largest norm: value i of unit u is at u*unit_step + i*item_step. */
typedef struct cu_units {
    size_t units, items, unit_step, item_step;
} cu_units;
/* value *= cs_max_norm_factor of its unit. copy as in cu_update. */
void cu_k_max_norm(cu_stream stream, cu_type type, const cu_units *units, double limit, const int *overflow,
                   float *value, void *copy);
/* average = momentum*average + (1-momentum)*value */
void cu_k_average(cu_stream stream, size_t count, float momentum, const float *value, float *average);

#ifdef __cplusplus
}
#endif

#endif
