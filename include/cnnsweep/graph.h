/* SPDX-License-Identifier: Apache-2.0 */
/* A network: named layers in topological order, with their shapes and parameters. Graphs can be frozen and cut into
 * segments.
 *
 * Shapes are those of one sample: [H,W,C], or [C] if flat; the batch dimension N comes before them. Parameters keep
 * Keras' layouts: convolution kernels HWIO, depthwise HWC1, dense IO. Layer names are those of the framework that the
 * architecture comes from.
 *
 * To add a layer kind: a value in cs_layer_kind, a row in the table of src/net/layers.c (shape rule, parameters), a row
 * in each engine, and a row in tests/engine/cases.c. */
#ifndef CNNSWEEP_GRAPH_H
#define CNNSWEEP_GRAPH_H

#include "cnnsweep/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { CS_NAME_MAX = 64, CS_LAYER_MAX_INPUTS = 8, CS_LAYER_MAX_PARAMS = 5 };

typedef enum cs_layer_kind {
    CS_LAYER_INPUT,
    CS_LAYER_CONV2D,
    CS_LAYER_DEPTHWISE_CONV2D,
    CS_LAYER_SEPARABLE_CONV2D, /* depthwise, then 1x1: one layer, two kernels */
    CS_LAYER_BATCH_NORM,
    CS_LAYER_RESCALING,     /* x * factor[c] */
    CS_LAYER_NORMALIZATION, /* (x - mean) / max(sqrt(variance), 1e-7); the weights file has both */
    CS_LAYER_ACTIVATION,
    CS_LAYER_MAX_POOL,
    CS_LAYER_AVERAGE_POOL, /* padding is not counted, as in TensorFlow */
    CS_LAYER_GLOBAL_AVERAGE_POOL,
    CS_LAYER_ZERO_PAD,
    CS_LAYER_ADD,
    CS_LAYER_MULTIPLY,    /* [H,W,C] times [H,W,C], or times a gate [1,1,C] */
    CS_LAYER_CONCATENATE, /* along the channels */
    CS_LAYER_FLATTEN,     /* in NHWC order, as Keras does */
    CS_LAYER_RESHAPE,     /* [1,1,C] to [C], or back */
    CS_LAYER_DROPOUT,     /* while training: 0 with probability `rate`, else multiplied by 1/(1 - rate) */
    CS_LAYER_DENSE,
    CS_LAYER_KIND_COUNT
} cs_layer_kind;

typedef enum cs_activation {
    CS_ACT_LINEAR,
    CS_ACT_RELU,
    CS_ACT_RELU6,
    CS_ACT_SWISH,   /* x * sigmoid(x) */
    CS_ACT_SIGMOID, /* 1 / (1 + exp(-x)) */
    CS_ACT_SOFTMAX, /* only on the last layer: programs give logits, and the loss applies softmax */
    /* Only on the last layer, whose one unit is the logit of class 1 of two: the loss applies sigmoid. */
    CS_ACT_BINARY
} cs_activation;

typedef struct cs_shape {
    int h, w, c; /* flat: h = w = 1 */
    bool flat;   /* [C] rather than [H,W,C] */
} cs_shape;

/* A sliding window. Its padding is computed in rows and columns when the layer is added. */
typedef struct cs_window {
    int kernel_h, kernel_w, stride_h, stride_w;
    int pad_top, pad_bottom, pad_left, pad_right;
} cs_window;

typedef enum cs_param_role {
    CS_PARAM_KERNEL, /* for SEPARABLE_CONV2D the depthwise kernel */
    CS_PARAM_BIAS,
    CS_PARAM_GAMMA,
    CS_PARAM_BETA,
    CS_PARAM_MOVING_MEAN, /* no gradients train this role, nor the ones below except the pointwise kernel */
    CS_PARAM_MOVING_VARIANCE,
    CS_PARAM_MEAN, /* NORMALIZATION */
    CS_PARAM_VARIANCE,
    CS_PARAM_COUNT, /* stored in weights files, but nothing reads it */
    CS_PARAM_POINTWISE_KERNEL,
    CS_PARAM_ROLE_COUNT
} cs_param_role;

