/* SPDX-License-Identifier: Apache-2.0 */
#include "program.h"
#include "classes.h"
#include "fuse.h"
#include "memory.h"
#include "node.h"
#include "params.h"
#include "store.h"
#include "transfer.h"

#include "common/backward.h"

#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

extern const cs_engine_ops cu_engine_ops;

static void close_engine(cs_engine *base) {
    cu_engine *engine = (cu_engine *)base;
    cu_peers_close(engine->peers);
    cu_dnn_close(engine->dnn);
    cu_device_close(engine->device);
    free(engine);
}

static cs_status open_engine(const cs_engine_options *options, cs_engine **out) {
    static const cu_type types[CS_PRECISION_COUNT] = {[CS_PRECISION_FP32] = CU_F32,
                                                      [CS_PRECISION_TF32] = CU_F32,
                                                      [CS_PRECISION_BF16] = CU_BF16,
                                                      [CS_PRECISION_FP16] = CU_F16};
    cu_engine *engine = NULL;
    cs_status status;
    CS_TRY(cs_alloc(1, sizeof *engine, "engine", &engine));
    engine->base = (cs_engine){.ops = &cu_engine_ops, .options = *options};
    engine->type = types[options->precision];
    CS_TRY_GOTO(cu_device_open(options, &engine->base.device_info, &engine->device), failed);
    CS_TRY_GOTO(cu_dnn_open(engine->device, NULL, options, &engine->dnn), failed);
    *out = &engine->base;
    return CS_OK;
failed:
    close_engine(&engine->base);
    return status;
}

/* Max pooling stores the index of each maximum in a byte. */
static bool supports(const cs_engine *engine, const cs_layer *layer, cs_mode mode, const char **why) {
    (void)engine;
    *why = "its window has more than 256 places";
    return layer->kind != CS_LAYER_MAX_POOL || mode == CS_MODE_INFER ||
           layer->window.kernel_h * layer->window.kernel_w <= 256;
}

static void release(cs_program *base) {
    cu_program *program = cu_program_of(base);
    /* Memory may only be freed after the work that uses it, sums over ranks included. */
    if (cu_params_wait_sums(program) != CS_OK)
        cs_log(CS_LOG_DEBUG, "a program is released: %s", cs_error_last()->text);
    for (int i = 0; program->nodes && i < program->lowered->n_ops; i++) {
        cu_conv_close(program->nodes[i].forward);
        cu_conv_close(program->nodes[i].backward_data);
        cu_conv_close(program->nodes[i].backward_kernel);
    }
    cu_capture_free(program->forward.capture);
    cu_capture_free(program->backward.capture);
    cu_memory_free(program);
    cu_params_free(program);
    cs_lowered_free(program->lowered);
    free(program->values);
    free(program->grads);
    free(program->nodes);
    free(program);
}

/* Downstream programs read the memory that the upstream program writes. */
static void connect_upstream(cu_program *program) {
    const cu_program *upstream = cu_program_of(program->base.spec.upstream);
    for (int i = 0; upstream && i < program->lowered->n_inputs; i++)
        program->values[program->lowered->inputs[i]] = upstream->values[upstream->lowered->outputs[i]];
}

static cs_status make_tensors(cu_program *program) {
    size_t n_values = (size_t)program->lowered->n_values;
    CS_TRY(cs_alloc(n_values, sizeof *program->values, "tensors", &program->values));
    CS_TRY(cs_alloc(n_values, sizeof *program->grads, "tensors", &program->grads));
    for (size_t v = 0; v < n_values; v++) {
        const cs_value *value = &program->lowered->values[v];
        program->values[v] = (cu_tensor){value->shape, cs_shape_count(value->shape), true, NULL};
        program->grads[v] = program->values[v];
        program->grads[v].wanted = program->training && value->needs_grad;
    }
    connect_upstream(program);
    return CS_OK;
}

