/* SPDX-License-Identifier: Apache-2.0 */
#include "stages.h"
#include "conv.h"
#include "layout.h"
#include "norm.h"

#include "common/backward.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

/* The values that one operation reads and writes for the rows of a chunk, together with the weights, should fit into
 * this many bytes. The second-level cache of the processors of the last ten years holds 1 to 2 MiB for each core. */
enum { CHUNK_BYTES = 1 << 20 };

static od_tensor *value_of(od_program *program, int value) {
    return &program->values[value];
}

static bool is_input(const od_program *program, int value) {
    return program->lowered->values[value].producer == CS_NO_LAYER;
}

/* An image with 1 or 3 channels stays planar if only convolutions read it, directly or after scales, because oneDNN's
 * kernels for first layers need that layout. oneDNN has no fast kernel of this kind for the gradient of the image. */
static bool is_read_planar(const od_program *program, int value) {
    const cs_value *v = &program->lowered->values[value];
    bool planar = !v->is_output && !v->keeps_grad && (v->shape.c == 1 || v->shape.c == 3);
    for (int i = 0; i < program->lowered->n_ops; i++) {
        const cs_op *op = &program->lowered->ops[i];
        for (int k = 0; k < op->n_inputs; k++)
            if (op->inputs[k] == value)
                planar = planar &&
                         (op->kind == CS_OP_CONV || (op->kind == CS_OP_SCALE && is_read_planar(program, op->output)));
    }
    return planar;
}

static od_layout layout_of(const od_program *program, int value) {
    const cs_value *v = &program->lowered->values[value];
    if (v->shape.flat)
        return OD_FLAT;
    bool planar = is_input(program, value) && !program->base.spec.upstream;
    if (!is_input(program, value)) {
        const cs_op *producer = &program->lowered->ops[v->producer];
        planar = producer->kind == CS_OP_SCALE && program->values[producer->inputs[0]].layout == OD_PLANAR;
    }
    return planar && is_read_planar(program, value) ? OD_PLANAR : OD_BLOCKED;
}

static void shape_tensors(od_program *program) {
    for (int i = 0; i < program->lowered->n_values; i++) {
        od_tensor *tensor = &program->values[i];
        cs_shape shape = program->lowered->values[i].shape;
        size_t pixels = (size_t)shape.h * (size_t)shape.w;
        *tensor = (od_tensor){.shape = shape, .layout = layout_of(program, i), .wanted = true};
        tensor->row = pixels * (tensor->layout == OD_BLOCKED ? od_lanes(program, shape.c) : (size_t)shape.c);
        program->grads[i] = *tensor;
        program->grads[i].wanted = program->training && program->lowered->values[i].needs_grad;
    }
}

static size_t kernel_bytes(const od_program *program, const cs_op *op) {
    const cs_param *kernel = cs_layer_param(program->graph, op->layer, op->kernel);
    return kernel ? kernel->count * sizeof(float) : 0;
}

/* Rows in a chunk, a power of two. They are few enough for the cache, and enough that the weights are not the larger
 * part of the memory traffic, because every chunk reads them again (and in training writes and adds them). */
static int wanted_chunk(const od_program *program, const cs_op *op) {
    size_t row = program->values[op->output].row * sizeof(float);
    for (int i = 0; i < op->n_inputs; i++)
        row += program->values[op->inputs[i]].row * sizeof(float);
    size_t weights = kernel_bytes(program, op) * (program->training ? 4 : 2);
    if (od_takes_winograd(program, op))
        weights *= 4; /* Winograd transforms 9 values to 36 */
    size_t bytes = weights > CHUNK_BYTES ? weights : CHUNK_BYTES;
    int chunk = 1;
    while (chunk < OD_LARGEST_CHUNK && 2 * chunk <= program->base.spec.batch && (size_t)chunk * 2 * row <= bytes)
        chunk *= 2;
    return chunk;
}

static bool has_weights(const cs_op *op) {
    return op->kind == CS_OP_CONV || op->kind == CS_OP_DEPTHWISE || op->kind == CS_OP_DENSE;
}

static bool batch_statistics(const od_program *program, const cs_op *op) {
    return op->kind == CS_OP_BATCH_NORM && program->training && program->graph->layers[op->layer].trainable;
}

