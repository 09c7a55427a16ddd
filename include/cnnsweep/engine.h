/* SPDX-License-Identifier: Apache-2.0 */
/* Engines: a segment of a graph, a batch size and a mode are compiled into a program with its memory planned.
 *
 * The interface is a struct of function pointers (cs_engine_ops), one per engine; cs_engine_* below check arguments
 * and delegate. Forward, loss, backward and update allocate nothing. A program is used by one thread at a time.
 *
 * Modes. INFER: batch norm uses its moving statistics and is folded into the convolution before it where
 * cs_layer_takes_norm lets it; no backward. TRAIN: trainable batch norms use batch statistics (and move the moving
 * ones), frozen ones the moving statistics (Keras' rule); backward and update are available for the trainable
 * parameters. A dropout drops where cs_graph_drops says so.
 *
 * Rows. A program is compiled for `batch` rows; every call works on the first `n` <= batch of them, and the result is
 * that of a batch of exactly n (batch statistics included). What INFER makes of a row depends on that row alone, bit
 * for bit, wherever it stands in the batch; and so many bits as a float has go from layer to layer there, so that it
 * makes no difference where a network is cut into segments.
 *
 * Ranks. A batch may be shared by ranks, each with a program of its own for some of its rows. Gradients are of the mean
 * over a program's own n rows; those of the whole batch, of N rows, are the sum over ranks of n/N times them (an l2
 * penalty, which every rank has whole, included). cs_program_on_gradients says when gradients are complete.
 * Ranks sum them in buckets. cs_program_allreduce does this where the engine can sum over ranks by itself
 * (cs_engine_join); otherwise the caller reads a bucket (cs_program_read_bucket), sums it and loads the sum.
 *
 * Stores. An engine with a memory of its own keeps rows of bytes there by number: images, of which it makes a program's
 * input itself, and rows of outputs. The numbers are those of set_input and set_output, bit by bit.
 *
 * To add an engine: a folder here, a cs_engine_ops, a row in src/engine/devices.c. */
#ifndef CNNSWEEP_ENGINE_H
#define CNNSWEEP_ENGINE_H

#include "cnnsweep/comm.h"
#include "cnnsweep/graph.h"
#include "cnnsweep/optimizer.h"
#include "cnnsweep/picture.h"

#include <stdio.h>

typedef struct cs_engine cs_engine;   /* an open engine: threads, device, streams */
typedef struct cs_program cs_program; /* a compiled segment */

typedef enum cs_mode { CS_MODE_INFER, CS_MODE_TRAIN } cs_mode;

/* The arrays that a program keeps of its parameters. */
typedef enum cs_param_array {
    CS_ARRAY_VALUE,    /* the parameters themselves, moving statistics included */
    CS_ARRAY_GRADIENT, /* of the mean loss over the last n rows; 0 for statistics and frozen parameters */
    CS_ARRAY_STATE, /* CS_ARRAY_STATE + i: the optimizer's i-th state (SGD: velocity; Adam: first and second moment) */
    CS_ARRAY_COUNT = CS_ARRAY_STATE + CS_OPTIMIZER_STATES
} cs_param_array;

/* Of what flows between layers and into products; parameters, statistics, sums and losses are fp32 or more in all.
 * tf32: products take the first 10 bits of fp32's 23. */
typedef enum cs_precision {
    CS_PRECISION_FP32,
    CS_PRECISION_TF32,
    CS_PRECISION_BF16,
    CS_PRECISION_FP16,
    CS_PRECISION_COUNT
} cs_precision;
const char *cs_precision_name(cs_precision precision); /* "fp32", ... */

typedef struct cs_engine_options {
    int threads; /* CPU threads of this rank, >= 1 */
    /* Of a GPU; an engine of the CPU refuses a precision other than fp32. */
    cs_precision precision;
    bool autotune;      /* times what could run a convolution, rather than ask for advice */
    bool deterministic; /* nothing whose sums come in any order, and no clock: the same bits on the same machine */
    int local_rank, local_ranks; /* this one of the ranks of its node (0 of 0: alone): which GPU is its own */
    const char *plan_cache;      /* a folder where plans of convolutions are kept, or NULL; to be copied in open */
} cs_engine_options;

/* Where an engine computes. */
typedef struct cs_device_info {
    int gpus;        /* that this process sees; 0: on the CPU */
    char gpu[32];    /* which of the machine's it has, however many this process sees */
    char text[2048]; /* the GPU, or why it is none; "" where nothing is to be told */
} cs_device_info;