static cs_status make_nodes(cu_program *program) {
    const cs_lowered *lowered = program->lowered;
    CS_TRY(cs_alloc((size_t)lowered->n_ops, sizeof *program->nodes, "operations", &program->nodes));
    for (int i = 0; i < lowered->n_ops; i++) {
        cu_node *node = &program->nodes[i];
        const cs_op *op = &lowered->ops[i];
        *node = (cu_node){.program = program, .op = op, .class = cu_class_of(op)};
        node->complete = cs_backward_complete(lowered, program->base.spec.segment->begin, i);
        for (int k = 0; k < op->n_inputs; k++)
            node->accumulate[k] = cs_backward_accumulates(lowered, i, k);
        node->passes_on = cu_has_residual(node->op) && !node->accumulate[1] &&
                          program->grads[node->op->inputs[1]].wanted && program->grads[node->op->output].wanted;
    }
    return CS_OK;
}

static cs_status build(cu_program *program) {
    CS_TRY(cs_lower(&program->base.spec, &program->lowered));
    if (program->training)
        cu_fuse_residuals(program->graph, program->lowered);
    CS_TRY(make_tensors(program));
    CS_TRY(make_nodes(program));
    CS_TRY(cu_params_collect(program));
    for (int i = 0; i < program->lowered->n_ops; i++) {
        cu_node *node = &program->nodes[i];
        cs_status status = node->class->plan ? node->class->plan(node) : CS_OK;
        if (status != CS_OK)
            return cs_context(status, "layer '%s'", program->graph->layers[node->op->layer].name);
    }
    CS_TRY(cu_params_allocate(program));
    return cu_memory_plan(program);
}

static cs_status compile(cs_engine *engine, const cs_program_spec *spec, cs_program **out) {
    cu_program *program = NULL;
    CS_TRY(cs_alloc(1, sizeof *program, "program", &program));
    program->base = (cs_program){.ops = &cu_engine_ops, .engine = engine, .spec = *spec};
    program->engine = (cu_engine *)engine;
    program->graph = spec->segment->graph;
    program->training = spec->mode == CS_MODE_TRAIN;
    program->gradient_scale = 1;
    cs_status status = build(program);
    if (status != CS_OK) {
        release(&program->base);
        return status;
    }
    *out = &program->base;
    return CS_OK;
}

static cs_status load(cs_program *base, cs_param_array array, const cs_params *params) {
    return cu_params_load(cu_program_of(base), array, params);
}

static cs_status read(cs_program *base, cs_param_array array, cs_params *params) {
    return cu_params_read(cu_program_of(base), array, params);
}

static cs_status set_input(cs_program *base, int i, const float *values, int n) {
    cu_program *program = cu_program_of(base);
    return cu_tensor_send(program, &program->values[program->lowered->inputs[i]], n, values);
}

static cs_status get_output(cs_program *base, int i, float *values, int n) {
    cu_program *program = cu_program_of(base);
    return cu_tensor_fetch(program, &program->values[program->lowered->outputs[i]], n, values);
}

static cs_status set_output(cs_program *base, int i, const float *values, int n) {
    cu_program *program = cu_program_of(base);
    return cu_tensor_send(program, &program->values[program->lowered->outputs[i]], n, values);
}

static cs_status run_forward(cu_program *program) {
    for (int i = 0; i < program->lowered->n_ops; i++)
        CS_TRY(program->nodes[i].class->forward(&program->nodes[i]));
    return cu_check_launches(program->engine->device, "forward");
}

static cs_status run_backward(cu_program *program) {
    int complete = program->base.spec.segment->end;
    for (int i = program->lowered->n_ops - 1; i >= 0; i--) {
        cu_node *node = &program->nodes[i];
        if (!program->grads[node->op->output].wanted)
            continue;
        CS_TRY(node->class->backward(node));
        if (node->complete < complete) {
            complete = node->complete;
            CS_TRY(cs_program_report_gradients(&program->base, complete));
        }
    }
    CS_TRY(cu_check_launches(program->engine->device, "backward"));
    int begin = program->base.spec.segment->begin;
    return complete > begin ? cs_program_report_gradients(&program->base, begin) : CS_OK;
}