/* The convolutions of a gate see one pixel for each row. An operation of the same stage computes it from the image, so
 * they use the chunks of the image. */
static bool is_in_gate(const od_program *program, const cs_op *op, int stage) {
    if (op->kind != CS_OP_CONV || kernel_bytes(program, op) > CHUNK_BYTES)
        return false;
    for (;;) {
        const cs_value *in = &program->lowered->values[op->inputs[0]];
        if (in->shape.h * in->shape.w > 1 || in->producer == CS_NO_LAYER ||
            program->nodes[in->producer].last_stage != stage)
            return false;
        op = &program->lowered->ops[in->producer];
        if (op->kind == CS_OP_GLOBAL_AVERAGE)
            return true;
    }
}

static od_stage *open_stage(od_program *program) {
    return &program->forward[program->n_stages++];
}

static void add_step(od_stage *stage, od_run run, od_node *node) {
    stage->steps[stage->n_steps++] = (od_step){run, node};
}

static void build_forward(od_program *program) {
    od_stage *stage = open_stage(program);
    for (int i = 0; i < program->lowered->n_ops; i++) {
        od_node *node = &program->nodes[i];
        if (has_weights(node->op) && !is_in_gate(program, node->op, program->n_stages - 1)) {
            int chunk = wanted_chunk(program, node->op);
            if (stage->chunk && (chunk > 2 * stage->chunk || 2 * chunk < stage->chunk))
                stage = open_stage(program);
            if (!stage->chunk)
                stage->chunk = chunk;
        }
        node->first_stage = program->n_stages - 1;
        if (batch_statistics(program, node->op)) {
            add_step(stage, od_norm_moments, node);
            stage->finish = od_norm_finish_moments;
            stage->finish_node = node;
            stage = open_stage(program);
            add_step(stage, od_norm_apply, node);
        } else {
            add_step(stage, node->class->forward, node);
        }
        node->last_stage = program->n_stages - 1;
    }
    if (!program->forward[0].chunk) /* a segment that has only an input layer has no operation */
        program->forward[0].chunk = program->lowered->n_ops > 0 ? wanted_chunk(program, program->nodes[0].op) : 1;
    for (int s = 1; s < program->n_stages; s++)
        if (!program->forward[s].chunk)
            program->forward[s].chunk = program->forward[s - 1].chunk;
}

/* Operations that are so cheap that backward computes their output again instead of keeping it. */
static bool is_made_again(const cs_op *op) {
    return op->kind == CS_OP_BATCH_NORM || op->kind == CS_OP_MULTIPLY;
}

/* A tensor that is written and read inside one stage becomes scratch. In training this holds for a value only if
 * backward computes it again, and for a gradient only if no operation outside the stage adds to it. */
static void choose_scratch(od_program *program) {
    for (int v = 0; v < program->lowered->n_values; v++) {
        const cs_value *value = &program->lowered->values[v];
        if (is_input(program, v) || value->is_output)
            continue;
        const od_node *producer = &program->nodes[value->producer];
        bool inside = true;
        for (int i = 0; i < program->lowered->n_ops; i++)
            for (int k = 0; k < program->nodes[i].op->n_inputs; k++)
                if (program->nodes[i].op->inputs[k] == v)
                    inside &= program->nodes[i].first_stage == producer->last_stage &&
                              program->nodes[i].last_stage == producer->last_stage;
        value_of(program, v)->scratch = inside && (!program->training || is_made_again(producer->op));
        program->grads[v].scratch = inside && producer->first_stage == producer->last_stage && !value->keeps_grad;
    }
}

static void clear_stale(const od_tensor *tensor, const od_rows *rows) {
    memset(od_at(tensor, rows) + (size_t)rows->active * tensor->row, 0,
           (size_t)(rows->size - rows->active) * tensor->row * sizeof(float));
}

/* The rows that fill up the last chunk must not contribute, whatever stages with other chunks left in them. Their
 * gradients are cleared, and their values, too: a value may have grown to infinity, and infinity times zero is NaN. The
 * inputs of the segment are excluded, because they belong to another program or the caller and are as finite as the
 * data. */
