/* SPDX-License-Identifier: Apache-2.0 */
/* How the oneDNN engine runs a segment.
 *
 * The lowered operations are put into stages. A batch norm that trains needs the statistics of the whole batch before
 * it can go on, so it ends a stage; everything between two such barriers runs chunk by chunk (a few rows at a time), so
 * that what one operation writes is still in the cache when the next one reads it. In training a normalised activation
 * is not even kept: the backward pass computes it again from the convolution's output, a chunk at a time, which costs
 * less than writing it to memory and reading it back. The backward stages are the forward ones in reverse.
 *
 *     forward stage    [normalise k] [convolution k+1] [moments k+1]                          | barrier: mean, variance
 *     backward stage   [normalise k] [normalise' k+1] [convolution' k+1] [reduce k]           | barrier: dgamma, dbeta
 *
 * Spatial tensors are blocked (nChw16c with AVX-512, else nChw8c): the only layout that every oneDNN version trains in
 * with its fast kernels.
 *
 * In inference the bits of a row must not depend on its place in the batch, the rows beside it or their number: groups,
 * the trunk's cache and the features file all stand on that. oneDNN's convolutions and pools keep to it, as each output
 * is one running sum over the input channels. Its inner products do not: without AVX-512 they hand the matrices to a
 * gemm that sums the last rows of a batch in another order than the others, and with AVX-512 the sum is split among the
 * threads from some number of rows on. In inference a product of rows and a kernel is therefore a 1x1 convolution of
 * one image whose pixels are the rows (dense.c), which is also faster. Where a convolution has no kernel but a gemm
 * (SSE4.1 and a number of outputs that is no multiple of 8) it is executed for one row at a time: od_sums_alike tells
 * by the implementation's name. Winograd's form is the same for any number of rows (winograd_plan, api.c).
 * tests/engine/test_engine_rows.c holds every architecture to all this.
 *
 * To add an operation: its functions, and a row of the table in classes.c. */
#ifndef CNNSWEEP_ONEDNN_PROGRAM_H
#define CNNSWEEP_ONEDNN_PROGRAM_H

#include "api.h"
#include "common/params.h"
#include "kernels.h"

enum { OD_LARGEST_CHUNK = 32 }; /* rows */

typedef struct od_engine {
    cs_engine base;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    const od_kernels *kernels;
} od_engine;

typedef enum od_layout {
    OD_BLOCKED, /* nChw{B}c */
    OD_PLANAR,  /* nchw: an image of up to 3 channels in front of a convolution */
    OD_FLAT     /* [rows, C] */
} od_layout;

typedef struct od_tensor {
    cs_shape shape;
    od_layout layout;
    size_t row;   /* floats a row */
    bool scratch; /* holds one chunk; else all rows */
    bool wanted;
    float *data;
} od_tensor;

/* The rows a step works on. Convolutions compute all `size` of them; the rows at and after `active` hold stale values
 * in forward; backward clears them first. */
typedef struct od_rows {
    int first;
    int index; /* of the chunk */
    int size;
    int active;
} od_rows;

/* A oneDNN primitive with its arguments for each of its executions. */
enum { OD_MAX_ARGS = 6 };
typedef struct od_call {
    od_primitive primitive;
    int rows; /* of one execution: a whole chunk, or one (od_sums_alike) */
    int executions, n_args;
    dnnl_exec_arg_t (*args)[OD_MAX_ARGS]; /* [executions] */
} od_call;

typedef struct od_program od_program;
typedef struct od_node od_node;
typedef struct od_op_class od_op_class;
typedef cs_status (*od_run)(od_node *node, const od_rows *rows);

/* How an operation's kernel lies in the arrays of parameters; its other parameters lie as in cs_params. */
typedef struct od_kernel_layout {
    const od_primitive *primitive; /* which decides the layout, */
    dnnl_query_t tensor;           /* by that of this tensor of it; or NULL: */
    od_desc desc;                  /* this one, or if its rank is 0 the layout of cs_params */
    int inputs;  /* convolutions: input channels with those that are added as zeros; 0: none is added */
    bool matrix; /* [I, O] of an inner product; else a convolution's */
} od_kernel_layout;

/* A kernel in the layout that a primitive wants: the parameter itself, or a copy refreshed after every update. */
typedef struct od_weights {
    float *data;
    float *owned; /* the copy; NULL when `data` is the parameter */
    od_primitive reorder;
    dnnl_memory_t from, to;
} od_weights;

/* Batch norm as y = act(scale*x + shift), and its backward as dx = scale*dz + p*x + q. */
typedef struct od_norm {
    bool batch_statistics;
    float *scale, *shift, *p, *q, *mean, *inverse; /* [lanes], one allocation at `scale` */
    double *partial;                               /* [rows, 2, lanes] */
    double *sums;                                  /* [2*C + 1] of `partial` over the rows, and the values a channel */
    float *copies;                                 /* [3, rows, lanes], of flat tensors */
} od_norm;

struct od_node {
    od_program *program;
    const cs_op *op;
    const od_op_class *class;                   /* how it runs */
    int first_stage, last_stage;                /* of its forward steps: a batch norm with batch statistics has two */
    int chunk;                                  /* rows of a chunk of those stages */
    od_tensor input_grads[CS_LAYER_MAX_INPUTS]; /* where backward writes; !wanted: no gradient is needed */
    bool accumulate[CS_LAYER_MAX_INPUTS];       /* ... and is then added to the input's gradient */
    od_call forward, backward_data, backward_weights;
    od_kernel_layout kernel_layout;
    od_weights forward_kernel, backward_kernel; /* for forward, and for backward_data */
    float *bias_scratch;                        /* a later chunk's bias gradient */
    float *folded_bias;                         /* INFER: bias with the batch norm folded in */
    od_norm norm;
    void *workspace;      /* max pool: which element won, for every chunk */
    float *factors;       /* dropout: of one row, twice */
    cs_param_row *params; /* [n_params] in the program's table */
    int n_params;
};

typedef struct od_step {
    od_run run;
    od_node *node;
} od_step;

typedef struct od_stage {
    int chunk;
    int n_steps;
    od_step *steps;
    cs_status (*finish)(od_node *node, int n); /* the barrier; may be NULL */
    od_node *finish_node;
    int complete; /* backward: behind it the gradients from this layer on are complete */
} od_stage;

struct od_op_class {
    cs_status (*plan)(od_node *node);                          /* primitives; may be NULL */
    cs_status (*bind)(od_node *node);                          /* arguments, once memory is there; may be NULL */
    cs_status (*load)(od_node *node, const cs_params *params); /* INFER: takes the parameters; may be NULL */
    cs_status (*refresh)(od_node *node);                       /* TRAIN: the parameters have changed; may be NULL */
    od_run forward, backward;
};

struct od_program {
    cs_program base;
    od_engine *engine;
    const cs_graph *graph;
    bool training;
    cs_lowered *lowered;
    int rows;                  /* the batch, rounded up to whole chunks */
    od_tensor *values, *grads; /* one a value of `lowered` */
    od_node *nodes;            /* one an operation */
    od_stage *forward, *backward;
    int n_stages;
    float *arena, *scratch;
    size_t arena_count, scratch_count;
    cs_param_table params;
    float *staging;          /* one kernel in Keras' layout, for load and read */
    float *gradient_scratch; /* a later chunk's gradient of one parameter */
    size_t other_bytes;      /* workspaces, kernel copies */
    double *probabilities;   /* of one row */
    double penalty;          /* INFER: of the values loaded last */
};

static inline od_program *od_program_of(cs_program *program) {
    return (od_program *)program;
}

#endif