static cs_status capture(cu_program *program, cs_status (*run)(cu_program *program), cu_capture **out) {
    cu_device *device = program->engine->device;
    cu_capture *made = NULL;
    CS_TRY(cu_capture_begin(device));
    cs_status status = run(program), ended = cu_capture_end(device, &made);
    if (status == CS_OK && ended == CS_OK) {
        *out = made;
        return CS_OK;
    }
    cu_capture_free(made);
    return status != CS_OK ? status : ended;
}

/* If a library refuses a call during a capture, the pass is never captured, and its work is enqueued every time. */
static void try_to_capture(cu_program *program, cu_replay *replay, cs_status (*run)(cu_program *program)) {
    if (replay->capture || replay->refused || capture(program, run, &replay->capture) == CS_OK)
        return;
    replay->refused = true;
    cs_log(CS_LOG_DEBUG, "%s is not captured: %s", replay == &program->forward ? "forward" : "backward",
           cs_error_last()->text);
}

/* The first run is not captured, because libraries initialise themselves in it. Later runs replay the CUDA graph,
 * unless the host takes part in the pass: it sums the statistics of batch norms over ranks, or the hook must be called
 * when gradients are complete. */
static cs_status run_or_replay(cu_program *program, cu_replay *replay, cs_status (*run)(cu_program *program)) {
    cu_device *device = program->engine->device;
    bool hooked = replay == &program->backward && program->base.hook;
    bool eager = hooked || program->base.comm || !cu_device_captures(device);
    if (replay->warm && !eager)
        try_to_capture(program, replay, run);
    replay->warm = true;
    return replay->capture && !eager ? cu_capture_launch(device, replay->capture) : run(program);
}

static cs_status forward(cs_program *base, int n) {
    cu_program *program = cu_program_of(base);
    cu_device *device = program->engine->device;
    CS_TRY(cu_params_wait_sums(program));
    if (!program->training)
        return run_or_replay(program, &program->forward, run_forward);
    CS_TRY(cu_upload_begin(program, &program->forward_upload, n));
    if (base->draw.samples) {
        memcpy(program->samples_host, base->draw.samples, (size_t)n * sizeof *base->draw.samples);
        CS_TRY(cu_copy_in(device, program->samples, program->samples_host, (size_t)n * sizeof *program->samples));
    }
    CS_TRY(cu_upload_send(program, &program->forward_upload));
    return run_or_replay(program, &program->forward, run_forward);
}

static cs_status backward(cs_program *base, int n) {
    (void)n; /* the other rows have gradients of 0 */
    cu_program *program = cu_program_of(base);
    program->gradient_scale = program->loss_upload.step->loss_scale;
    return run_or_replay(program, &program->backward, run_backward);
}

static cs_status send_targets(cu_program *program, const cs_targets *targets, int n) {
    cu_device *device = program->engine->device;
    size_t rows = (size_t)n, values = rows * (size_t)cu_classes_of(program);
    if (n == 0) /* a rank without rows has no targets */
        return CS_OK;
    memcpy(program->labels_host, targets->labels, rows * sizeof *program->labels);
    CS_TRY(cu_copy_in(device, program->labels, program->labels_host, rows * sizeof *program->labels));
    if (!targets->soft)
        return CS_OK;
    memcpy(program->soft_host, targets->soft, values * sizeof *program->soft);
    return cu_copy_in(device, program->soft, program->soft_host, values * sizeof *program->soft);
}

static void enqueue_loss_of_targets(const cu_program *program, const cs_targets *targets, float *probabilities) {
    const int output = program->lowered->outputs[program->lowered->n_outputs - 1], batch = program->base.spec.batch;
    cu_stream stream = cu_device_stream(program->engine->device);
    const cu_type type = program->engine->type;
    const float *soft = targets->soft ? program->soft : NULL;
    const void *logits = program->values[output].data;
    void *dlogits = program->grads[output].data;
    if (cs_program_is_binary(&program->base))
        cu_k_binary_loss(stream, type, batch, program->step, logits, program->labels, soft, &targets->focal, dlogits,
                         probabilities, program->row_sums, program->row_correct, program->loss);
    else
        cu_k_loss(stream, type, batch, cu_classes_of(program), program->step, logits, program->labels, soft,
                  &targets->focal, dlogits, probabilities, program->row_sums, program->row_correct, program->loss);
}