static void clear_stale_rows(od_node *node, const od_rows *rows) {
    od_program *program = node->program;
    if (rows->active == rows->size)
        return;
    clear_stale(&program->grads[node->op->output], rows);
    for (int i = 0; i < node->op->n_inputs; i++)
        if (!is_input(program, node->op->inputs[i]))
            clear_stale(value_of(program, node->op->inputs[i]), rows);
}

/* Runs an operation's backward. If an earlier step has already written to a gradient, adds to it. */
static cs_status run_backward(od_node *node, const od_rows *rows, od_run backward) {
    clear_stale_rows(node, rows);
    CS_TRY(backward(node, rows));
    for (int i = 0; i < node->op->n_inputs; i++)
        if (node->accumulate[i]) {
            float *sum = od_at(&node->program->grads[node->op->inputs[i]], rows);
            node->program->engine->kernels->add(node->input_grads[i].row * (size_t)rows->size, sum,
                                                node->input_grads[i].data, sum);
        }
    return CS_OK;
}

static cs_status backward_step(od_node *node, const od_rows *rows) {
    return run_backward(node, rows, node->class->backward);
}

static cs_status backward_norm_step(od_node *node, const od_rows *rows) {
    return run_backward(node, rows, od_norm_backward);
}

static void build_backward_stage(od_program *program, const od_stage *forward, od_stage *stage) {
    stage->chunk = forward->chunk;
    for (int i = 0; i < forward->n_steps; i++) {
        od_step step = forward->steps[i];
        if (step.run != od_norm_moments && value_of(program, step.node->op->output)->scratch)
            add_step(stage, step.run, step.node);
    }
    for (int i = forward->n_steps - 1; i >= 0; i--) {
        od_node *node = forward->steps[i].node;
        if (!program->grads[node->op->output].wanted)
            continue;
        if (forward->steps[i].run == od_norm_moments) {
            add_step(stage, backward_norm_step, node);
        } else if (batch_statistics(program, node->op)) {
            add_step(stage, od_norm_reduce, node);
            stage->finish = od_norm_finish_reduce;
            stage->finish_node = node;
        } else {
            add_step(stage, backward_step, node);
        }
    }
}

/* The first layer from which on all gradients are complete once forward stage `s` and all later ones have run
 * backward. */
static int first_complete_layer(const od_program *program, int s) {
    int first = 0; /* number of the first operation that has run */
    while (first < program->lowered->n_ops && program->nodes[first].last_stage < s)
        first++;
    return cs_backward_complete(program->lowered, program->base.spec.segment->begin, first);
}

static void choose_gradient_targets(od_program *program) {
    for (int i = 0; i < program->lowered->n_ops; i++) {
        od_node *node = &program->nodes[i];
        node->chunk = program->forward[node->first_stage].chunk;
        for (int k = 0; k < node->op->n_inputs; k++) {
            node->input_grads[k] = program->grads[node->op->inputs[k]];
            node->accumulate[k] = cs_backward_accumulates(program->lowered, i, k);
            node->input_grads[k].scratch |= node->accumulate[k];
        }
    }
}

cs_status od_stages_plan(od_program *program) {
    size_t most = (size_t)program->lowered->n_ops + 1;
    shape_tensors(program);
    CS_TRY(cs_alloc(most * 2, sizeof *program->forward, "stages", &program->forward));
    CS_TRY(cs_alloc(most * 2, sizeof *program->backward, "stages", &program->backward));
    for (size_t s = 0; s < most * 2; s++) {
        CS_TRY(cs_alloc(most, sizeof(od_step), "steps", &program->forward[s].steps));
        CS_TRY(cs_alloc(most * 2, sizeof(od_step), "steps", &program->backward[s].steps));
    }
    build_forward(program);
    choose_scratch(program);
    choose_gradient_targets(program);
    if (program->training)
        for (int s = 0; s < program->n_stages; s++) {
            int mirrored = program->n_stages - 1 - s;
            build_backward_stage(program, &program->forward[mirrored], &program->backward[s]);
            program->backward[s].complete = first_complete_layer(program, mirrored);
        }
    return CS_OK;
}

void od_stages_free(od_program *program) {
    size_t count = ((size_t)program->lowered->n_ops + 1) * 2;
    for (size_t s = 0; s < count; s++) {
        if (program->forward)
            free(program->forward[s].steps);
        if (program->backward)
            free(program->backward[s].steps);
    }
    free(program->forward);
    free(program->backward);
}