/* The framework that a network follows in its names, padding, moving variance of batch norms and initial values. */
typedef enum cs_dialect {
    CS_DIALECT_ANY, /* in a request: the architecture's first dialect */
    CS_DIALECT_KERAS,
    CS_DIALECT_TORCH
} cs_dialect;

/* How the kernels (and biases) of a layer are initialised. */
typedef enum cs_initializer {
    CS_INIT_GLOROT_UNIFORM,    /* Keras' default: uniform in +-sqrt(6 / (fan_in + fan_out)) */
    CS_INIT_TORCH_DEFAULT,     /* kernel and bias uniform in +-1/sqrt(fan_in) */
    CS_INIT_TORCH_ZERO_BIAS,   /* the same for the kernel, biases 0 */
    CS_INIT_KAIMING_FAN_OUT,   /* normal, variance 2 / fan_out */
    CS_INIT_KAIMING_FAN_IN,    /* normal, variance 2 / fan_in */
    CS_INIT_NORMAL_001,        /* normal, standard deviation 0.01, biases 0 */
    CS_INIT_TRUNCATED_FAN_OUT, /* normal truncated at 2 deviations, variance 2 / fan_out: Keras' VarianceScaling(2) */
    CS_INIT_UNIFORM_THIRD      /* uniform, variance 1/3 / fan_out: Keras' VarianceScaling(1/3) */
} cs_initializer;

typedef struct cs_param {
    int layer; /* index into cs_graph.layers */
    cs_param_role role;
    int rank;
    int dims[4];
    size_t offset; /* index of its first float in cs_params.data */
    size_t count;  /* product of dims */
} cs_param;

typedef struct cs_layer {
    char name[CS_NAME_MAX];
    cs_layer_kind kind;
    cs_activation activation; /* ACTIVATION; also CONV2D and DENSE where Keras writes activation= */
    int n_inputs;
    int inputs[CS_LAYER_MAX_INPUTS]; /* indexes of earlier layers */
    cs_window window;                /* convolutions, pools, ZERO_PAD */
    bool use_bias;                   /* convolutions, DENSE */
    bool scale;                      /* BATCH_NORM: has gamma (it always has beta) */
    bool unbiased;                   /* BATCH_NORM: the moving variance averages the unbiased variance, as in torch */
    float epsilon;                   /* BATCH_NORM */
    float momentum;                  /* BATCH_NORM, as in Keras: moving = moving*m + batch*(1-m) */
    float factor[3];                 /* RESCALING, one for each channel */
    float rate;                      /* DROPOUT */
    bool per_row;                    /* DROPOUT: drops all values of a sample together (stochastic depth) */
    float l1, l2;                    /* a trainable kernel adds sum(l1*|kernel| + l2*kernel^2) to the loss */
    float max_norm;                  /* of each output channel of a trainable kernel, after an update; 0: any */
    cs_initializer initializer;
    int block;   /* counted from 1, see cs_graph_begin_block; 0: before the first block */
    cs_shape in; /* of the first input */
    cs_shape out;
    int n_params;
    int first_param;  /* index into cs_graph.params */
    bool trainable;   /* as the user sees it, so it is also true for layers without parameters */
    double lr_factor; /* of the learning rate, for the layer's parameters; 1 unless cs_graph_set_lr_factors sets it */
} cs_layer;

