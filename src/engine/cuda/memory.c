/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"
#include "fuse.h"
#include "node.h"
#include "store.h"

#include "arena.h"

#include "cnnsweep/memory.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Plans the memory of values and gradients. Operation i runs at time i, the loss at n_ops, and the backward of
 * operation i at 2*n_ops - i. */

typedef struct planner {
    cu_program *program;
    cs_arena_block *blocks;
    int n_blocks;
} planner;

static void add_block(planner *p, cu_tensor *tensor, size_t item, int first, int last) {
    size_t bytes = tensor->row * (size_t)p->program->base.spec.batch * item;
    p->blocks[p->n_blocks++] = (cs_arena_block){tensor, cu_aligned(bytes), 0, first, last};
}

static int backward_time(const cu_program *program, int op) {
    return 2 * program->lowered->n_ops - op;
}

static bool runs_backward(const cu_program *program, int op) {
    return program->grads[program->lowered->ops[op].output].wanted;
}

/* Does backward of the operation read the value? For a batch norm with a residual it reads only the normalised
 * input. */
static bool is_read_again(const cu_program *program, int op, int value) {
    const cs_op *by = &program->lowered->ops[op];
    bool residual = cu_has_residual(by) && by->inputs[0] != value;
    return runs_backward(program, op) && program->nodes[op].class->reads && !residual;
}

static bool is_read_by(const cs_op *op, int value) {
    for (int k = 0; k < op->n_inputs; k++)
        if (op->inputs[k] == value)
            return true;
    return false;
}

/* The inputs of a segment have their memory for themselves: rows that take no part in a step then hold the finite
 * values of an earlier step. */
static void add_value(planner *p, int v) {
    const cu_program *program = p->program;
    const cs_value *value = &program->lowered->values[v];
    int first = value->producer, last = first;
    if (program->values[v].data) /* belongs to the upstream program */
        return;
    if (first != CS_NO_LAYER && cu_asks_output(&program->lowered->ops[first]) && runs_backward(program, first))
        last = backward_time(program, first);
    for (int i = 0; i < program->lowered->n_ops; i++) {
        const cs_op *op = &program->lowered->ops[i];
        if (!is_read_by(op, v))
            continue;
        int time = is_read_again(program, i, v) ? backward_time(program, i) : i;
        last = time > last ? time : last;
    }
    if (value->producer == CS_NO_LAYER || value->is_output)
        last = INT_MAX;
    add_block(p, &program->values[v], cu_type_size(program->engine->type), first, last);
}

/* The value whose gradient becomes, in place, the gradient of `v`, or CS_NO_LAYER. */
static int passed_on_by(const cu_program *program, int v) {
    for (int i = 0; i < program->lowered->n_ops; i++)
        if (program->nodes[i].passes_on && program->lowered->ops[i].inputs[1] == v)
            return program->lowered->ops[i].output;
    return CS_NO_LAYER;
}

/* The last value to which the gradient of `v` is passed on in place; `v` itself if it is not passed on. */
static int passed_on_to(const cu_program *program, int v) {
    int producer = program->lowered->values[v].producer;
    while (producer != CS_NO_LAYER && program->nodes[producer].passes_on) {
        v = program->lowered->ops[producer].inputs[1];
        producer = program->lowered->values[v].producer;
    }
    return v;
}

/* The time at which the loss, or backward of the last reader, first writes the gradient. */
static int begin_of_gradient(const cu_program *program, int v) {
    const cs_value *value = &program->lowered->values[v];
    int first = value->is_output ? program->lowered->n_ops : backward_time(program, value->producer);
    for (int i = 0; i < program->lowered->n_ops; i++)
        if (is_read_by(&program->lowered->ops[i], v) && runs_backward(program, i) && backward_time(program, i) < first)
            first = backward_time(program, i);
    return first;
}

/* A gradient is needed until backward of the value's producer, or for ever if the spec asks for it. */
static void add_gradient(planner *p, int v) {
    const cu_program *program = p->program;
    if (!program->grads[v].wanted || passed_on_to(program, v) != v)
        return;
    int first = v;
    for (int w = v; w != CS_NO_LAYER; w = passed_on_by(program, w))
        first = w;
    const cs_value *value = &program->lowered->values[v];
    add_block(p, &program->grads[v], cu_type_size(program->engine->type), begin_of_gradient(program, first),
              value->keeps_grad ? INT_MAX : backward_time(program, value->producer));
}

