/* SPDX-License-Identifier: Apache-2.0 */
/* How the oneDNN engine runs a segment.
 *
 * The lowered operations are grouped into stages. A batch norm in training needs the statistics of the whole batch
 * before it can continue, so it ends a stage. All operations between two such barriers run chunk by chunk (a few rows
 * at a time), so that the output of one operation is still in the cache when the next one reads it. In training a
 * normalised activation is not even kept: backward computes it again from the convolution's output, one chunk at a
 * time, which takes less time than writing it to memory and reading it back. The backward stages are the forward stages
 * in reverse.
 *
 *     forward stage    [normalise k] [convolution k+1] [moments k+1]                          | barrier: mean, variance
 *     backward stage   [normalise k] [normalise' k+1] [convolution' k+1] [reduce k]           | barrier: dgamma, dbeta
 *
 * Spatial tensors are blocked (nChw16c with AVX-512, else nChw8c), because this is the only layout for which every
 * oneDNN version has its fast training kernels.
 *
 * In inference the bits of a row must not depend on its position in the batch, on the other rows or on their number:
 * groups, the trunk's cache and the features file rely on that. oneDNN's convolutions and pools have this property,
 * because each output is one running sum over the input channels. Its inner products do not: without AVX-512 they call
 * a gemm that sums the last rows of a batch in another order than the others, and with AVX-512 they split the sum among
 * the threads from some number of rows on. In inference a product of rows and a kernel is therefore a 1x1 convolution
 * of one image whose pixels are the rows (dense.c), which is also faster. A convolution that oneDNN only implements
 * with a gemm (SSE4.1 and a number of outputs that is no multiple of 8) is executed for one row at a time;
 * od_sums_alike recognises it by the implementation's name. The Winograd algorithm is the same for any number of rows
 * (winograd_plan, api.c). tests/engine/test_engine_rows.c checks this for every architecture.
 *
 * To add an operation, write its functions and add a row to the table in classes.c. */
#ifndef CNNSWEEP_ONEDNN_PROGRAM_H
#define CNNSWEEP_ONEDNN_PROGRAM_H

#include "api.h"
#include "common/loss_term.h"
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
    OD_PLANAR,  /* nchw: an image of 1 or 3 channels that a convolution reads */
    OD_FLAT     /* [rows, C] */
} od_layout;

typedef struct od_tensor {
    cs_shape shape;
    od_layout layout;
    size_t row;   /* floats in a row */
    bool scratch; /* has memory for one chunk; else for all rows */
    bool wanted;
    float *data;
} od_tensor;

/* The rows on which a step works. Convolutions compute all `size` rows. The rows from `active` on hold stale values in
 * forward; backward clears them first. */
typedef struct od_rows {
    int first;
    int index; /* number of the chunk */
    int size;
    int active;
} od_rows;

/* A oneDNN primitive and the arguments of each of its executions. */
enum { OD_MAX_ARGS = 6 };
typedef struct od_call {
    od_primitive primitive;
    int rows; /* rows of one execution: a whole chunk, or one row (od_sums_alike) */
    int executions, n_args;
    dnnl_exec_arg_t (*args)[OD_MAX_ARGS]; /* [executions] */
} od_call;

typedef struct od_program od_program;
typedef struct od_node od_node;
typedef struct od_op_class od_op_class;
typedef cs_status (*od_run)(od_node *node, const od_rows *rows);

/* The layout of an operation's kernel in the arrays of parameters. Other parameters have the layout of cs_params. */
typedef struct od_kernel_layout {
    const od_primitive *primitive; /* the layout is that of its tensor `tensor`; NULL: `desc` is the layout */
    dnnl_query_t tensor;
    od_desc desc; /* if its rank is 0, the layout is that of cs_params */
    int inputs;   /* convolutions: input channels, including those that are added as zeros; 0: none is added */
    bool matrix;  /* [I, O] of an inner product; else the kernel of a convolution */
} od_kernel_layout;

/* A kernel in the layout that a primitive needs: the parameter itself, or a copy that is refreshed after every
 * update. */
typedef struct od_weights {
    float *data;
    float *owned; /* the copy; NULL if `data` is the parameter */
    od_primitive reorder;
    dnnl_memory_t from, to;
} od_weights;

/* A batch norm computes y = act(scale*x + shift), and its backward dx = scale*dz + p*x + q. */
typedef struct od_norm {
    bool batch_statistics;
    float *scale, *shift, *p, *q, *mean, *inverse; /* [lanes], one allocation at `scale` */
    double *partial;                               /* [rows, 2, lanes] */
    double *sums;  /* [2*C + 1]: `partial` summed over the rows, and the number of values in a channel */
    float *copies; /* [3, rows, lanes], blocked copies of flat tensors */
} od_norm;

struct od_node {
    od_program *program;
    const cs_op *op;
    const od_op_class *class;    /* how it runs */
    int first_stage, last_stage; /* stages of its forward steps; a batch norm with batch statistics has two */
    int chunk;                   /* rows in a chunk of those stages */
    od_tensor input_grads[CS_LAYER_MAX_INPUTS]; /* the tensors that backward writes; !wanted: no gradient is needed */
    bool accumulate[CS_LAYER_MAX_INPUTS];       /* backward adds the tensor to the input's gradient */
    od_call forward, backward_data, backward_weights;
    od_kernel_layout kernel_layout;
    od_weights forward_kernel, backward_kernel; /* kernels for forward and for backward_data */
    float *bias_scratch;                        /* the bias gradient of a later chunk */
    float *folded_bias;                         /* INFER: the bias into which the batch norm is folded */
    od_norm norm;
    void *workspace;      /* max pool: the index of each maximum, for every chunk */
    float *factors;       /* dropout: the factors of one row, in two layouts */
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
    int complete; /* backward: after this stage the gradients from this layer on are complete */
} od_stage;

struct od_op_class {
    cs_status (*plan)(od_node *node); /* creates the primitives; may be NULL */
    cs_status (*bind)(od_node *node); /* creates the arguments after memory has been allocated; may be NULL */
    cs_status (*load)(od_node *node, const cs_params *params); /* INFER: uses the loaded parameters; may be NULL */
    cs_status (*refresh)(od_node *node); /* TRAIN: called after the parameters have changed; may be NULL */
    od_run forward, backward;
};

/* A kernel whose units have a largest norm. */
typedef struct od_constraint {
    const cs_param_row *row;
    cs_max_norm norm;
    int32_t *unit;   /* [row->count] which unit a value of the engine's layout belongs to; units: to none, as padding */
    double *factors; /* [units+1] */
} od_constraint;

struct od_program {
    cs_program base;
    od_engine *engine;
    const cs_graph *graph;
    bool training;
    cs_lowered *lowered;
    int rows;                  /* the batch size, rounded up to whole chunks */
    od_tensor *values, *grads; /* one for each value of `lowered` */
    od_node *nodes;            /* one for each operation */
    od_stage *forward, *backward;
    int n_stages;
    float *arena, *scratch;
    size_t arena_count, scratch_count;
    cs_param_table params;
    cs_update_plan update;
    od_constraint *constraints; /* [n_constraints] */
    int n_constraints;
    float *staging;          /* one kernel in Keras' layout, for load and read */
    float *gradient_scratch; /* the gradient of one parameter for a later chunk */
    size_t other_bytes;      /* bytes of workspaces and kernel copies */
    double *probabilities;   /* probabilities of one row */
    cs_term *terms;          /* terms of its loss */
    double penalty;          /* INFER: the penalty of the values that were loaded last */
};

static inline od_program *od_program_of(cs_program *program) {
    return (od_program *)program;
}

#endif