/* Enqueues the kernels of the loss and the copy of their results to the host. */
static cs_status enqueue_loss(cu_program *program, int n, const cs_targets *targets, bool probabilities) {
    cu_device *device = program->engine->device;
    cu_stream stream = cu_device_stream(device);
    enqueue_loss_of_targets(program, targets, probabilities ? program->probabilities : NULL);
    if (program->n_penalties > 0)
        cu_k_penalty(stream, program->n_penalties, program->penalties_device, program->params.arrays[CS_ARRAY_VALUE],
                     program->penalty_scratch, program->loss);
    CS_TRY(cu_check_launches(device, "loss"));
    if (probabilities)
        CS_TRY(cu_copy_out(device, program->probabilities_host, program->probabilities,
                           (size_t)n * (size_t)cu_classes_of(program) * sizeof(float)));
    return cu_copy_out(device, program->loss_host, program->loss, sizeof *program->loss);
}

static cs_status loss(cs_program *base, const cs_targets *targets, int n, float *probabilities, cs_loss *out) {
    cu_program *program = cu_program_of(base);
    cu_device *device = program->engine->device;
    CS_TRY(cu_upload_begin(program, &program->loss_upload, n));
    CS_TRY(send_targets(program, targets, n));
    CS_TRY(cu_upload_send(program, &program->loss_upload));
    CS_TRY(enqueue_loss(program, n, targets, probabilities != NULL));
    CS_TRY(cu_wait(device));
    const cu_loss_sums *sums = program->loss_host;
    *out = (cs_loss){.sum = sums->sum, .correct = sums->correct};
    out->penalty = program->training ? sums->penalty : program->penalty;
    if (probabilities)
        memcpy(probabilities, program->probabilities_host, (size_t)n * (size_t)cu_classes_of(program) * sizeof(float));
    if (sums->overflow)
        cs_log(CS_LOG_DEBUG, "fp16: a gradient was not finite; that update was left out");
    return CS_OK;
}

static cs_status set_gradient(cs_program *base, const float *values, int n) {
    cu_program *program = cu_program_of(base);
    const cu_tensor *gradient = &program->grads[program->lowered->outputs[program->lowered->n_outputs - 1]];
    size_t given = (size_t)n * gradient->row, count = (size_t)base->spec.batch * gradient->row;
    float *staging;
    if (!gradient->wanted)
        return CS_OK;
    CS_TRY(cu_upload_begin(program, &program->loss_upload, n));
    CS_TRY(cu_upload_send(program, &program->loss_upload));
    CS_TRY(cu_staging_ready(program, &staging));
    for (size_t i = 0; i < count; i++) /* rows that do not take part have a gradient of 0 */
        staging[i] = i < given ? values[i] * cu_loss_scale(program) : 0;
    return cu_tensor_send_staging(program, gradient, count);
}

static cs_status get_gradient(cs_program *base, int i, float *values, int n) {
    cu_program *program = cu_program_of(base);
    const cu_tensor *gradient = &program->grads[program->lowered->gradients[i]];
    size_t count = (size_t)n * gradient->row;
    if (!gradient->wanted) {
        memset(values, 0, count * sizeof *values);
        return CS_OK;
    }
    CS_TRY(cu_tensor_fetch(program, gradient, n, values));
    for (size_t k = 0; k < count; k++)
        values[k] /= cu_loss_scale(program);
    return CS_OK;
}

static cs_status update(cs_program *base, const cs_optimizer *optimizer, int64_t step) {
    return cu_params_update(cu_program_of(base), optimizer, step);
}

