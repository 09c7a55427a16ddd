/* SPDX-License-Identifier: Apache-2.0 */
/* An engine compiles a segment of a graph, for a batch size and a mode, into a program whose memory is planned.
 *
 * The interface is a struct of function pointers (cs_engine_ops), one for each engine. The functions cs_engine_* and
 * cs_program_* below check their arguments and call them. Forward, loss, backward and update allocate nothing. Only one
 * thread at a time may use a program.
 *
 * Modes. INFER: a batch norm uses its moving statistics, and the engine folds it into the convolution before it if
 * cs_layer_takes_norm allows this. There is no backward. TRAIN: a trainable batch norm uses batch statistics and
 * updates its moving statistics; a frozen one uses its moving statistics (Keras' rule). Backward and update work on the
 * trainable parameters. cs_graph_drops says in which cases a dropout layer drops values.
 *
 * Rows. A program is compiled for `batch` rows. Every call works on the first `n` <= batch rows and gives the result of
 * a batch of exactly n rows, batch statistics included. In INFER mode the output of a row depends on that row alone,
 * bit for bit, wherever it stands in the batch. In this mode the values between layers are rounded to the bits of a
 * float, so that the result does not depend on where a network is cut into segments.
 *
 * Ranks. Several ranks may share a batch; each has a program of its own for some of the rows. The gradients of a
 * program are those of the mean over its own n rows. The gradients of the whole batch of N rows are the sum over ranks
 * of n/N times them. This holds for a penalty too, because every rank computes the whole penalty. The hook of
 * cs_program_on_gradients is called when gradients are complete. Ranks sum them in buckets. If the engine can sum over
 * ranks itself (cs_engine_join), cs_program_allreduce does this; otherwise the caller reads a bucket
 * (cs_program_read_bucket), sums it and loads the sum.
 *
 * Stores. An engine with its own memory can keep numbered rows of bytes in it: images, from which it makes the input of
 * a program itself, and rows of outputs. The values equal those of set_input and set_output bit for bit.
 *
 * To add an engine, write a folder src/engine/<name> with a cs_engine_ops and add a row to src/engine/devices.c. */
#ifndef CNNSWEEP_ENGINE_H
#define CNNSWEEP_ENGINE_H

#include "cnnsweep/comm.h"
#include "cnnsweep/graph.h"
#include "cnnsweep/mix.h"
#include "cnnsweep/optimizer.h"
#include "cnnsweep/picture.h"

#include <stdio.h>

typedef struct cs_engine cs_engine;   /* an open engine: threads, device, streams */
typedef struct cs_program cs_program; /* a compiled segment */

typedef enum cs_mode { CS_MODE_INFER, CS_MODE_TRAIN } cs_mode;

/* The arrays that a program keeps for its parameters. */
typedef enum cs_param_array {
    CS_ARRAY_VALUE,    /* the parameters themselves, moving statistics included */
    CS_ARRAY_GRADIENT, /* gradients of the mean loss over the last n rows; 0 for statistics and frozen parameters */
    CS_ARRAY_STATE, /* CS_ARRAY_STATE + i: the optimizer's i-th state (SGD: velocity; Adam: first and second moment) */
    /* the moving average of all values, if the optimizer has `ema` */
    CS_ARRAY_AVERAGE = CS_ARRAY_STATE + CS_OPTIMIZER_STATES,
    CS_ARRAY_COUNT
} cs_param_array;

/* The precision of the values between layers and of the operands of products. Parameters, statistics, sums and losses
 * have at least fp32 precision in all cases. With tf32, products use the first 10 of the 23 bits of an fp32
 * mantissa. */
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
    /* Only engines for GPUs support another precision than fp32. */
    cs_precision precision;
    bool autotune; /* chooses the algorithm of a convolution by timing instead of by cuDNN's heuristics */
    /* Excludes algorithms whose summation order varies, and timing, for the same bits on the same machine. */
    bool deterministic;
    /* The rank's index among the ranks of its node, which selects its GPU. 0 of 0: the rank is alone. */
    int local_rank, local_ranks;
    const char *plan_cache; /* folder for the execution plans of convolutions, or NULL; open copies the string */
} cs_engine_options;

