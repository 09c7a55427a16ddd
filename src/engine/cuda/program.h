/* SPDX-License-Identifier: Apache-2.0 */
/* How the CUDA engine runs a segment.
 *
 * The lowered operations run one after the other on the whole batch, each by a call of cuDNN's or by kernels of the
 * engine's own; backward runs them in reverse. Values and gradients share one block of memory, placed by the time they
 * are needed (memory.c): a training program keeps just the values that the backward of a reader looks at.
 *
 * Addresses never change, and what differs from step to step lies in device memory (cu_step). So forward and backward
 * are recorded the second time they run, and played from then on: a step is a handful of calls.
 *
 * To add an operation: one row of the table in program.c and its functions. */
#ifndef CNNSWEEP_CUDA_PROGRAM_H
#define CNNSWEEP_CUDA_PROGRAM_H

#include "engine_impl.h"
#include "kernels.h"
#include "lower.h"
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

/* One parameter tensor, in the arenas. */
typedef struct cu_param {
    const cs_param *param;
    bool trained;
    bool matrix;   /* kernels of convolutions and dense layers: the output channel, last in a graph, comes first here */
    size_t offset; /* in floats */
} cu_param;

typedef struct cu_program cu_program;

typedef struct cu_node {
    cu_program *program;
    const cs_op *op;
    bool accumulate[CS_LAYER_MAX_INPUTS]; /* backward adds to the input's gradient, which another reader has begun */
    bool passes_on;                       /* its output's gradient becomes that of its second input where it lies */
    cu_conv *forward, *backward_data, *backward_kernel;
    cu_tensor scratch; /* what backward_data gives, before it is added */
    cu_tensor winner;  /* max pool: bytes */
    float *bias;       /* INFER: with the batch norm folded in */
    bool batch_statistics;
    cu_norm norm;   /* BATCH_NORM, and scale and shift of SCALE */
    cu_penalty *l2; /* of its kernel; NULL: none */
    int complete;   /* behind its backward the gradients from this layer on are complete */
    cu_param *params[CS_LAYER_MAX_PARAMS];
    int n_params;
} cu_node;

/* Hands out a block of memory piece by piece; with `base` NULL it only measures. */
typedef struct cu_cursor {
    char *base;
    size_t used;
} cu_cursor;
void *cu_take(cu_cursor *cursor, size_t bytes);

typedef struct cu_op_class {
    bool reads;                                                /* backward looks at the inputs' values */
    cs_status (*plan)(cu_node *node);                          /* what cuDNN has to be asked, and sizes of rooms */
    void (*place)(cu_node *node, cu_cursor *cursor);           /* its own device memory */
    cs_status (*load)(cu_node *node, const cs_params *params); /* what is made of parameters once they are loaded */
    cs_status (*forward)(cu_node *node);
    cs_status (*backward)(cu_node *node);
} cu_op_class; /* plan, place and load may be NULL */
const cu_op_class *cu_class_of(const cs_op *op);

/* What a step is told by the host: in pinned memory, with a mark behind the copy that read it last. */
typedef struct cu_mail {
    cu_step *step;
    cu_mark *sent;
} cu_mail;

/* What a copy of rows is told: [batch] numbers of a store's rows, or what is made of images. */
typedef struct cu_list {
    void *here, *there;
    cu_mark *sent;
} cu_list;

typedef struct cu_tape {
    bool warm;    /* has run once */
    bool refused; /* cannot be recorded */
    cu_recording *recording;
} cu_tape;

struct cu_program {
    cs_program base;
    cu_engine *engine;
    const cs_graph *graph;
    bool training;
    cs_lowered *lowered;
    cu_tensor *values, *grads; /* one a value of `lowered` */
    cu_node *nodes;            /* one an operation */
    cu_tape forward, backward;
    size_t bytes; /* of the device */

    /* Parameters: the trained ones first, so that an update is one kernel. */
    cu_param *params;
    int n_params;
    size_t trained_count, param_count;
    float *value, *gradient, *state[CS_OPTIMIZER_STATES];
    void *copy;            /* of `value`, in the engine's type; NULL: fp32 reads the values themselves */
    float gradient_scale;  /* what lies in `gradient` is so many times the gradient */
    cu_penalty *penalties; /* kernels with l2 */
    int n_penalties;
    double penalty;         /* INFER: of the values loaded last */
    cs_status share_failed; /* which has no way to say so */
    bool summing;           /* something of it is on its way to the other ranks */

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
    cu_penalty *penalties_there;
    double *penalty_room;
    void *workspace, *typed; /* of what runs just now; a kernel's gradient in the engine's type */
    float *floats;           /* what comes from or goes to the host, where the engine's type is another */
    size_t workspace_bytes, typed_bytes, staging_count;
    int most_channels;

    /* Pinned memory: one block. */
    void *pinned;
    float *staging; /* [staging_count] */
    cu_mark *staged;
    cu_mail forward_mail, loss_mail, update_mail;
    cu_list pictures, keep, use;
    int64_t *samples_here;
    int32_t *labels_here;
    double *sums_here;
    float *probabilities_here;
    cu_loss_sums *loss_here;

    float *fold_scale, *fold_shift; /* [most_channels] */
};

