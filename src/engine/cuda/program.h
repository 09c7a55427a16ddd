/* SPDX-License-Identifier: Apache-2.0 */
/* How the CUDA engine runs a segment.
 *
 * The lowered operations run one after the other on the whole batch. Each calls cuDNN or kernels of the engine's own;
 * backward runs them in reverse. Values and gradients share one arena: two tensors that are not needed at the same time
 * may use the same memory (memory.c). A training program keeps only the values that the backward of an operation reads.
 *
 * Addresses never change, and everything that differs from step to step is in device memory (cu_step). So forward and
 * backward are captured in CUDA graphs the second time they run, and replayed from then on. A step then needs only a
 * few calls.
 *
 * To add an operation, write its functions and add a row to the table in classes.c. */
#ifndef CNNSWEEP_CUDA_PROGRAM_H
#define CNNSWEEP_CUDA_PROGRAM_H

#include "common/params.h"
#include "kernels.h"
#include "peers.h"

/* Loss scale of fp16: gradients are multiplied by this until the update, so that small ones do not vanish. If a scaled
 * gradient exceeds the range of fp16, the update is skipped. */
enum { CU_LOSS_SCALE_F16 = 1024 };

typedef struct cu_engine {
    cs_engine base;
    cu_device *device;
    cu_dnn *dnn;
    cu_type type;
    const cs_comm *joined; /* the argument of the last join */
    cu_peers *peers;       /* NULL: the engine cannot sum over these ranks */
} cu_engine;

/* A tensor [batch,H,W,C] in the engine's type. */
typedef struct cu_tensor {
    cs_shape shape;
    size_t row; /* values in a row */
    bool wanted;
    void *data;
} cu_tensor;

typedef struct cu_program cu_program;
typedef struct cu_op_class cu_op_class;

typedef struct cu_node {
    cu_program *program;
    const cs_op *op;
    const cu_op_class *class; /* how it runs */
    /* Backward adds to the input's gradient, because another reader has written it before. */
    bool accumulate[CS_LAYER_MAX_INPUTS];
    bool passes_on; /* its output's gradient becomes, in place, the gradient of its second input */
    cu_conv *forward, *backward_data, *backward_kernel;
    cu_tensor scratch; /* the result of backward_data before it is added to a gradient */
    cu_tensor argmax;  /* max pool: the index of each maximum, one byte each */
    float *bias;       /* INFER: the bias into which the batch norm is folded */
    bool batch_statistics;
    cu_norm norm;         /* BATCH_NORM, and scale and shift of SCALE */
    cu_penalty *penalty;  /* of its kernel; NULL: none */
    int complete;         /* after its backward the gradients from this layer on are complete */
    cs_param_row *params; /* [n_params] in the program's table; in inference only the kernel */
    int n_params;
} cu_node;

/* Divides a block of memory into consecutive parts. With `base` NULL it only measures how much is needed. */
typedef struct cu_cursor {
    char *base;
    size_t used;
} cu_cursor;

struct cu_op_class {
    bool reads;                                      /* backward reads the values of the inputs */
    cs_status (*plan)(cu_node *node);                /* makes plans of cuDNN and computes buffer sizes */
    void (*place)(cu_node *node, cu_cursor *cursor); /* places its own device memory */
    /* Computes data that depends on parameters, after a load. */
    cs_status (*load)(cu_node *node, const cs_params *params);
    cs_status (*forward)(cu_node *node);
    cs_status (*backward)(cu_node *node);
}; /* plan, place and load may be NULL */

/* Data of a step that is copied to the device: `step` is pinned memory, and `sent` is recorded after the last copy from
 * it. */
typedef struct cu_upload {
    cu_step *step;
    cu_event *sent;
} cu_upload;

/* An array [batch] that a kernel reads: row numbers of a store, or descriptions of images. */
typedef struct cu_list {
    void *host, *device;
    cu_event *sent;
} cu_list;

/* A forward or backward pass. It is captured in a CUDA graph the second time it runs, and replayed from then on. */
typedef struct cu_replay {
    bool warm;    /* has run once */
    bool refused; /* cannot be captured */
    cu_capture *capture;
} cu_replay;

struct cu_program {
    cs_program base;
    cu_engine *engine;
    const cs_graph *graph;
    bool training;
    cs_lowered *lowered;
    cu_tensor *values, *grads; /* one for each value of `lowered` */
    cu_node *nodes;            /* one for each operation */
    cu_replay forward, backward;
    size_t bytes; /* bytes of device memory */

    cs_param_table params;
    cs_update_plan update;
    void *copy;            /* the values in the engine's type; NULL: fp32 reads the values themselves */
    float gradient_scale;  /* the array of gradients contains the gradients times this */
    cu_penalty *penalties; /* [n_penalties+n_norms] kernels with a penalty; the spans of updates whose norms count */
    int n_penalties, n_norms;
    double penalty;          /* INFER: the penalty of the values that were loaded last */
    cs_status bucket_failed; /* status of move_bucket, which does not return one */
    bool summing;            /* a sum over ranks may still be running */

    /* Device memory: `arena` for values and gradients, and `block` for everything that is kept. */
    void *arena, *block;
    cu_step *step;
    int64_t *samples;
    int32_t *labels;
    float *soft;             /* soft targets [batch,classes] */
    double *sums, *all_sums; /* sums of the batch norm that runs: of this rank, and of all ranks */
    double *row_sums;
    int *row_correct;
    float *probabilities;
    cu_loss_sums *loss;
    cu_penalty *penalties_device;
    double *penalty_scratch;
    double *norms[2]; /* [n_norms] the squared norms of spans: of their values, and of their gradients or changes */
    void *workspace, *typed; /* workspace of the operation that runs; gradient of a kernel in the engine's type */
    uint8_t *sweeps;         /* what the sweeps of pictures make */
    float *floats;           /* data from or for the host, if the engine's type is not fp32 */
    size_t workspace_bytes, typed_bytes, staging_count;
    int most_channels;

    /* Pinned memory, allocated as one block. */
    void *pinned;
    float *staging; /* [staging_count] */
    cu_event *staged;
    cu_upload forward_upload, loss_upload;
    cu_list pictures, keep, use;
    int64_t *samples_host;
    int32_t *labels_host;
    float *soft_host;
    double *sums_host;
    float *probabilities_host;
    cu_loss_sums *loss_host;

    float *fold_scale, *fold_shift; /* [most_channels] */
};

static inline cu_program *cu_program_of(cs_program *program) {
    return (cu_program *)program;
}
/* The classes of the loss; 0 if the program has none. */
static inline int cu_classes_of(const cu_program *program) {
    const cs_layer *last = cs_program_last_layer(program->base.spec.segment);
    return last->out.flat ? cs_layer_classes(last) : 0;
}
/* The loss scale: gradients are multiplied by it from the loss to the update. */
static inline float cu_loss_scale(const cu_program *program) {
    return program->engine->type == CU_F16 ? CU_LOSS_SCALE_F16 : 1;
}
#endif