/* The device on which an engine computes. */
typedef struct cs_device_info {
    int gpus;        /* GPUs that this process sees; 0: the engine runs on the CPU */
    char gpu[32];    /* the PCI bus id of the GPU, which does not depend on which GPUs the process sees */
    char text[2048]; /* describes the GPU, or says why none is used; "" if there is nothing to report */
} cs_device_info;

typedef struct cs_program_spec {
    const cs_segment *segment; /* borrowed: must outlive the program */
    int batch;                 /* largest number of rows */
    cs_mode mode;
    /* The program whose outputs are, in the same order, this segment's inputs, without a copy. NULL: set_input. */
    cs_program *upstream;
    /* TRAIN: read returns the complete state that goes from step to step, so that a program that loads it continues bit
     * for bit like this one. Otherwise ref keeps doubles, of which read returns only floats. */
    bool resumable;
    /* TRAIN: the optimizer of all updates. Its rates (lr, momentum, beta_1) may change from update to update, but
     * nothing else. NULL: there are no updates, only gradients. Borrowed: must outlive the program. */
    const cs_optimizer *optimizer;
    /* TRAIN: layers or inputs of the segment. cs_program_get_gradient returns the gradients of their outputs. Frozen
     * layers pass gradients on, too. Borrowed: must outlive the program. */
    const int *gradients;
    int n_gradients;
    /* TRAIN: guided backpropagation (Springenberg et al. 2015, arXiv:1412.6806). Backward of every ReLU and ReLU6
     * passes on only what is positive of the gradient of its output. Other activations keep their gradient. */
    bool guided;
} cs_program_spec;

/* The random stream from which the dropouts of a TRAIN program are drawn. Value i (in NHWC order) of row r is kept if
 * word i of the stream (seed, CS_PURPOSE_DROPOUT, epoch, samples[r]) of that layer is at least rate * 2^32. The seed of
 * a layer is `seed` with cs_hash_name(layer name) added to its upper 32 bits. So the same values of a sample are
 * dropped in any batch, group or rank. */
typedef struct cs_draw {
    uint64_t seed;
    uint32_t epoch;
    const int64_t *samples; /* [n] index in the split, borrowed until the next call */
} cs_draw;

/* Backward calls this hook with layers in descending order, the last time with the segment's first layer. The call
 * means that the gradients of all trainable parameters of this layer and of the segment's layers after it are complete.
 * A failure ends backward. */
typedef cs_status cs_gradients_hook(void *context, int layer);

/* The kinds of values that ranks which share a batch sum with an allreduce after backward. */
typedef enum cs_bucket_kind {
    CS_BUCKET_GRADIENTS, /* the gradients of the trainable parameters */
    CS_BUCKET_STATISTICS /* the moving statistics of trainable batch norms */
} cs_bucket_kind;
typedef struct cs_bucket {
    cs_bucket_kind kind;
    int begin, end; /* the bucket holds the values of the layers [begin, end) of the segment */
} cs_bucket;

/* The focal loss of a row is sum_k alpha*(1-softmax_k)^gamma * -t_k*log(softmax_k), as
 * keras.losses.CategoricalFocalCrossentropy has it. That of a binary head is a*(1-q)^gamma times the cross-entropy,
 * where q = sum_k t_k*p_k / sum_k t_k is the probability of the target and a the mean of the factors of both classes in
 * the same sense, as keras.losses.BinaryFocalCrossentropy has it. Probabilities are not clipped. */
typedef struct cs_focal {
    double alpha;   /* the factor, of a binary head that of class 1, > 0; 0: the loss is the cross-entropy */
    double gamma;   /* >= 0 */
    double alpha_0; /* of a binary head: the factor of class 0 */
} cs_focal;

/* What the outputs of n rows should be. The cross-entropy of a row is -sum_k t_k*log(softmax_k): without soft targets
 * t_k is 1 for the label and 0 for every other class. The last output has a logit for each of K classes. A binary head
 * (CS_ACT_BINARY) has one logit z in place of K = 2: the probability of class 1 is sigmoid(z), which is the softmax of
 * the logits 0 and z. */
typedef struct cs_targets {
    const int32_t *labels; /* [n] the class that counts as correct */
    const float *soft;     /* [n,K] t_k >= 0, which need not add up to 1; NULL: the labels are the targets */
    cs_focal focal;
} cs_targets;

