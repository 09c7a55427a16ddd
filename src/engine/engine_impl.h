/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions that all engines share: the first members of every engine's cs_engine and cs_program. */
#ifndef CNNSWEEP_ENGINE_IMPL_H
#define CNNSWEEP_ENGINE_IMPL_H

#include "cnnsweep/engine.h"

/* These structs are the first member of each engine's own struct, so that a pointer can be cast from one to the
 * other. */
struct cs_engine {
    const cs_engine_ops *ops;
    cs_engine_options options;
    cs_device_info device_info; /* filled by ops->open for a GPU, else by cs_engine_open */
    char label[32];             /* filled by cs_engine_open */
};

struct cs_program {
    const cs_engine_ops *ops;
    cs_engine *engine;
    cs_program_spec spec;
    const cs_comm *comm; /* ranks that share the statistics of batch norms; NULL: none */
    cs_gradients_hook *hook;
    void *hook_context;
    cs_draw draw; /* the argument of the last cs_program_set_draw */
    /* The functions of engine.c set these, at first to 0, to check the order of calls. */
    int forward_rows;  /* rows of the last forward */
    int loss_rows;     /* rows of the last loss; 0 after backward has used it */
    int backward_rows; /* rows of the last backward; 0 after the next forward */
};

struct cs_store {
    cs_engine *engine;
    cs_store_spec spec;
};

/* The layer that is input i for set_input: first the segment's inputs, then the INPUT layers inside it. Returns -1 if
 * there are fewer. */
int cs_program_input_layer(const cs_segment *segment, int i);
/* Has a program of this spec that array? */
bool cs_program_has_array(const cs_program_spec *spec, cs_param_array array);
/* Does the spec ask for the gradient of this layer's output? */
bool cs_program_asks_gradient(const cs_program_spec *spec, int layer);
/* The layer whose output holds the logits for the loss: the last output. */
const cs_layer *cs_program_last_layer(const cs_segment *segment);

/* The factor on the variance of `count` values for each channel, before it enters the moving variance. */
double cs_variance_factor(const cs_layer *batch_norm, double count);

/* Does the parameter belong to the bucket? */
bool cs_param_is_in_bucket(const cs_graph *graph, const cs_param *param, const cs_bucket *bucket);
/* The array that holds the values of the bucket. */
cs_param_array cs_bucket_array(const cs_bucket *bucket);
/* A kernel of a trainable layer adds sum(l1*|w| + l2*w^2) to the loss, and l1*sign(w) + 2*l2*w to its gradient, where
 * the sign of 0 is 0 (Keras). Other parameters have no penalty. */
typedef struct cs_penalty {
    double l1, l2;
} cs_penalty;
cs_penalty cs_param_penalty(const cs_graph *graph, const cs_param *param);
/* A kernel of a trainable layer may have a largest norm for the weights of each unit (output channel): value i, as in
 * cs_params, belongs to unit i % units. */
typedef struct cs_max_norm {
    double limit; /* 0: none */
    int units;
} cs_max_norm;
cs_max_norm cs_param_max_norm(const cs_graph *graph, const cs_param *param);
static inline double cs_sign(double w) {
    return (double)((w > 0) - (w < 0));
}

/* fold.c */
/* The layer's parameter with that role; NULL if it has none. */
const cs_param *cs_layer_param(const cs_graph *graph, int layer, cs_param_role role);
/* Writes what follows a kernel as y = x*scale + shift, with a factor and a summand for each channel. This is the bias
 * (NULL: none) and then the batch norm of layer `batch_norm` with its moving statistics (negative: none). */
void cs_fold(const cs_graph *graph, const cs_params *params, const cs_param *bias, int batch_norm, size_t channels,
             float *scale, float *shift);

/* Reports to the caller's hook that the gradients from this layer on are complete. */
static inline cs_status cs_program_report_gradients(const cs_program *program, int layer) {
    return program->hook ? program->hook(program->hook_context, layer) : CS_OK;
}

/* dropout.c */
/* A value is kept if its random word is at least `least`; kept values are multiplied by `factor`. */
typedef struct cs_dropout_rule {
    uint32_t least;
    float factor;
} cs_dropout_rule;
cs_dropout_rule cs_dropout_rule_of(const cs_layer *layer);
/* Sets factors[i] for value i (NHWC) of a row: 0 if the value is dropped, else 1/(1 - rate). */
void cs_dropout_factors(const cs_layer *layer, const cs_draw *draw, int row, float *factors);
/* The factor that all values of a row share, for a layer that drops whole rows. */
float cs_dropout_row_factor(const cs_layer *layer, const cs_draw *draw, int row);

/* plugin.c: the engine for GPUs. Only the first call in a process searches for the plug-in; later calls return the same
 * result. */
CS_MUST_CHECK cs_status cs_cuda_plugin(const cs_engine_ops **out);

extern const cs_engine_ops cs_ref_engine;
#ifdef CNNSWEEP_HAVE_ONEDNN
extern const cs_engine_ops cs_onednn_engine;
void cs_onednn_about(char *out, size_t size); /* the library's version and the instruction set that it uses */
#endif

#endif