typedef struct cs_program_spec {
    const cs_segment *segment; /* borrowed: must outlive the program */
    int batch;                 /* largest number of rows */
    cs_mode mode;
    cs_program *upstream; /* whose outputs are this segment's inputs (same order), in place; NULL: set_input */
    bool resumable; /* TRAIN: read gives all that stays from step to step, as ref keeps doubles otherwise: a program
                     * that is loaded with it goes on bit by bit like this one */
    /* TRAIN: layers of the segment, or inputs of it, whose outputs cs_program_get_gradient gives the gradients of. What
     * is frozen passes gradients on, too. Borrowed: must outlive the program. */
    const int *gradients;
    int n_gradients;
} cs_program_spec;

/* What the dropouts of a TRAIN program are drawn from. Value i, in NHWC order, of row r is kept when word i of the
 * stream (seed, CS_PURPOSE_DROPOUT, epoch, samples[r]) of that layer is at least rate * 2^32; the layer's seed is
 * `seed` with cs_hash_name(layer name) added to its upper half. So a sample is dropped alike in any batch, group or
 * rank. */
typedef struct cs_draw {
    uint64_t seed;
    uint32_t epoch;
    const int64_t *samples; /* [n] index in the split, borrowed until the next call */
} cs_draw;

/* Called in backward, with layers in descending order and at last the segment's first: the gradients of all trainable
 * parameters of the segment from this layer on are complete. A failure ends backward. */
typedef cs_status cs_gradients_hook(void *context, int layer);

/* Values that ranks that share a batch sum with one allreduce after backward. */
typedef enum cs_bucket_kind {
    CS_BUCKET_GRADIENTS, /* of the trainable parameters */
    CS_BUCKET_STATISTICS /* the moving ones of batch norms that train */
} cs_bucket_kind;
typedef struct cs_bucket {
    cs_bucket_kind kind;
    int begin, end; /* of the layers [begin, end) of the segment */
} cs_bucket;

typedef struct cs_loss {
    double penalty; /* of the trainable kernels with l2: added to the mean loss; backward has its gradient too */
    double sum;     /* cross-entropy summed over rows, nats */
    int correct;    /* rows whose largest logit is the label's; the first of equals counts */
} cs_loss;

/* Rows of bytes at the engine. */
typedef struct cs_store cs_store;
typedef struct cs_store_spec {
    int64_t rows;
    size_t row_bytes;
    int most; /* rows that one put brings; 0: rows come from programs alone */
} cs_store_spec;

/* A batch of images that lie in a store as [h,w,3] each, the size of the input: pixels, changed as `changes` say,
 * become x[c] = pixel[bgr ? 2-c : c]*multiply[c] + add[c]. */
typedef struct cs_pictures {
    const cs_store *store;
    const int64_t *rows;       /* [n] in the store */
    const cs_picture *changes; /* [n] */
    cs_preprocess preprocess;
} cs_pictures;