/* The target of class k, of `classes`, in a row. */
static inline double cs_target(const cs_targets *targets, int row, int classes, int k) {
    return targets->soft ? (double)targets->soft[(size_t)row * (size_t)classes + (size_t)k]
                         : (double)(k == targets->labels[row]);
}

typedef struct cs_loss {
    double penalty; /* l1 and l2 penalty of the trainable kernels; it is part of the loss, and backward adds its
                       gradient */
    double sum;     /* cross-entropy or focal loss summed over rows, nats */
    int correct;    /* rows whose largest logit is the label's; of equal logits the first one counts. A binary head
                       decides for class 1 if its logit is above 0 */
} cs_loss;

/* Rows of bytes in the engine's memory. */
typedef struct cs_store cs_store;
typedef struct cs_store_spec {
    int64_t rows;
    size_t row_bytes;
    int most; /* most rows that one call of put writes; 0: only programs write rows */
} cs_store_spec;

/* A batch of n images in a store, each [h,w,3] and as large as the input. `changes` describes how a pixel is
 * transformed; after that x[c] = pixel[bgr ? 2-c : c]*multiply[c] + add[c]. If images are mixed, then image i is mixed
 * with image partners[i], which may be one of n_partners images that follow the n. */
typedef struct cs_pictures {
    const cs_store *store;
    const int64_t *rows;       /* [n+n_partners] row numbers in the store */
    const cs_picture *changes; /* [n+n_partners] */
    cs_preprocess preprocess;
    const cs_mixed *mixed; /* [n]; NULL: images are not mixed */
    const int *partners;   /* [n] */
    int n_partners;        /* <= n */
} cs_pictures;

typedef struct cs_engine_ops {
    const char *name; /* "ref", "onednn", ... */
    const char *doc;
    cs_status (*open)(const cs_engine_options *options, cs_engine **out);
    void (*close)(cs_engine *engine);
    /* Can this layer be compiled in this mode? If not, `why` gives the reason. NULL: the engine has every
     * cs_layer_kind. */
    bool (*supports)(const cs_engine *engine, const cs_layer *layer, cs_mode mode, const char **why);
    cs_status (*compile)(cs_engine *engine, const cs_program_spec *spec, cs_program **out);
    void (*release)(cs_program *program);
    /* These two copy parameters between the host and the program. They only use the parameters of the program's layers
     * in `params`. An INFER program may fold the values when they are loaded, so read is only for TRAIN. */
    cs_status (*load)(cs_program *program, cs_param_array array, const cs_params *params);
    cs_status (*read)(cs_program *program, cs_param_array array, cs_params *params);
    /* These two copy input i and output i of the segment, [n,H,W,C] or [n,C] floats on the host. The inputs are set
     * before each forward, because a program may reuse their memory once it has read them. */
    cs_status (*set_input)(cs_program *program, int i, const float *values, int n);
    cs_status (*get_output)(cs_program *program, int i, float *values, int n);
    /* Sets output i, for the programs whose upstream this is, to values that get_output returned before. INFER only. */
    cs_status (*set_output)(cs_program *program, int i, const float *values, int n);
    cs_status (*forward)(cs_program *program, int n);
    /* Computes the loss of the last output and the targets. TRAIN: also sets the gradient from
     * which backward starts. `probabilities` [n,K] may be NULL. */
    cs_status (*loss)(cs_program *program, const cs_targets *targets, int n, float *probabilities, cs_loss *out);
    /* Sets, instead of loss, the gradient of the last output, of its size, from which backward starts. */
    cs_status (*set_gradient)(cs_program *program, const float *values, int n);
    cs_status (*backward)(cs_program *program, int n);
    /* Copies the i-th gradient that the spec asks for, [n,H,W,C] or [n,C], to floats on the host. */
    cs_status (*get_gradient)(cs_program *program, int i, float *values, int n);
    cs_status (*update)(cs_program *program, const cs_optimizer *optimizer, int64_t step);
    /* Copies the bucket to `out` or from `in`, either of which may be NULL. Returns its number of floats. */
    size_t (*move_bucket)(cs_program *program, const cs_bucket *bucket, float *out, const float *in);
    /* Summation over ranks by the engine itself, see cs_engine_join. An engine has all three functions or none. */
    cs_status (*join)(cs_engine *engine, const cs_comm *comm, bool *able);
    cs_status (*allreduce)(cs_program *program, const cs_bucket *bucket, float weight);
    void (*leave)(cs_engine *engine);
    /* Prints one line for each primitive: the layer, the implementation and the shape. */
    void (*describe)(const cs_program *program, FILE *out);
    size_t (*memory)(const cs_program *program); /* bytes that the memory plan takes */
    /* Stores: an engine has all of these functions or none. */
    size_t (*free_bytes)(const cs_engine *engine);  /* free memory for each rank that shares it */
    size_t (*value_bytes)(const cs_engine *engine); /* bytes of one value in a stored row of outputs */
    cs_status (*store_open)(cs_engine *engine, const cs_store_spec *spec, cs_store **out);
    void (*store_close)(cs_store *store);
    cs_status (*store_put)(cs_store *store, const int64_t *rows, const void *bytes, int n);
    cs_status (*set_pictures)(cs_program *program, int i, const cs_pictures *pictures, int n);
    cs_status (*keep_output)(cs_program *program, int i, cs_store *store, const int64_t *rows, int n);
    cs_status (*use_output)(cs_program *program, int i, const cs_store *store, const int64_t *rows, int n);
} cs_engine_ops;