static inline cu_program *cu_program_of(cs_program *program) {
    return (cu_program *)program;
}
static inline cu_stream cu_stream_of(const cu_node *node) {
    return cu_device_stream(node->program->engine->device);
}
static inline cu_type cu_type_of(const cu_node *node) {
    return node->program->engine->type;
}
static inline const cu_tensor *cu_input(const cu_node *node, int i) {
    return &node->program->values[node->op->inputs[i]];
}
static inline const cu_tensor *cu_output(const cu_node *node) {
    return &node->program->values[node->op->output];
}
/* dx of input i: NULL where it is not wanted. */
static inline void *cu_input_grad(const cu_node *node, int i) {
    return node->program->grads[node->op->inputs[i]].data;
}
static inline const void *cu_output_grad(const cu_node *node) {
    return node->program->grads[node->op->output].data;
}
/* What gradients are multiplied by from the loss to the update. */
static inline float cu_loss_scale(const cu_program *program) {
    return program->engine->type == CU_F16 ? CU_LOSS_SCALE_F16 : 1;
}
cu_dims cu_dims_of(const cu_node *node);
int cu_pixels_a_row(const cu_tensor *tensor);
size_t cu_pixels(const cu_node *node, const cu_tensor *tensor); /* of the batch */
size_t cu_count(const cu_node *node, const cu_tensor *tensor);  /* values of the batch */
void cu_want(size_t *most, size_t bytes);

/* fuse.c. TRAIN: a sum of a batch norm, with the batch's statistics, and something else, and the ReLU behind it, become
 * one BATCH_NORM with two inputs, y = act(x*scale + shift + inputs[1]), which stands where the sum stood. */
void cu_fuse_residuals(const cs_graph *graph, cs_lowered *lowered);
static inline bool cu_has_residual(const cs_op *op) {
    return op->kind == CS_OP_BATCH_NORM && op->n_inputs == 2;
}
/* Its backward takes the slope from the output. */
static inline bool cu_asks_output(const cs_op *op) {
    return cu_has_residual(op) && op->activation != CS_ACT_LINEAR;
}

/* memory.c */
CS_MUST_CHECK cs_status cu_memory_plan(cu_program *program); /* after the operations' plans */
void cu_memory_free(cu_program *program);
/* Host floats into device memory by way of `staging`, and back: for write, fill what ready gives. */
CS_MUST_CHECK cs_status cu_staging_ready(cu_program *program, float **out);
CS_MUST_CHECK cs_status cu_staging_send(cu_program *program, float *to, size_t count);
CS_MUST_CHECK cs_status cu_send(cu_program *program, float *to, const float *from, size_t count);
CS_MUST_CHECK cs_status cu_fetch(cu_program *program, const float *from, size_t count); /* to program->staging */
CS_MUST_CHECK cs_status cu_tensor_send(cu_program *program, const cu_tensor *to, int n, const float *from);
CS_MUST_CHECK cs_status cu_tensor_fetch(cu_program *program, const cu_tensor *from, int n, float *to);
/* The mail's step, once it may be written, with what does not change filled in; and then on its way. */
CS_MUST_CHECK cs_status cu_mail_open(cu_program *program, cu_mail *mail, int n);
CS_MUST_CHECK cs_status cu_mail_send(cu_program *program, cu_mail *mail);

/* params.c */
CS_MUST_CHECK cs_status cu_params_collect(cu_program *program); /* the table, with its offsets */
CS_MUST_CHECK cs_status cu_params_allocate(cu_program *program);
void cu_params_free(cu_program *program);
CS_MUST_CHECK cs_status cu_params_load(cu_program *program, cs_slot slot, const cs_params *params);
CS_MUST_CHECK cs_status cu_params_read(cu_program *program, cs_slot slot, cs_params *params);
CS_MUST_CHECK cs_status cu_params_update(cu_program *program, const cs_optimizer *optimizer, int64_t step);
size_t cu_params_share(cu_program *program, const cs_share_part *part, float *out, const float *in);
CS_MUST_CHECK cs_status cu_params_sum(cu_program *program, const cs_share_part *part, float weight);
CS_MUST_CHECK cs_status cu_params_settle(cu_program *program);    /* before parameters or gradients are used */
cu_param *cu_node_param(const cu_node *node, cs_param_role role); /* NULL when the operation has none */
cu_param *cu_node_kernel(const cu_node *node);
float *cu_param_value(const cu_node *node, cs_param_role role);    /* NULL when the operation has none */
float *cu_param_gradient(const cu_node *node, cs_param_role role); /* NULL when it has none that is trained */
/* The host's [rows, columns] as [columns, rows]. */
void cu_transpose(size_t rows, size_t columns, const float *from, float *to);

/* store.c */
size_t cu_pictures_bytes(int batch); /* of cu_program.pictures */
size_t cu_store_room(const cs_engine *engine);
size_t cu_value_bytes(const cs_engine *engine);
CS_MUST_CHECK cs_status cu_store_open(cs_engine *engine, const cs_store_spec *spec, cs_store **out);
void cu_store_close(cs_store *base);
CS_MUST_CHECK cs_status cu_store_put(cs_store *base, const int64_t *rows, const void *bytes, int n);
CS_MUST_CHECK cs_status cu_set_pictures(cs_program *base, int i, const cs_pictures *pictures, int n);
CS_MUST_CHECK cs_status cu_keep_output(cs_program *base, int i, cs_store *to, const int64_t *rows, int n);
CS_MUST_CHECK cs_status cu_use_output(cs_program *base, int i, const cs_store *from, const int64_t *rows, int n);

/* The operations. */
extern const cu_op_class cu_conv_class, cu_depthwise_class, cu_batch_norm_class, cu_activation_class, cu_max_pool_class,
    cu_average_pool_class, cu_global_average_class, cu_zero_pad_class, cu_add_class, cu_multiply_class,
    cu_concatenate_class, cu_reshape_class, cu_scale_class, cu_dropout_class;

#endif