static void add_own(planner *p, int op) {
    const cu_program *program = p->program;
    cu_node *node = &program->nodes[op];
    int back = backward_time(program, op);
    if (node->scratch.wanted)
        add_block(p, &node->scratch, cu_type_size(program->engine->type), back, back);
    if (node->argmax.wanted)
        add_block(p, &node->argmax, 1, op, back);
}

static cs_status place_tensors(cu_program *program) {
    planner p = {.program = program};
    cs_status status;
    size_t most = 2 * ((size_t)program->lowered->n_values + (size_t)program->lowered->n_ops), total;
    CS_TRY_GOTO(cs_alloc(most, sizeof *p.blocks, "memory plan", &p.blocks), done);
    for (int v = 0; v < program->lowered->n_values; v++) {
        add_value(&p, v);
        add_gradient(&p, v);
    }
    for (int i = 0; i < program->lowered->n_ops; i++)
        add_own(&p, i);
    total = cs_arena_place(p.blocks, p.n_blocks);
    if (total > 0)
        CS_TRY_GOTO(cu_alloc(program->engine->device, total, "activations", &program->arena), done);
    program->bytes += total;
    for (int i = 0; i < p.n_blocks; i++)
        ((cu_tensor *)p.blocks[i].owner)->data = (char *)program->arena + p.blocks[i].offset;
    for (int v = 0; v < program->lowered->n_values; v++)
        program->grads[v].data = program->grads[passed_on_to(program, v)].data;
done:
    free(p.blocks);
    return status;
}

/* Memory that a program keeps from step to step. */

static void place_device(cu_program *program, cu_cursor *cursor) {
    size_t batch = (size_t)program->base.spec.batch, n_penalties = (size_t)program->n_penalties;
    size_t n_terms = n_penalties + (size_t)program->n_norms;
    size_t sums = (2 * (size_t)program->most_channels + 1) * sizeof(double);
    size_t logits = batch * (size_t)cu_classes_of(program);
    program->step = cu_take(cursor, sizeof *program->step);
    program->samples = cu_take(cursor, batch * sizeof *program->samples);
    program->labels = cu_take(cursor, batch * sizeof *program->labels);
    program->soft = cu_take(cursor, logits * sizeof *program->soft);
    program->pictures.device = cu_take(cursor, cu_pictures_bytes(program));
    program->sweeps = cu_take(cursor, cu_sweeps_bytes(program));
    program->keep.device = cu_take(cursor, batch * sizeof(int64_t));
    program->use.device = cu_take(cursor, batch * sizeof(int64_t));
    program->sums = cu_take(cursor, sums);
    program->all_sums = cu_take(cursor, sums);
    program->row_sums = cu_take(cursor, batch * sizeof *program->row_sums);
    program->row_correct = cu_take(cursor, batch * sizeof *program->row_correct);
    program->probabilities = cu_take(cursor, logits * sizeof *program->probabilities);
    program->loss = cu_take(cursor, sizeof *program->loss);
    program->penalties_device = cu_take(cursor, n_terms * sizeof *program->penalties_device);
    program->penalty_scratch = cu_take(cursor, n_penalties * sizeof *program->penalty_scratch);
    for (int i = 0; i < 2; i++)
        program->norms[i] = cu_take(cursor, (size_t)program->n_norms * sizeof *program->norms[i]);
    program->workspace = cu_take(cursor, program->workspace_bytes);
    program->typed = cu_take(cursor, program->typed_bytes);
    if (program->engine->type != CU_F32)
        program->floats = cu_take(cursor, program->staging_count * sizeof *program->floats);
    for (int i = 0; i < program->lowered->n_ops; i++) {
        cu_node *node = &program->nodes[i];
        if (node->class->place)
            node->class->place(node, cursor);
    }
}