typedef struct cs_engine_ops {
    const char *name; /* "ref", "onednn", ... */
    const char *doc;
    cs_status (*open)(const cs_engine_options *options, cs_engine **out);
    void (*close)(cs_engine *engine);
    /* May this layer be compiled in this mode? If not, `why` says so. (Absent: everything in cs_layer_kind.) */
    bool (*supports)(const cs_engine *engine, const cs_layer *layer, cs_mode mode, const char **why); /* optional */
    cs_status (*compile)(cs_engine *engine, const cs_program_spec *spec, cs_program **out);
    void (*release)(cs_program *program);
    /* Host <-> program, only the parameters of the program's layers; others in `params` are left alone. INFER programs
     * take values (and may keep them folded) but do not give them back: read is for TRAIN. */
    cs_status (*load)(cs_program *program, cs_param_array array, const cs_params *params);
    cs_status (*read)(cs_program *program, cs_param_array array, cs_params *params);
    /* Input i and output i of the segment as [n,H,W,C] (or [n,C]) host floats. Inputs are set before each forward: a
     * program may use their memory for something else once it has read them. */
    cs_status (*set_input)(cs_program *program, int i, const float *values, int n);
    cs_status (*get_output)(cs_program *program, int i, float *values, int n);
    /* What get_output gave before, for the programs that read here: as if forward had made it. INFER only. */
    cs_status (*set_output)(cs_program *program, int i, const float *values, int n);
    cs_status (*forward)(cs_program *program, int n);
    /* Softmax cross-entropy of the last output [n,K] against labels [n]. TRAIN: also sets the gradient that backward
     * starts from. `probabilities` [n,K] may be NULL. */
    cs_status (*loss)(cs_program *program, const int32_t *labels, int n, float *probabilities, cs_loss *out);
    /* In place of loss: the gradient [n,K] of the last output that backward starts from. */
    cs_status (*set_gradient)(cs_program *program, const float *values, int n);
    cs_status (*backward)(cs_program *program, int n);
    /* What backward made of the i-th of the gradients that the spec asks for, [n,H,W,C] or [n,C] host floats. */
    cs_status (*get_gradient)(cs_program *program, int i, float *values, int n);
    cs_status (*update)(cs_program *program, const cs_optimizer *optimizer, int64_t step);
    /* Copies the bucket to `out` or from `in`, either of which may be NULL; returns its number of floats. */
    size_t (*move_bucket)(cs_program *program, const cs_bucket *bucket, float *out, const float *in);
    /* Sums over ranks in the engine itself, see cs_engine_join: all three or none. */
    cs_status (*join)(cs_engine *engine, const cs_comm *comm, bool *able);
    cs_status (*allreduce)(cs_program *program, const cs_bucket *bucket, float weight);
    void (*leave)(cs_engine *engine);
    /* One line a primitive: layer, what runs it, shape. */
    void (*describe)(const cs_program *program, FILE *out);
    size_t (*memory)(const cs_program *program); /* bytes planned */
    /* Stores: all of these or none. */
    size_t (*free_bytes)(const cs_engine *engine);  /* bytes that are free, for each rank that shares the memory */
    size_t (*value_bytes)(const cs_engine *engine); /* of a value in a kept row of outputs */
    cs_status (*store_open)(cs_engine *engine, const cs_store_spec *spec, cs_store **out);
    void (*store_close)(cs_store *store);
    cs_status (*store_put)(cs_store *store, const int64_t *rows, const void *bytes, int n);
    cs_status (*set_pictures)(cs_program *program, int i, const cs_pictures *pictures, int n);
    cs_status (*keep_output)(cs_program *program, int i, cs_store *store, const int64_t *rows, int n);
    cs_status (*use_output)(cs_program *program, int i, const cs_store *store, const int64_t *rows, int n);
} cs_engine_ops;

/* Names for --device: "cpu" (= onednn where built, else ref), "ref", "onednn", "cuda" (a plug-in, opened when it is
 * asked for), "auto" (cuda where a GPU works, else cpu; cs_engine_device_info says why). */
CS_MUST_CHECK cs_status cs_engine_open(const char *device, const cs_engine_options *options, cs_engine **out);
/* A line an engine: its name, then its library's version, "yes", or "no" with the reason why it is not there. */
void cs_engines_print(FILE *out);
void cs_engine_close(cs_engine *engine);              /* NULL-safe */
const char *cs_engine_name(const cs_engine *engine);  /* "onednn" */
const char *cs_engine_label(const cs_engine *engine); /* with the precision, if it is not fp32: "cuda bf16" */
const cs_device_info *cs_engine_device_info(const cs_engine *engine);
/* Can the engine sum over the ranks of `comm` by itself (NCCL, between GPUs)? Collective; all get the same answer,
 * which rank 0 of an engine that has a choice logs the first time. `comm` is borrowed until the engine is closed; NULL
 * is a rank alone. */
CS_MUST_CHECK cs_status cs_engine_join(cs_engine *engine, const cs_comm *comm, bool *able);
/* A step did not come to its end on this rank: gives up sums under way, which no other rank may ever answer. After that
 * nothing is summed. */
void cs_engine_leave(cs_engine *engine);

