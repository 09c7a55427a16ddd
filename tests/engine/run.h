/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a case: its graph, numbers and labels, compiled on a device. */
#ifndef CNNSWEEP_TESTS_ENGINE_RUN_H
#define CNNSWEEP_TESTS_ENGINE_RUN_H

#include "cases.h"

#include "cnnsweep/engine.h"
#include "device.h"
#include "test.h"

/* Options for compiling a case. */
enum { RUN_ASK_NONE = -1, RUN_ASK_ALL = -2 };
typedef struct run_options {
    cs_mode mode;
    int asked;   /* the layer whose gradient the spec of the last program asks for, or RUN_ASK_NONE or RUN_ASK_ALL */
    bool frozen; /* freeze every layer, whatever the case says */
    bool guided; /* backward of the last program is guided backpropagation */
    const cs_optimizer *optimizer; /* of the updates; NULL: there are none */
} run_options;

typedef struct engine_run {
    const engine_case *row;
    cs_graph *graph;
    cs_params *initial; /* random values, also for statistics and biases */
    float *input;       /* [batch,h,w,c] */
    int32_t *labels;    /* [batch] */
    float *soft;        /* [batch,classes] soft targets, which need not add up to 1; NULL: labels only */
    cs_focal focal;     /* of run_forward; alpha 0: the cross-entropy */
    int64_t *samples;   /* [batch], sample numbers for the dropouts */
    cs_draw draw;
    int classes, outputs; /* outputs: logits in a row, which is 1 for the 2 classes of a binary head */
    cs_engine *engine;
    cs_segment *segments[2];
    cs_program *programs[2]; /* the inference trunk, if the case is cut, and the program with the loss */
    int n_programs;
    int *gradients; /* [n_gradients], layers whose gradients the spec of the last program asks for */
    int n_gradients;
    float *logits, *probabilities; /* [rows,outputs] and [rows,classes], results of the last run_forward */
    cs_loss loss;
} engine_run;

/* Opens a case with the same numbers on any device and in any mode, and loads the initial parameters. A trunk is always
 * for inference, whatever `mode` is. */
void run_open(engine_run *run, const engine_case *row, const char *device, cs_mode mode);
/* For training with updates; the optimizer is borrowed. */
void run_open_training(engine_run *run, const engine_case *row, const char *device, const cs_optimizer *optimizer);
void run_open_with(engine_run *run, const engine_case *row, const char *device, const run_options *options);
void run_close(engine_run *run);

cs_program *run_last(const engine_run *run);

/* Loads the parameter values into every program. */
void run_load(engine_run *run, const cs_params *values);
/* Reads the last program, which must be compiled for training. Parameters that it lacks have the initial value, or 0 in
 * the other arrays. To be freed with cs_params_free. */
cs_params *run_read(const engine_run *run, cs_param_array array);

/* Makes soft targets, which the following calls use. The same ones for the same case on any device. */
void run_soften(engine_run *run);

/* Runs all programs and then the loss on the case's rows. */
void run_forward(engine_run *run);
/* Runs run_forward and backward. */
void run_step(engine_run *run);
/* The i-th gradient that the spec asks for, of the case's rows. The caller frees it. *count is its number of values. */
float *run_read_gradient(const engine_run *run, int i, size_t *count);

/* Fails, with `what` and the index, unless every |got - want| <= tolerance * max(largest |want|, floor). Below fp32
 * (test_precision) rounding may change which path a ReLU or a pool takes, so there the norm of the difference is
 * compared with the limit in run.c for that precision. */
void assert_near(const float *got, const float *want, size_t count, double tolerance, double floor, const char *what);
/* The same with the limit for a gradient below fp32. */
void assert_gradient_near(const float *got, const float *want, size_t count, double tolerance, double floor,
                          const char *what);
/* The same for every parameter tensor; the floor is a hundredth of the largest value of all. */
void assert_params_near(const cs_params *got, const cs_params *want, double tolerance, const char *what);

/* Compares a step of a whole network: the logits and every gradient. Below fp32 rounding errors add up, so there all
 * gradients form one long vector, and the limit is multiplied by `spread`. (For comparison: in four networks of
 * torchvision at the beginning of training, PyTorch's bf16 autocast differs from its own fp32 by 0.4 to 1.3 of that
 * vector's norm.) */
void assert_network_near(const engine_run *got, const engine_run *want, const cs_params *got_gradients,
                         const cs_params *want_gradients, double tolerance, double spread);

const engine_case *find_engine_case(const char *name); /* fails if there is none */
/* Runs `test` once for every case. The test finds the row in *state. */
int run_cases(const char *group, CMUnitTestFunction test);

#endif