static void place_pinned(cu_program *program, cu_cursor *cursor) {
    size_t batch = (size_t)program->base.spec.batch, logits = batch * (size_t)cu_classes_of(program);
    cu_upload *const uploads[] = {&program->forward_upload, &program->loss_upload};
    for (size_t i = 0; i < sizeof uploads / sizeof *uploads; i++)
        uploads[i]->step = cu_take(cursor, sizeof *uploads[i]->step);
    program->samples_host = cu_take(cursor, batch * sizeof *program->samples_host);
    program->labels_host = cu_take(cursor, batch * sizeof *program->labels_host);
    program->soft_host = cu_take(cursor, logits * sizeof *program->soft_host);
    program->pictures.host = cu_take(cursor, cu_pictures_bytes(program));
    program->keep.host = cu_take(cursor, batch * sizeof(int64_t));
    program->use.host = cu_take(cursor, batch * sizeof(int64_t));
    program->sums_host = cu_take(cursor, (2 * (size_t)program->most_channels + 1) * sizeof(double));
    program->probabilities_host = cu_take(cursor, logits * sizeof *program->probabilities_host);
    program->loss_host = cu_take(cursor, sizeof *program->loss_host);
    program->staging = cu_take(cursor, program->staging_count * sizeof *program->staging);
}

static void measure(cu_program *program) {
    size_t batch = (size_t)program->base.spec.batch;
    for (int i = 0; i < program->params.n; i++)
        cu_want(&program->staging_count, program->params.rows[i].count);
    size_t n_terms = (size_t)program->n_penalties + (size_t)program->n_norms;
    cu_want(&program->staging_count, n_terms * sizeof(cu_penalty) / sizeof(float));
    for (int v = 0; v < program->lowered->n_values; v++) {
        const cs_value *value = &program->lowered->values[v];
        if (value->producer == CS_NO_LAYER || value->is_output || value->keeps_grad)
            cu_want(&program->staging_count, batch * program->values[v].row);
        if (program->values[v].shape.c > program->most_channels)
            program->most_channels = program->values[v].shape.c;
    }
    cu_want(&program->staging_count, (size_t)program->most_channels);
}

static cs_status open_events(cu_program *program) {
    cu_event **const events[] = {&program->staged,        &program->forward_upload.sent, &program->loss_upload.sent,
                                 &program->pictures.sent, &program->keep.sent,           &program->use.sent};
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        CS_TRY(cu_event_open(program->engine->device, events[i]));
        CS_TRY(cu_event_record(program->engine->device, *events[i]));
    }
    return CS_OK;
}

cs_status cu_memory_plan(cu_program *program) {
    cu_device *device = program->engine->device;
    cu_cursor device_cursor = {0}, host_cursor = {0};
    measure(program);
    size_t channels = (size_t)program->most_channels;
    CS_TRY(cs_alloc(channels, sizeof(float), "folding", &program->fold_scale));
    CS_TRY(cs_alloc(channels, sizeof(float), "folding", &program->fold_shift));
    CS_TRY(place_tensors(program));
    place_device(program, &device_cursor);
    place_pinned(program, &host_cursor);
    CS_TRY(cu_alloc(device, device_cursor.used, "workspaces", &program->block));
    program->bytes += device_cursor.used;
    CS_TRY(cu_alloc_pinned(device, host_cursor.used, "staging", &program->pinned));
    device_cursor = (cu_cursor){.base = program->block};
    host_cursor = (cu_cursor){.base = program->pinned};
    place_device(program, &device_cursor);
    place_pinned(program, &host_cursor);
    CS_TRY(open_events(program));
    size_t bytes = ((size_t)program->n_penalties + (size_t)program->n_norms) * sizeof *program->penalties;
    if (bytes == 0)
        return CS_OK;
    memcpy(program->staging, program->penalties, bytes);
    CS_TRY(cu_copy_in(device, program->penalties_device, program->staging, bytes));
    return cu_event_record(device, program->staged);
}

void cu_memory_free(cu_program *program) {
    cu_device *device = program->engine->device;
    cu_event_close(program->staged);
    cu_event_close(program->forward_upload.sent);
    cu_event_close(program->loss_upload.sent);
    cu_event_close(program->pictures.sent);
    cu_event_close(program->keep.sent);
    cu_event_close(program->use.sent);
    cu_free(device, program->arena);
    cu_free(device, program->block);
    cu_free_pinned(device, program->pinned);
    free(program->fold_scale);
    free(program->fold_shift);
}