/* The wrappers: argument checks (mode, n within 1..batch, indexes), then the engine's function. */
CS_MUST_CHECK cs_status cs_program_compile(cs_engine *engine, const cs_program_spec *spec, cs_program **out);
void cs_program_free(cs_program *program); /* NULL-safe; before the engine, tails before their upstream */
CS_MUST_CHECK cs_status cs_program_load(cs_program *program, cs_param_array array, const cs_params *params);
CS_MUST_CHECK cs_status cs_program_read(cs_program *program, cs_param_array array, cs_params *params);
CS_MUST_CHECK cs_status cs_program_set_input(cs_program *program, int i, const float *values, int n);
CS_MUST_CHECK cs_status cs_program_get_output(cs_program *program, int i, float *values, int n);
CS_MUST_CHECK cs_status cs_program_set_output(cs_program *program, int i, const float *values, int n);
/* TRAIN: before forward, where a layer drops; kept until the next call. */
void cs_program_set_draw(cs_program *program, const cs_draw *draw);
/* TRAIN: from now on trainable batch norms take the statistics of the batch that the ranks of `comm` (borrowed; NULL:
 * this one alone) share, forward and backward, with one cs_comm.sum_double each. Then n may be 0, also of the loss: a
 * rank without rows still takes part. The gradients of gamma and beta are those of the program's own rows, as all are.
 * A failure inside forward or backward leaves the ranks out of step. */
void cs_program_set_comm(cs_program *program, const cs_comm *comm);
/* TRAIN. NULL: none. */
void cs_program_on_gradients(cs_program *program, cs_gradients_hook *hook, void *context);
/* TRAIN: the number of floats of a bucket; and its values, in the engine's own layout, which is that of every program
 * of the same spec on machines of one kind. They allocate nothing. */
size_t cs_program_bucket_count(cs_program *program, const cs_bucket *bucket);
void cs_program_read_bucket(cs_program *program, const cs_bucket *bucket, float *values);
void cs_program_load_bucket(cs_program *program, const cs_bucket *bucket, const float *values);
/* TRAIN, where its engine can (cs_engine_join): the bucket's values become the sum over ranks of weight times them;
 * with a weight of 0 this rank adds nothing, whatever its values are. Every rank sums the same buckets in the same
 * order, in the hook or later. The call only begins the sum: what the program does next with the values waits for it. A
 * failure, of this call or later of the sum itself, is CS_ERR_COMM: this rank is out of step. */
CS_MUST_CHECK cs_status cs_program_allreduce(cs_program *program, const cs_bucket *bucket, float weight);
CS_MUST_CHECK cs_status cs_program_forward(cs_program *program, int n);
CS_MUST_CHECK cs_status cs_program_loss(cs_program *program, const int32_t *labels, int n, float *probabilities,
                                        cs_loss *out);
/* TRAIN, in place of loss: backward starts from these gradients [n,K] of the last output, of any function of it. */
CS_MUST_CHECK cs_status cs_program_set_gradient(cs_program *program, const float *values, int n);
CS_MUST_CHECK cs_status cs_program_backward(cs_program *program, int n);
/* After backward: the gradient of the output of layer spec.gradients[i], [n,H,W,C] or [n,C], that is of the mean loss
 * or of what cs_program_set_gradient gave; 0 where the last output does not depend on that layer. */
CS_MUST_CHECK cs_status cs_program_get_gradient(cs_program *program, int i, float *values, int n);
CS_MUST_CHECK cs_status cs_program_update(cs_program *program, const cs_optimizer *optimizer, int64_t step);
void cs_program_describe(const cs_program *program, FILE *out);
size_t cs_program_memory(const cs_program *program);

/* Stores, of engines that have them. All but open and close allocate nothing. */
bool cs_engine_has_stores(const cs_engine *engine);
size_t cs_engine_free_bytes(const cs_engine *engine);
size_t cs_engine_value_bytes(const cs_engine *engine);
/* CS_ERR_NO_MEMORY where it does not fit. */
CS_MUST_CHECK cs_status cs_store_open(cs_engine *engine, const cs_store_spec *spec, cs_store **out);
void cs_store_close(cs_store *store); /* NULL-safe; before the engine */
/* bytes [n,row_bytes] become those rows; they may be written over once this returns. Calls after it find the rows
 * there; work under way is not held up. */
CS_MUST_CHECK cs_status cs_store_put(cs_store *store, const int64_t *rows, const void *bytes, int n);
/* In place of set_input. */
CS_MUST_CHECK cs_status cs_program_set_pictures(cs_program *program, int i, const cs_pictures *pictures, int n);
/* What the last forward made of the first n rows goes to rows of the store (each of which is named once), */
CS_MUST_CHECK cs_status cs_program_keep_output(cs_program *program, int i, cs_store *store, const int64_t *rows, int n);
/* and comes from there in place of set_output. INFER only. */
CS_MUST_CHECK cs_status cs_program_use_output(cs_program *program, int i, const cs_store *store, const int64_t *rows,
                                              int n);

#endif