/* How pixels become the network's input; it depends on the weights. */
typedef enum cs_preprocess_kind {
    CS_PREPROCESS_TF,          /* [-1, 1]: pixel/127.5 - 1 */
    CS_PREPROCESS_UNIT,        /* [0, 1]: pixel/255 */
    CS_PREPROCESS_CAFFE,       /* channels in the order B, G, R, minus ImageNet's means */
    CS_PREPROCESS_TORCH,       /* pixel/255, minus ImageNet's means, divided by its standard deviations */
    CS_PREPROCESS_RAW,         /* pixels as they are */
    CS_PREPROCESS_RAW_IMAGENET /* the same, for weights that expect EfficientNet's second rescaling after it */
} cs_preprocess_kind;
typedef struct cs_preprocess {
    float multiply[3], add[3]; /* x[c] = pixel[c] * multiply[c] + add[c], pixel in 0..255 */
    bool bgr;                  /* x[c] is computed from pixel[2 - c] instead, so that RGB becomes BGR */
} cs_preprocess;
const char *cs_preprocess_name(cs_preprocess_kind kind);
cs_preprocess cs_preprocess_of(cs_preprocess_kind kind);

/* What a weights file records of the preprocessing: the name of the kind, or for a network that was trained on
 * standardized images "standardized: HOW; in place of KIND". */
enum { CS_RECORD_TEXT = 256 };
bool cs_record_is_standardized(const char *record);
/* The name of the kind in the record; of one that is not understood, the record. */
const char *cs_record_kind(const char *record);

typedef struct cs_graph {
    char arch[CS_NAME_MAX];
    cs_dialect dialect;
    cs_layer *layers;
    int n_layers;
    cs_param *params;
    int n_params;
    size_t n_values; /* floats of all parameters together */
    cs_preprocess_kind preprocess;
    char record[CS_RECORD_TEXT]; /* the record of the preprocessing where it is no kind; else "" */
    int head;                    /* the first layer added on top of the architecture; n_layers if there is none */
    int n_blocks;
    size_t layer_capacity, param_capacity;
} cs_graph;

CS_MUST_CHECK cs_status cs_graph_create(const char *arch, cs_graph **out);
void cs_graph_free(cs_graph *graph); /* NULL-safe */

/* Records that images are standardized so, in place of the graph's preprocessing. */
void cs_graph_set_standardized(cs_graph *graph, const char *how);
const char *cs_graph_record(const cs_graph *graph);

/* The functions that add layers. Each checks its arguments, infers the output shape and appends the parameters. `input`
 * is the index of a layer; *out gets the new layer's index. Errors name the layer. */
CS_MUST_CHECK cs_status cs_graph_input(cs_graph *graph, const char *name, int h, int w, int c, int *out);

/* The layers that are added after this call belong to the next block, a unit of `fine_tune: blocks:K`. */
void cs_graph_begin_block(cs_graph *graph);

typedef enum cs_padding {
    CS_PADDING_VALID,
    CS_PADDING_SAME, /* as TensorFlow: the odd row or column of padding is at the bottom or right */
    /* `pad` on every side, as torch; trailing rows and columns that do not fill a window are ignored */
    CS_PADDING_SYMMETRIC
} cs_padding;
typedef struct cs_conv_args {
    int filters; /* depthwise ignores it: it has the input's channels, with multiplier 1 */
    int kernel_h, kernel_w, stride;
    cs_padding padding;
    bool use_bias;
    cs_activation activation;
    int pad; /* for CS_PADDING_SYMMETRIC */
} cs_conv_args;
CS_MUST_CHECK cs_status cs_graph_conv2d(cs_graph *graph, const char *name, int input, cs_conv_args args, int *out);
CS_MUST_CHECK cs_status cs_graph_depthwise_conv2d(cs_graph *graph, const char *name, int input, cs_conv_args args,
                                                  int *out);
/* A depthwise convolution, then a 1x1 convolution to args.filters; the bias, if any, belongs to the second. */
CS_MUST_CHECK cs_status cs_graph_separable_conv2d(cs_graph *graph, const char *name, int input, cs_conv_args args,
                                                  int *out);
CS_MUST_CHECK cs_status cs_graph_batch_norm(cs_graph *graph, const char *name, int input, float epsilon, float momentum,
                                            bool scale, int *out);
CS_MUST_CHECK cs_status cs_graph_rescaling(cs_graph *graph, const char *name, int input, const float factor[3],
                                           int *out);
