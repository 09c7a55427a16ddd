/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the engine room: what every engine's cs_engine and cs_program begin with. */
#ifndef CNNSWEEP_ENGINE_IMPL_H
#define CNNSWEEP_ENGINE_IMPL_H

#include "cnnsweep/engine.h"

/* First member of each engine's own struct, so that a pointer to one is a pointer to the other. */
struct cs_engine {
    const cs_engine_ops *ops;
    cs_engine_options options;
    cs_device_info device_info; /* filled by ops->open where there is a GPU, else by cs_engine_open */
    char label[32];             /* filled by cs_engine_open */
};

struct cs_program {
    const cs_engine_ops *ops;
    cs_engine *engine;
    cs_program_spec spec;
    const cs_comm *comm; /* of ranks that share the batch norms' statistics; NULL: none */
    cs_gradients_hook *hook;
    void *hook_context;
    cs_draw draw;      /* what cs_program_set_draw was given last */
    int forward_rows;  /* kept by the wrappers, 0 at first: rows of the last forward, */
    int loss_rows;     /* of the last loss; 0 again once backward has used it, */
    int backward_rows; /* and of the last backward; 0 again after the next forward */
};

struct cs_store {
    cs_engine *engine;
    cs_store_spec spec;
};

/* The layer that set_input calls input i: the segment's inputs, then INPUT layers inside it; -1 when there are fewer.
 */
int cs_program_input_layer(const cs_segment *segment, int i);
/* Does the spec ask for the gradient of this layer's output? */
bool cs_program_asks_gradient(const cs_program_spec *spec, int layer);
/* The layer whose logits the loss is taken of: the last output. */
const cs_layer *cs_program_last_layer(const cs_segment *segment);

/* What the variance of a batch of `count` values a channel is multiplied by on its way into a moving variance. */
double cs_variance_factor(const cs_layer *batch_norm, double count);

/* Is the parameter one of the bucket? */
bool cs_param_is_in_bucket(const cs_graph *graph, const cs_param *param, const cs_bucket *bucket);
/* The array that the bucket's values are in. */
cs_param_array cs_bucket_array(const cs_bucket *bucket);
/* The l2 of a kernel whose layer trains, else 0. */
double cs_param_l2(const cs_graph *graph, const cs_param *param);

/* fold.c */
/* The layer's parameter of that role; NULL when it has none. */
const cs_param *cs_layer_param(const cs_graph *graph, int layer, cs_param_role role);
/* What is behind a kernel as y = x*scale + shift, a factor and a term a channel: a bias (NULL: none) and then layer
 * `batch_norm` with its moving statistics (negative: none). */
void cs_fold(const cs_graph *graph, const cs_params *params, const cs_param *bias, int batch_norm, size_t channels,
             float *scale, float *shift);

/* The engine's word that the gradients from this layer on are complete. */
static inline cs_status cs_program_report_gradients(const cs_program *program, int layer) {
    return program->hook ? program->hook(program->hook_context, layer) : CS_OK;
}

/* dropout.c */
/* A random word keeps its value from `least` on; what is kept is multiplied by `factor`. */
typedef struct cs_dropout_rule {
    uint32_t least;
    float factor;
} cs_dropout_rule;
cs_dropout_rule cs_dropout_rule_of(const cs_layer *layer);
/* factors[i] of value i, NHWC, of a row: 0 where it is dropped, else 1/(1 - rate). */
void cs_dropout_factors(const cs_layer *layer, const cs_draw *draw, int row, float *factors);
/* The one factor of all values of a row, where the layer drops whole rows. */
float cs_dropout_row_factor(const cs_layer *layer, const cs_draw *draw, int row);

/* plugin.c: the engine for GPUs. The plug-in is looked for once in a process; what was found, or why not, stays. */
CS_MUST_CHECK cs_status cs_cuda_plugin(const cs_engine_ops **out);

extern const cs_engine_ops cs_ref_engine;
#ifdef CNNSWEEP_HAVE_ONEDNN
extern const cs_engine_ops cs_onednn_engine;
void cs_onednn_about(char *out, size_t size); /* the library's version and the instruction set that it uses */
#endif

#endif
