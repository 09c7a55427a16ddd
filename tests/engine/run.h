/* SPDX-License-Identifier: Apache-2.0 */
/* A case at work: its graph, numbers and labels, compiled on a device. */
#ifndef CNNSWEEP_TESTS_ENGINE_RUN_H
#define CNNSWEEP_TESTS_ENGINE_RUN_H

#include "cases.h"

#include "cnnsweep/engine.h"
#include "device.h"
#include "test.h"

/* How a case is compiled. */
enum { RUN_ASK_NONE = -1, RUN_ASK_ALL = -2 };
typedef struct run_options {
    cs_mode mode;
    int asked;   /* the layer whose gradient the last program is asked for, or RUN_ASK_NONE or RUN_ASK_ALL */
    bool frozen; /* every layer, whatever the case says */
} run_options;

typedef struct engine_run {
    const engine_case *row;
    cs_graph *graph;
    cs_params *initial; /* random, statistics and biases too */
    float *input;       /* [batch,h,w,c] */
    int32_t *labels;    /* [batch] */
    int64_t *samples;   /* [batch], what the dropouts draw for */
    cs_draw draw;
    int classes;
    cs_engine *engine;
    cs_segment *segments[2];
    cs_program *programs[2]; /* the inference trunk where the case is cut, and behind it the one with the loss */
    int n_programs;
    int *gradients; /* [n_gradients], layers whose gradients the last program is asked for */
    int n_gradients;
    float *logits, *probabilities; /* [rows,classes], of the last run_forward */
    cs_loss loss;
} engine_run;

/* The same numbers for a case whatever the device and mode. The initial parameters are loaded. A trunk is for inference
 * whatever `mode`. */
void run_open(engine_run *run, const engine_case *row, const char *device, cs_mode mode);
void run_open_with(engine_run *run, const engine_case *row, const char *device, const run_options *options);
void run_close(engine_run *run);

cs_program *run_last(const engine_run *run);

/* Parameter values into every program. */
void run_load(engine_run *run, const cs_params *values);
/* From the last program, compiled for training; what it lacks is the initial value, or 0 in the other arrays. Free with
 * cs_params_free. */
cs_params *run_read(const engine_run *run, cs_param_array array);

/* All programs, then the loss, on the case's rows. */
void run_forward(engine_run *run);
/* run_forward and backward. */
void run_step(engine_run *run);
/* The i-th of the gradients that were asked for, of the case's rows; free it. *count is how many values it has. */
float *run_read_gradient(const engine_run *run, int i, size_t *count);

/* Every |got - want| <= tolerance * max(largest |want|, floor); otherwise the test fails, naming `what` and the place.
 * Below fp32 (test_precision) a rounding may turn a ReLU or a pool the other way: there it is the norm of the
 * difference that is held, to what run.c allows that precision. */
void assert_near(const float *got, const float *want, size_t count, double tolerance, double floor, const char *what);
/* The same, with what is allowed a gradient below fp32. */
void assert_gradient_near(const float *got, const float *want, size_t count, double tolerance, double floor,
                          const char *what);
/* ... and for every parameter tensor; the floor is a hundredth of the largest value of all. */
void assert_params_near(const cs_params *got, const cs_params *want, double tolerance, const char *what);

/* A step of a whole network: logits, and every gradient. Below fp32 roundings add up on the way, so there all gradients
 * are one long vector, and `spread` times more is allowed. (What PyTorch's bf16 autocast is off by from its own fp32 at
 * the beginning of training: 0.4 to 1.3 of that vector's norm in four networks of torchvision.) */
void assert_network_near(const engine_run *got, const engine_run *want, const cs_params *got_gradients,
                         const cs_params *want_gradients, double tolerance, double spread);

/* Every case as a test of its own: `test` finds the row in *state. */
int run_cases(const char *group, CMUnitTestFunction test);

#endif
