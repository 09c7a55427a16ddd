/* SPDX-License-Identifier: Apache-2.0 */
/* How the CUDA engine runs a segment.
 *
 * The lowered operations run one after the other on the whole batch, each by a call of cuDNN's or by kernels of the
 * engine's own; backward runs them in reverse. Values and gradients share one block of memory, placed by the time they
 * are needed (memory.c): a training program keeps just the values that the backward of a reader looks at.
 *
 * Addresses never change, and what differs from step to step lies in device memory (cu_step). So forward and backward
 * are captured in CUDA graphs the second time they run, and replayed from then on: a step is a handful of calls.
 *
 * To add an operation: its functions, and a row of the table in classes.c. */
#ifndef CNNSWEEP_CUDA_PROGRAM_H
#define CNNSWEEP_CUDA_PROGRAM_H

#include "common/params.h"
#include "kernels.h"
#include "peers.h"

/* Gradients of fp16 are this many times themselves until the update, so that small ones do not vanish; where one comes
 * to more than fp16 holds, the update is left out. */
enum { CU_LOSS_SCALE_F16 = 1024 };

typedef struct cu_engine {
    cs_engine base;
    cu_device *device;
    cu_dnn *dnn;
    cu_type type;
    const cs_comm *joined; /* the ranks it was asked to sum over */
    cu_peers *peers;       /* NULL: it cannot */
} cu_engine;

/* [batch,H,W,C], in the engine's type */
typedef struct cu_tensor {
    cs_shape shape;
    size_t row; /* values */
    bool wanted;
    void *data;
} cu_tensor;

typedef struct cu_program cu_program;
typedef struct cu_op_class cu_op_class;

typedef struct cu_node {
    cu_program *program;
    const cs_op *op;
    const cu_op_class *class;             /* how it runs */
    bool accumulate[CS_LAYER_MAX_INPUTS]; /* backward adds to the input's gradient, which another reader has begun */
    bool passes_on;                       /* its output's gradient becomes that of its second input where it lies */
    cu_conv *forward, *backward_data, *backward_kernel;
    cu_tensor scratch; /* what backward_data gives, before it is added */
    cu_tensor winner;  /* max pool: bytes */
    float *bias;       /* INFER: with the batch norm folded in */
    bool batch_statistics;
    cu_norm norm;         /* BATCH_NORM, and scale and shift of SCALE */
    cu_penalty *l2;       /* of its kernel; NULL: none */
    int complete;         /* behind its backward the gradients from this layer on are complete */
    cs_param_row *params; /* [n_params] in the program's table: all in training, in inference the kernel alone */
    int n_params;
} cu_node;

/* Hands out a block of memory part by part; with `base` NULL it only measures. */
typedef struct cu_cursor {
    char *base;
    size_t used;
} cu_cursor;

struct cu_op_class {
    bool reads;                                                /* backward looks at the inputs' values */
    cs_status (*plan)(cu_node *node);                          /* what cuDNN has to be asked, and sizes of rooms */
    void (*place)(cu_node *node, cu_cursor *cursor);           /* its own device memory */
    cs_status (*load)(cu_node *node, const cs_params *params); /* what is made of parameters once they are loaded */
    cs_status (*forward)(cu_node *node);
    cs_status (*backward)(cu_node *node);
}; /* plan, place and load may be NULL */

/* What differs from step to step, on its way to the device: `step` is pinned memory, and `sent` is recorded behind the
 * copy that read it last. */
typedef struct cu_upload {
    cu_step *step;
    cu_event *sent;
} cu_upload;

/* A list for a kernel that copies rows, [batch]: numbers of a store's rows, or what is made of images. */
typedef struct cu_list {
    void *host, *device;
    cu_event *sent;
} cu_list;

/* A pass that is captured in a CUDA graph the second time it runs, and replayed from then on. */
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
    cu_tensor *values, *grads; /* one a value of `lowered` */
    cu_node *nodes;            /* one an operation */
    cu_replay forward, backward;
    size_t bytes; /* of the device */

    cs_param_table params;
    void *copy;            /* of the values, in the engine's type; NULL: fp32 reads the values themselves */
    float gradient_scale;  /* the array of gradients holds so many times the gradients */
    cu_penalty *penalties; /* kernels with l2 */
    int n_penalties;
    double penalty;          /* INFER: of the values loaded last */
    cs_status bucket_failed; /* of move_bucket, which returns no status */
    bool summing;            /* something of it is on its way to the other ranks */

    /* Device memory: values and gradients, and one block for all that stays. */
    void *arena, *block;
    cu_step *step;
    int64_t *samples;
    int32_t *labels;
    double *sums, *all_sums; /* of a batch norm at work: this rank's, and those of all ranks */
    double *row_sums;
    int *row_correct;
    float *probabilities;
    cu_loss_sums *loss;
    cu_penalty *penalties_device;
    double *penalty_room;
    void *workspace, *typed; /* of what runs just now; a kernel's gradient in the engine's type */
    float *floats;           /* what comes from or goes to the host, where the engine's type is another */
    size_t workspace_bytes, typed_bytes, staging_count;
    int most_channels;

    /* Pinned memory: one block. */
    void *pinned;
    float *staging; /* [staging_count] */
    cu_event *staged;
    cu_upload forward_upload, loss_upload, update_upload;
    cu_list pictures, keep, use;
    int64_t *samples_host;
    int32_t *labels_host;
    double *sums_host;
    float *probabilities_host;
    cu_loss_sums *loss_host;

    float *fold_scale, *fold_shift; /* [most_channels] */
};

static inline cu_program *cu_program_of(cs_program *program) {
    return (cu_program *)program;
}
/* What gradients are multiplied by from the loss to the update. */
static inline float cu_loss_scale(const cu_program *program) {
    return program->engine->type == CU_F16 ? CU_LOSS_SCALE_F16 : 1;
}
#endif