CS_MUST_CHECK cs_status cs_graph_normalization(cs_graph *graph, const char *name, int input, int *out);
CS_MUST_CHECK cs_status cs_graph_activation(cs_graph *graph, const char *name, int input, cs_activation activation,
                                            int *out);
typedef struct cs_pool_args {
    cs_layer_kind kind; /* CS_LAYER_MAX_POOL or CS_LAYER_AVERAGE_POOL */
    int size, stride;
    cs_padding padding;
    int pad; /* for CS_PADDING_SYMMETRIC; padding is never the maximum and is not counted in the average */
} cs_pool_args;
CS_MUST_CHECK cs_status cs_graph_pool(cs_graph *graph, const char *name, int input, cs_pool_args args, int *out);
/* The output is [C]; with keep_dims it is [1,1,C]. */
CS_MUST_CHECK cs_status cs_graph_global_average_pool(cs_graph *graph, const char *name, int input, bool keep_dims,
                                                     int *out);
CS_MUST_CHECK cs_status cs_graph_zero_pad(cs_graph *graph, const char *name, int input, int top, int bottom, int left,
                                          int right, int *out);
CS_MUST_CHECK cs_status cs_graph_add(cs_graph *graph, const char *name, int a, int b, int *out);
CS_MUST_CHECK cs_status cs_graph_multiply(cs_graph *graph, const char *name, int image, int gate, int *out);
CS_MUST_CHECK cs_status cs_graph_concatenate(cs_graph *graph, const char *name, const int *inputs, int n_inputs,
                                             int *out);
CS_MUST_CHECK cs_status cs_graph_flatten(cs_graph *graph, const char *name, int input, int *out);
/* [C] becomes [1,1,C], [1,1,C] becomes [C]. */
CS_MUST_CHECK cs_status cs_graph_reshape(cs_graph *graph, const char *name, int input, int *out);
CS_MUST_CHECK cs_status cs_graph_dropout(cs_graph *graph, const char *name, int input, float rate, bool per_row,
                                         int *out);
CS_MUST_CHECK cs_status cs_graph_dense(cs_graph *graph, const char *name, int input, int units,
                                       cs_activation activation, int *out);

/* Sorts the layers into the order of Keras' model.layers, and their parameters with them. Every layer must lead to the
 * last one. The indexes of layers change, but a head that is a chain on top keeps its place. */
CS_MUST_CHECK cs_status cs_graph_order_as_keras(cs_graph *graph);

const char *cs_layer_kind_name(cs_layer_kind kind); /* Keras' class name, such as "Conv2D" or "BatchNormalization" */
const char *cs_dialect_name(cs_dialect dialect);    /* "keras", "torch" */
const char *cs_activation_name(cs_activation activation);
/* Is the activation a part of the loss, so that no layer may follow? */
bool cs_activation_is_last(cs_activation activation);
/* The number of classes between which a network with this last layer decides: 2 for a binary head, else one a unit. */
int cs_layer_classes(const cs_layer *last);
const char *cs_param_role_name(cs_param_role role); /* "kernel", "gamma", ... */
/* Writes "<layer>/<name>" as Keras has it to `out` (`size` bytes). The depthwise kernel of DEPTHWISE_ and
 * SEPARABLE_CONV2D is called "depthwise_kernel". */
void cs_param_name(const cs_graph *graph, const cs_param *param, char *out, size_t size);
bool cs_param_is_statistic(const cs_param *param); /* gradients do not update it */
/* Has the layer a parameter that gradients update, not only statistics? A frozen layer may have one. */
bool cs_layer_has_trainable_params(const cs_graph *graph, int layer);
bool cs_layer_is_convolution(const cs_layer *layer); /* of any kind */
/* May an engine fold a frozen batch norm that follows this layer into it? Yes for a convolution, unless its kernel is
 * so large and its image so small that a pass over its output costs almost nothing in comparison: then trials that
 * train from the batch norm on share the convolution. The answer depends on the layer alone, so that a trial's numbers
 * do not depend on the other trials of its group. */
