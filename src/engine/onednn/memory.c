/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"
#include "arena.h"

#include "cnnsweep/memory.h"

#include <limits.h>
#include <stdlib.h>

/* Plans the tensors that are kept. Forward stage s runs at time s, the loss at n_stages, and the backward of stage s at
 * 2*n_stages - s. */
typedef struct planner {
    od_program *program;
    cs_arena_block *blocks;
    int n_blocks;
} planner;

static size_t aligned(size_t count) {
    size_t line = CS_CACHE_LINE / sizeof(float);
    return (count + line - 1) / line * line;
}

static void add_block(planner *p, od_tensor *tensor, int first, int last) {
    size_t count = aligned(tensor->row * (size_t)p->program->rows);
    p->blocks[p->n_blocks++] = (cs_arena_block){tensor, count, 0, first, last};
}

static int backward_time(const od_program *program, int stage) {
    return 2 * program->n_stages - stage;
}

static void add_value(planner *p, int v) {
    od_program *program = p->program;
    const cs_value *value = &program->lowered->values[v];
    if (program->values[v].data || program->values[v].scratch) /* belongs to the upstream program, or is scratch */
        return;
    int first = value->producer == CS_NO_LAYER ? -1 : program->nodes[value->producer].last_stage, last = first;
    for (int i = 0; i < program->lowered->n_ops; i++)
        for (int k = 0; k < program->nodes[i].op->n_inputs; k++)
            if (program->nodes[i].op->inputs[k] == v && program->nodes[i].last_stage > last)
                last = program->nodes[i].last_stage;
    if (program->training)
        last = first < 0 ? INT_MAX : backward_time(program, first);
    if (value->is_output)
        last = INT_MAX;
    add_block(p, &program->values[v], first, last);
}

static void add_gradient(planner *p, int v) {
    od_program *program = p->program;
    const cs_value *value = &program->lowered->values[v];
    od_tensor *grad = &program->grads[v];
    if (!grad->wanted || grad->scratch)
        return;
    int first = value->is_output ? program->n_stages : INT_MAX;
    int last = value->keeps_grad ? INT_MAX : backward_time(program, program->nodes[value->producer].first_stage);
    for (int i = 0; i < program->lowered->n_ops; i++)
        for (int k = 0; k < program->nodes[i].op->n_inputs; k++) {
            int time = backward_time(program, program->nodes[i].last_stage);
            if (program->nodes[i].op->inputs[k] == v && time < first)
                first = time;
        }
    add_block(p, grad, first, last);
}

/* Places the scratch tensors of a stage one after the other. All stages share the same memory. With `base` NULL it only
 * measures how much is needed. */
static void take_scratch(od_tensor *tensor, int chunk, float *base, size_t *used) {
    if (base)
        tensor->data = base + *used;
    *used += aligned(tensor->row * (size_t)chunk);
}

static size_t stage_scratch(od_program *program, int stage, float *base) {
    size_t used = 0;
    int chunk = program->forward[stage].chunk;
    for (int v = 0; v < program->lowered->n_values; v++) {
        int producer = program->lowered->values[v].producer;
        if (producer == CS_NO_LAYER || program->nodes[producer].last_stage != stage)
            continue;
        if (program->values[v].scratch)
            take_scratch(&program->values[v], chunk, base, &used);
        if (program->grads[v].wanted && program->grads[v].scratch)
            take_scratch(&program->grads[v], chunk, base, &used);
    }
    for (int i = 0; i < program->lowered->n_ops; i++)
        for (int k = 0; k < program->nodes[i].op->n_inputs; k++)
            if (program->nodes[i].first_stage == stage && program->nodes[i].accumulate[k])
                take_scratch(&program->nodes[i].input_grads[k], chunk, base, &used);
    return used;
}

static cs_status place_scratch(od_program *program) {
    for (int s = 0; s < program->n_stages; s++) {
        size_t used = stage_scratch(program, s, NULL);
        if (used > program->scratch_count)
            program->scratch_count = used;
    }
    CS_TRY(cs_alloc_aligned(program->scratch_count, sizeof(float), "scratch tensors", &program->scratch));
    for (int s = 0; s < program->n_stages; s++)
        (void)stage_scratch(program, s, program->scratch);
    return CS_OK;
}

cs_status od_memory_plan(od_program *program) {
    planner p = {.program = program};
    cs_status status;
    CS_TRY_GOTO(cs_alloc(2 * (size_t)program->lowered->n_values, sizeof *p.blocks, "memory plan", &p.blocks), done);
    for (int v = 0; v < program->lowered->n_values; v++) {
        add_value(&p, v);
        if (program->training)
            add_gradient(&p, v);
    }
    program->arena_count = cs_arena_place(p.blocks, p.n_blocks);
    CS_TRY_GOTO(cs_alloc_aligned(program->arena_count, sizeof(float), "activations", &program->arena), done);
    for (int i = 0; i < p.n_blocks; i++)
        ((od_tensor *)p.blocks[i].owner)->data = program->arena + p.blocks[i].offset;
    CS_TRY_GOTO(place_scratch(program), done);
    for (int i = 0; i < program->lowered->n_ops; i++)
        for (int k = 0; k < program->nodes[i].op->n_inputs; k++)
            if (!program->nodes[i].accumulate[k])
                program->nodes[i].input_grads[k].data = program->grads[program->nodes[i].op->inputs[k]].data;
done:
    free(p.blocks);
    return status;
}