/* Opens the engine that --device names: "cpu" (onednn if this build has it, else ref), "ref", "onednn", "cuda" (a
 * plug-in that is loaded on demand) or "auto" (cuda if a GPU works, else cpu; cs_engine_device_info says why). */
CS_MUST_CHECK cs_status cs_engine_open(const char *device, const cs_engine_options *options, cs_engine **out);
/* Prints a line for each engine: its name, and then the version of its library, "yes", or "no" with the reason. */
void cs_engines_print(FILE *out);
void cs_engine_close(cs_engine *engine);              /* NULL-safe */
const char *cs_engine_name(const cs_engine *engine);  /* "onednn" */
const char *cs_engine_label(const cs_engine *engine); /* the name, and the precision if it is not fp32: "cuda bf16" */
const cs_device_info *cs_engine_device_info(const cs_engine *engine);
/* Can the engine sum over the ranks of `comm` by itself (NCCL, between GPUs)? This is a collective call, and all ranks
 * get the same answer. If the engine has a choice, rank 0 logs it the first time. `comm` is borrowed until the engine
 * is closed; NULL means that this rank is alone. */
CS_MUST_CHECK cs_status cs_engine_join(cs_engine *engine, const cs_comm *comm, bool *able);
/* Aborts sums that have not finished, because a step failed on this rank and the other ranks might wait for ever. After
 * this call the engine does not sum. */
void cs_engine_leave(cs_engine *engine);

/* The following functions check their arguments (mode, n within 1..batch, indexes) and then call the engine's
 * function. */
CS_MUST_CHECK cs_status cs_program_compile(cs_engine *engine, const cs_program_spec *spec, cs_program **out);
/* NULL-safe. To be called before the engine is closed, and before the program's upstream is freed. */
void cs_program_free(cs_program *program);
CS_MUST_CHECK cs_status cs_program_load(cs_program *program, cs_param_array array, const cs_params *params);
CS_MUST_CHECK cs_status cs_program_read(cs_program *program, cs_param_array array, cs_params *params);
CS_MUST_CHECK cs_status cs_program_set_input(cs_program *program, int i, const float *values, int n);
CS_MUST_CHECK cs_status cs_program_get_output(cs_program *program, int i, float *values, int n);
CS_MUST_CHECK cs_status cs_program_set_output(cs_program *program, int i, const float *values, int n);
/* TRAIN: to be called before forward if a layer drops values. The draw is kept until the next call. */
void cs_program_set_draw(cs_program *program, const cs_draw *draw);
/* TRAIN: from now on trainable batch norms use the statistics of the batch that the ranks of `comm` share (borrowed;
 * NULL: this rank alone). Forward and backward then call cs_comm.sum_double once for each batch norm. n may then be 0,
 * also for the loss, and a rank without rows still has to make all calls. The gradients of gamma and beta are, like all
 * gradients, those of the program's own rows. After a failure inside forward or backward the ranks are out of step. */