static size_t move_bucket(cs_program *base, const cs_bucket *bucket, float *out, const float *in) {
    return cu_params_move_bucket(cu_program_of(base), bucket, out, in);
}

/* All ranks call this with the same ranks each time, so all of them take the same branch without communication. */
static cs_status join(cs_engine *base, const cs_comm *comm, bool *able) {
    cu_engine *engine = (cu_engine *)base;
    if (engine->joined != comm) {
        cu_peers_close(engine->peers);
        engine->peers = NULL;
        engine->joined = NULL;
        CS_TRY(cu_peers_find(engine->device, comm, &engine->peers));
        engine->joined = comm;
    }
    *able = engine->peers != NULL;
    return CS_OK;
}

static cs_status allreduce(cs_program *base, const cs_bucket *bucket, float weight) {
    return cu_params_allreduce(cu_program_of(base), bucket, weight);
}

static void leave(cs_engine *base) {
    const cu_engine *engine = (cu_engine *)base;
    if (engine->peers)
        cu_peers_abort(engine->peers);
}

static const char *kind_name(cs_op_kind kind) {
    static const char *const names[CS_OP_KIND_COUNT] = {
        [CS_OP_CONV] = "conv",
        [CS_OP_DEPTHWISE] = "depthwise",
        [CS_OP_BATCH_NORM] = "batch_norm",
        [CS_OP_ACTIVATION] = "activation",
        [CS_OP_MAX_POOL] = "max_pool",
        [CS_OP_AVERAGE_POOL] = "average_pool",
        [CS_OP_GLOBAL_AVERAGE] = "global_average",
        [CS_OP_ZERO_PAD] = "zero_pad",
        [CS_OP_ADD] = "add",
        [CS_OP_MULTIPLY] = "multiply",
        [CS_OP_CONCATENATE] = "concatenate",
        [CS_OP_RESHAPE] = "reshape",
        [CS_OP_SCALE] = "scale",
        [CS_OP_DROPOUT] = "dropout",
        [CS_OP_DENSE] = "dense",
        [CS_OP_GUIDE] = "guide",
    };
    return names[kind];
}

static void describe(const cs_program *base, FILE *out) {
    const cu_program *program = (const cu_program *)base;
    for (int i = 0; i < program->lowered->n_ops; i++) {
        const cu_node *node = &program->nodes[i];
        const cs_shape shape = cu_output(node)->shape;
        const cu_conv *convs[] = {node->forward, node->backward_data, node->backward_kernel};
        fprintf(out, "%-32s %-14s %dx%dx%d", program->graph->layers[node->op->layer].name, kind_name(node->op->kind),
                shape.h, shape.w, shape.c);
        for (size_t k = 0; k < sizeof convs / sizeof *convs; k++)
            if (convs[k])
                fprintf(out, "  %s", cu_conv_name(convs[k]));
        fputs(node->forward ? "\n" : "  kernel\n", out);
    }
}

static size_t memory(const cs_program *base) {
    return ((const cu_program *)base)->bytes;
}

const cs_engine_ops cu_engine_ops = {
    .name = "cuda",
    .doc = "NVIDIA GPUs: cuDNN and own kernels",
    .open = open_engine,
    .close = close_engine,
    .supports = supports,
    .compile = compile,
    .release = release,
    .load = load,
    .read = read,
    .set_input = set_input,
    .get_output = get_output,
    .set_output = set_output,
    .forward = forward,
    .loss = loss,
    .set_gradient = set_gradient,
    .backward = backward,
    .get_gradient = get_gradient,
    .update = update,
    .move_bucket = move_bucket,
    .join = join,
    .allreduce = allreduce,
    .leave = leave,
    .describe = describe,
    .memory = memory,
    .free_bytes = cu_free_bytes,
    .value_bytes = cu_value_bytes,
    .store_open = cu_store_open,
    .store_close = cu_store_close,
    .store_put = cu_store_put,
    .set_pictures = cu_set_pictures,
    .keep_output = cu_keep_output,
    .use_output = cu_use_output,
};