bool cs_layer_takes_norm(const cs_graph *graph, int layer);
size_t cs_shape_count(cs_shape shape);                  /* values of one sample */
double cs_layer_macs(const cs_graph *graph, int layer); /* forward multiply-adds of one sample */

/* Finds a layer by its name. An unknown name is CS_ERR_NOT_FOUND with "did you mean". */
CS_MUST_CHECK cs_status cs_graph_find(const cs_graph *graph, const char *name, int *out);

/* Marks layers trainable or frozen. `fine_tune` is one of: "all"; "head" (the layers added on top of the architecture);
 * N, the last N layers, counted over all named layers as in Keras' model.layers[-N:] (more than there are means all; 0
 * is an error); "blocks:K", the head and the last K blocks (0, or more than there are, is an error); or the name of a
 * layer, for that layer and all after it. */
CS_MUST_CHECK cs_status cs_graph_freeze(cs_graph *graph, const char *fine_tune);
/* cs_graph_trunk_end is the end of the frozen trunk: the first layer that is trainable and has trainable parameters, or
 * an earlier dropout that drops. cs_graph_drops says whether a dropout drops: one below the head does so only if it is
 * trainable, as in Keras' base(x, training=False). */
bool cs_graph_drops(const cs_graph *graph, int layer);
int cs_graph_trunk_end(const cs_graph *graph);

/* Sets the learning-rate factors of the layers. `text` is "none" or "", for 1, or a list of NAME:FACTOR with factors of
 * 0 to 1e6, of which a later one counts for the layers that both name. NAME is one of: "head"; "blocks", all layers
 * below the head; the number of a block, from 1; the name of a layer; or the beginning of the names of several layers,
 * up to a "." or "_", such as "layer4" or "conv5_block3". "decay:D" with D above 0 and up to 1 stands for 1 in the head
 * and D^(n+1-b) in block b of n, as timm's layer_decay: D in the last block, D^(n+1) before the first. An unknown name
 * is CS_ERR_NOT_FOUND with "did you mean". */
CS_MUST_CHECK cs_status cs_graph_set_lr_factors(cs_graph *graph, const char *text);
/* CS_ERR_ARG if the text is not of that form, whatever the names. */
CS_MUST_CHECK cs_status cs_lr_factors_check(const char *text);

typedef struct cs_param_counts {
    size_t total, trainable, non_trainable;
} cs_param_counts;
cs_param_counts cs_graph_count_params(const cs_graph *graph);

/* Prints Keras' model.summary(): for each layer its name and type, output shape, number of parameters and trainable
 * mark; then the three totals. */
void cs_graph_summary(const cs_graph *graph, FILE *out);

/* Layers [begin, end) of a graph, with the values that enter and leave it. A value is named by the layer that computes
 * it. */
typedef struct cs_segment {
    const cs_graph *graph;
    int begin, end;
    int n_inputs, n_outputs;
    /* layers before `begin` that layers inside read; none if begin is 0, as the INPUT layer is then inside */
    int *inputs;
    int *outputs; /* layers inside that layers from `end` on read; also the last layer if end is n_layers */
} cs_segment;
CS_MUST_CHECK cs_status cs_segment_create(const cs_graph *graph, int begin, int end, cs_segment **out);
void cs_segment_free(cs_segment *segment); /* NULL-safe */

/* The values of all parameters of a graph, in host memory, in the layouts of cs_param. */
typedef struct cs_params {
    const cs_graph *graph; /* borrowed; must live longer than this */
    float *data;           /* graph->n_values floats */
} cs_params;
CS_MUST_CHECK cs_status cs_params_create(const cs_graph *graph, cs_params **out); /* all 0 */
void cs_params_free(cs_params *params);                                           /* NULL-safe */
/* Fills in initial values. Kernels, and torch's biases, get those of their layer's initializer, with fans as the
 * graph's dialect counts them; gammas and variances are 1, all else 0. The random numbers of a parameter are addressed
 * by (seed, layer name, role). */
void cs_params_init(cs_params *params, uint64_t seed);
float *cs_params_at(cs_params *params, const cs_param *param);

#endif