void cs_program_set_comm(cs_program *program, const cs_comm *comm);
/* TRAIN. A NULL hook removes the hook. */
void cs_program_on_gradients(cs_program *program, cs_gradients_hook *hook, void *context);
/* TRAIN: the number of floats of a bucket, and its values in the engine's own layout. The layout is the same in all
 * programs of the same spec on machines of the same kind. These functions allocate nothing. */
size_t cs_program_bucket_count(cs_program *program, const cs_bucket *bucket);
void cs_program_read_bucket(cs_program *program, const cs_bucket *bucket, float *values);
void cs_program_load_bucket(cs_program *program, const cs_bucket *bucket, const float *values);
/* TRAIN, for engines that can sum (cs_engine_join): replaces the values of the bucket by the sum over ranks of
 * weight*values. With a weight of 0 this rank adds nothing, whatever its values are. Every rank must sum the same
 * buckets in the same order, in the hook or later. The call only starts the sum; whatever the program does with the
 * values afterwards waits for it. If this call, or later the sum itself, fails, the status is CS_ERR_COMM and this rank
 * is out of step. */
CS_MUST_CHECK cs_status cs_program_allreduce(cs_program *program, const cs_bucket *bucket, float weight);
CS_MUST_CHECK cs_status cs_program_forward(cs_program *program, int n);
bool cs_program_is_binary(const cs_program *program); /* is the last output that of a binary head? */
CS_MUST_CHECK cs_status cs_program_loss(cs_program *program, const cs_targets *targets, int n, float *probabilities,
                                        cs_loss *out);
/* TRAIN, instead of loss: backward starts from these gradients, with respect to the last output and of its size, of
 * any function. */
CS_MUST_CHECK cs_status cs_program_set_gradient(cs_program *program, const float *values, int n);
CS_MUST_CHECK cs_status cs_program_backward(cs_program *program, int n);
/* After backward: the gradient with respect to the output of layer spec.gradients[i], [n,H,W,C] or [n,C]. It is the
 * gradient of the mean loss, or of the function whose gradient cs_program_set_gradient set. It is 0 if the last output
 * does not depend on that layer. */
CS_MUST_CHECK cs_status cs_program_get_gradient(cs_program *program, int i, float *values, int n);
/* Updates the trained parameters after batch `step`, counted from 1 (optimizer.h). */
CS_MUST_CHECK cs_status cs_program_update(cs_program *program, const cs_optimizer *optimizer, int64_t step);
void cs_program_describe(const cs_program *program, FILE *out);
size_t cs_program_memory(const cs_program *program);

/* Stores, for engines that have them. Only open and close allocate or free memory. */
bool cs_engine_has_stores(const cs_engine *engine);
size_t cs_engine_free_bytes(const cs_engine *engine);
size_t cs_engine_value_bytes(const cs_engine *engine);
/* Returns CS_ERR_NO_MEMORY if the store does not fit. */
CS_MUST_CHECK cs_status cs_store_open(cs_engine *engine, const cs_store_spec *spec, cs_store **out);
void cs_store_close(cs_store *store); /* NULL-safe; to be called before the engine is closed */
/* Copies `bytes` [n,row_bytes] to the given rows. The caller may overwrite `bytes` after the call. Later calls read the
 * new rows; operations that already run are not delayed. */
CS_MUST_CHECK cs_status cs_store_put(cs_store *store, const int64_t *rows, const void *bytes, int n);
/* Sets input i from images in a store, instead of set_input. */
CS_MUST_CHECK cs_status cs_program_set_pictures(cs_program *program, int i, const cs_pictures *pictures, int n);
/* Copies the first n rows of the last forward's output i to the given rows of the store. No row may occur twice. */
CS_MUST_CHECK cs_status cs_program_keep_output(cs_program *program, int i, cs_store *store, const int64_t *rows, int n);
/* Sets output i from the given rows of the store, instead of set_output. INFER only. */
CS_MUST_CHECK cs_status cs_program_use_output(cs_program *program, int i, const cs_store *store, const int64_t *rows,
                                              int n);

#endif
