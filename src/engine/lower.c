/* SPDX-License-Identifier: Apache-2.0 */
#include "lower.h"
#include "engine_impl.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>

/* The state of the pass over the layers. */
typedef struct lowering {
    const cs_program_spec *spec;
    const cs_segment *segment;
    cs_mode mode;
    cs_lowered *out;
    int *value_of;      /* layer -> value that holds its output, or CS_NO_LAYER */
    int *readers;       /* layer -> number of layers that read it; being an output of the segment counts, too */
    cs_window *padding; /* layer -> padding of a zero-padding that will be fused into its convolution */
} lowering;

void cs_lowered_free(cs_lowered *lowered) {
    if (!lowered)
        return;
    free(lowered->ops);
    free(lowered->values);
    free(lowered->inputs);
    free(lowered->outputs);
    free(lowered->gradients);
    free(lowered);
}

bool cs_op_uses(const cs_op *op, const cs_layer *layer, cs_param_role role) {
    if (op->kind == CS_OP_ACTIVATION || op->kind == CS_OP_GUIDE) /* these follow the operation that has them */
        return false;
    if (layer->kind != CS_LAYER_SEPARABLE_CONV2D)
        return true;
    return role == op->kernel || (role == CS_PARAM_BIAS && op->kind == CS_OP_CONV);
}

static const cs_layer *layer_at(const lowering *low, int layer) {
    return &low->segment->graph->layers[layer];
}

static int new_value(lowering *low, int layer, int producer) {
    int value = low->out->n_values++;
    low->out->values[value] = (cs_value){.layer = layer, .shape = layer_at(low, layer)->out, .producer = producer};
    low->value_of[layer] = value;
    return value;
}

/* From now on `layer` is an alias of its input, and each of the two has the readers of both. */
static void alias(lowering *low, int layer) {
    int input = layer_at(low, layer)->inputs[0];
    low->value_of[layer] = low->value_of[input];
    low->readers[input] += low->readers[layer] - 1;
    low->readers[layer] = low->readers[input];
}

/* The operation whose output `layer` reads, if `layer` is its only reader, so that the two may be fused; else NULL. */
static cs_op *sole_producer(lowering *low, const cs_layer *layer) {
    int input = layer->inputs[0];
    int value = low->value_of[input];
    if (value < 0 || low->readers[input] != 1 || low->padding[input].kernel_h)
        return NULL;
    int producer = low->out->values[value].producer;
    return producer == CS_NO_LAYER ? NULL : &low->out->ops[producer];
}

/* Fuses `layer` into `op`, whose output becomes the layer's. */
static void fuse(lowering *low, cs_op *op, int layer) {
    low->out->values[op->output].layer = layer;
    low->out->values[op->output].shape = layer_at(low, layer)->out;
    low->value_of[layer] = op->output;
}

static bool is_convolution(const cs_op *op) {
    return op->kind == CS_OP_CONV || op->kind == CS_OP_DEPTHWISE;
}

static bool try_fuse(lowering *low, int index) {
    const cs_layer *layer = layer_at(low, index);
    cs_op *before = layer->n_inputs == 1 ? sole_producer(low, layer) : NULL;
    if (!before || before->activation != CS_ACT_LINEAR)
        return false;
    if (layer->kind == CS_LAYER_BATCH_NORM && low->mode == CS_MODE_INFER &&
        cs_layer_takes_norm(low->segment->graph, layer->inputs[0]) && before->batch_norm == CS_NO_LAYER) {
        before->batch_norm = index;
        fuse(low, before, index);
        return true;
    }
    bool takes_activation = before->kind == CS_OP_BATCH_NORM ||
                            (low->mode == CS_MODE_INFER && (is_convolution(before) || before->kind == CS_OP_DENSE));
    if (layer->kind == CS_LAYER_ACTIVATION && !cs_activation_is_last(layer->activation) && takes_activation) {
        before->activation = layer->activation;
        fuse(low, before, index);
        return true;
    }
    return false;
}

/* A zero-padding that only one convolution reads becomes part of that convolution. */
static bool try_defer_padding(lowering *low, int index) {
    const cs_layer *layer = layer_at(low, index);
    if (layer->kind != CS_LAYER_ZERO_PAD || low->readers[index] != 1 || index + 1 >= low->segment->end)
        return false;
    for (int reader = index + 1; reader < low->segment->end; reader++) {
        const cs_layer *next = layer_at(low, reader);
        for (int i = 0; i < next->n_inputs; i++)
            if (next->inputs[i] == index) {
                if (!cs_layer_is_convolution(next))
                    return false;
                low->value_of[index] = low->value_of[layer->inputs[0]];
                low->padding[index] = layer->window;
                low->padding[index].kernel_h = 1; /* marks the padding as set */
                return true;
            }
    }
    return false;
}

static bool drops(const lowering *low, int index) {
    return low->mode == CS_MODE_TRAIN && cs_graph_drops(low->segment->graph, index);
}

/* A dropout that drops nothing becomes an alias, unless the spec asks for its gradient: as an alias it would have the
 * gradient of its input, which other layers may read, too. */
static bool try_drop_dropout(lowering *low, int index) {
    const cs_layer *layer = layer_at(low, index);
    if (layer->kind != CS_LAYER_DROPOUT || drops(low, index) || low->padding[layer->inputs[0]].kernel_h ||
        cs_program_asks_gradient(low->spec, index))
        return false;
    alias(low, index);
    return true;
}

static cs_op_kind op_kind(const lowering *low, int index) {
    cs_layer_kind kind = layer_at(low, index)->kind;
    static const cs_op_kind kinds[CS_LAYER_KIND_COUNT] = {
        [CS_LAYER_CONV2D] = CS_OP_CONV,
        [CS_LAYER_DEPTHWISE_CONV2D] = CS_OP_DEPTHWISE,
        [CS_LAYER_SEPARABLE_CONV2D] = CS_OP_DEPTHWISE, /* followed by a CS_OP_CONV */
        [CS_LAYER_BATCH_NORM] = CS_OP_BATCH_NORM,
        [CS_LAYER_RESCALING] = CS_OP_SCALE,
        [CS_LAYER_NORMALIZATION] = CS_OP_SCALE,
        [CS_LAYER_ACTIVATION] = CS_OP_ACTIVATION,
        [CS_LAYER_MAX_POOL] = CS_OP_MAX_POOL,
        [CS_LAYER_AVERAGE_POOL] = CS_OP_AVERAGE_POOL,
        [CS_LAYER_GLOBAL_AVERAGE_POOL] = CS_OP_GLOBAL_AVERAGE,
        [CS_LAYER_ZERO_PAD] = CS_OP_ZERO_PAD,
        [CS_LAYER_ADD] = CS_OP_ADD,
        [CS_LAYER_MULTIPLY] = CS_OP_MULTIPLY,
        [CS_LAYER_CONCATENATE] = CS_OP_CONCATENATE,
        [CS_LAYER_FLATTEN] = CS_OP_RESHAPE,
        [CS_LAYER_RESHAPE] = CS_OP_RESHAPE,
        [CS_LAYER_DROPOUT] = CS_OP_DROPOUT,
        [CS_LAYER_DENSE] = CS_OP_DENSE,
    };
    bool copies = kind == CS_LAYER_DROPOUT && !drops(low, index);
    return copies ? CS_OP_ACTIVATION : kinds[kind]; /* a linear activation copies */
}

static cs_op *append_op(lowering *low, cs_op_kind kind, int index) {
    const cs_layer *layer = layer_at(low, index);
    cs_op *op = &low->out->ops[low->out->n_ops++];
    *op = (cs_op){.kind = kind, .layer = index, .batch_norm = CS_NO_LAYER, .window = layer->window};
    return op;
}

/* Appends the 1x1 convolution after the depthwise convolution, whose output is the layer's until then. */
static void emit_pointwise(lowering *low, cs_op *depthwise, int index) {
    cs_value *middle = &low->out->values[depthwise->output];
    middle->shape.c = layer_at(low, index)->in.c;
    cs_op *op = append_op(low, CS_OP_CONV, index);
    op->kernel = CS_PARAM_POINTWISE_KERNEL;
    op->window = (cs_window){.kernel_h = 1, .kernel_w = 1, .stride_h = 1, .stride_w = 1};
    op->n_inputs = 1;
    op->inputs[0] = depthwise->output;
    op->trainable = depthwise->trainable;
    op->output = new_value(low, index, (int)(op - low->out->ops));
}

static void emit(lowering *low, int index) {
    const cs_layer *layer = layer_at(low, index);
    cs_op *op = append_op(low, op_kind(low, index), index);
    op->n_inputs = layer->n_inputs;
    for (int i = 0; i < layer->n_inputs; i++) {
        op->inputs[i] = low->value_of[layer->inputs[i]];
        const cs_window *padding = &low->padding[layer->inputs[i]];
        if (padding->kernel_h) {
            op->window.pad_top += padding->pad_top;
            op->window.pad_bottom += padding->pad_bottom;
            op->window.pad_left += padding->pad_left;
            op->window.pad_right += padding->pad_right;
        }
    }
    op->trainable =
        low->mode == CS_MODE_TRAIN && layer->trainable && cs_layer_has_trainable_params(low->segment->graph, index);
    op->output = new_value(low, index, (int)(op - low->out->ops));
    if (layer->kind == CS_LAYER_SEPARABLE_CONV2D)
        emit_pointwise(low, op, index);

    /* Keras' activation= argument. In training it becomes an operation of its own. Softmax is part of the loss. */
    bool has_argument = layer->kind == CS_LAYER_CONV2D || layer->kind == CS_LAYER_DEPTHWISE_CONV2D ||
                        layer->kind == CS_LAYER_DENSE || layer->kind == CS_LAYER_ACTIVATION;
    if (!has_argument || layer->activation == CS_ACT_LINEAR || cs_activation_is_last(layer->activation))
        return;
    if (layer->kind == CS_LAYER_ACTIVATION || low->mode == CS_MODE_INFER) {
        op->activation = layer->activation;
        return;
    }
    cs_op *activation = append_op(low, CS_OP_ACTIVATION, index);
    activation->activation = layer->activation;
    activation->n_inputs = 1;
    activation->inputs[0] = low->value_of[index];
    activation->output = new_value(low, index, (int)(activation - low->out->ops));
}

/* A ReLU is complete when all operations of its layer are, so that the gradient which a spec asks for is the one before
 * it is guided. */
static void guide(lowering *low, int index) {
    const cs_activation activation = layer_at(low, index)->activation;
    if (!low->spec->guided || low->mode != CS_MODE_TRAIN || (activation != CS_ACT_RELU && activation != CS_ACT_RELU6))
        return;
    cs_op *op = append_op(low, CS_OP_GUIDE, index);
    op->n_inputs = 1;
    op->inputs[0] = low->value_of[index];
    op->output = new_value(low, index, (int)(op - low->out->ops));
}

static void count_readers(lowering *low) {
    const cs_segment *segment = low->segment;
    for (int i = segment->begin; i < segment->end; i++)
        for (int k = 0; k < layer_at(low, i)->n_inputs; k++)
            low->readers[layer_at(low, i)->inputs[k]]++;
    for (int i = 0; i < segment->n_outputs; i++)
        low->readers[segment->outputs[i]] += 2; /* an output of the segment is never fused away */
    for (int i = 0; i < low->spec->n_gradients; i++)
        low->readers[low->spec->gradients[i]] += 2;
}

static void mark_asked(lowering *low) {
    for (int i = 0; i < low->spec->n_gradients; i++) {
        low->out->gradients[i] = low->value_of[low->spec->gradients[i]];
        cs_value *value = &low->out->values[low->out->gradients[i]];
        value->keeps_grad = value->needs_grad = true;
    }
}

static void mark_gradients(lowering *low) {
    for (int i = 0; i < low->out->n_ops; i++) {
        const cs_op *op = &low->out->ops[i];
        bool needs = op->trainable || low->out->values[op->output].needs_grad;
        for (int k = 0; k < op->n_inputs; k++)
            needs |= low->out->values[op->inputs[k]].needs_grad;
        low->out->values[op->output].needs_grad = needs;
    }
    /* A value on which the last output does not depend has no gradient, because backward would never write it. */
    if (low->out->n_outputs > 0)
        low->out->values[low->out->outputs[low->out->n_outputs - 1]].in_loss = true;
    for (int i = low->out->n_ops - 1; i >= 0; i--) {
        cs_op *op = &low->out->ops[i];
        cs_value *output = &low->out->values[op->output];
        for (int k = 0; k < op->n_inputs; k++)
            low->out->values[op->inputs[k]].in_loss |= output->in_loss;
        op->trainable &= output->in_loss;
    }
    for (int v = 0; v < low->out->n_values; v++)
        low->out->values[v].needs_grad &= low->out->values[v].in_loss;
}

static cs_status allocate(lowering *low) {
    const cs_segment *segment = low->segment;
    size_t n_layers = (size_t)segment->graph->n_layers, span = (size_t)(segment->end - segment->begin);
    size_t most = 3 * span + (size_t)segment->n_inputs + 1; /* a layer gives at most three operations */
    CS_TRY(cs_alloc(1, sizeof *low->out, "lowered segment", &low->out));
    CS_TRY(cs_alloc(most, sizeof *low->out->ops, "operations", &low->out->ops));
    CS_TRY(cs_alloc(most, sizeof *low->out->values, "values", &low->out->values));
    CS_TRY(cs_alloc((size_t)segment->n_inputs + 1, sizeof(int), "segment inputs", &low->out->inputs));
    CS_TRY(cs_alloc((size_t)segment->n_outputs, sizeof(int), "segment outputs", &low->out->outputs));
    CS_TRY(cs_alloc((size_t)low->spec->n_gradients, sizeof(int), "gradients", &low->out->gradients));
    CS_TRY(cs_alloc(n_layers, sizeof *low->value_of, "lowering", &low->value_of));
    CS_TRY(cs_alloc(n_layers, sizeof *low->readers, "lowering", &low->readers));
    CS_TRY(cs_alloc(n_layers, sizeof *low->padding, "lowering", &low->padding));
    for (size_t i = 0; i < n_layers; i++)
        low->value_of[i] = CS_NO_LAYER;
    return CS_OK;
}

static void walk(lowering *low) {
    const cs_segment *segment = low->segment;
    cs_lowered *out = low->out;
    for (int i = 0; i < segment->n_inputs; i++)
        out->inputs[out->n_inputs++] = new_value(low, segment->inputs[i], CS_NO_LAYER);
    for (int i = segment->begin; i < segment->end; i++) {
        if (layer_at(low, i)->kind == CS_LAYER_INPUT)
            out->inputs[out->n_inputs++] = new_value(low, i, CS_NO_LAYER);
        else if (!try_fuse(low, i) && !try_defer_padding(low, i) && !try_drop_dropout(low, i))
            emit(low, i);
        guide(low, i);
    }
    out->n_outputs = segment->n_outputs;
    for (int i = 0; i < out->n_outputs; i++) {
        out->outputs[i] = low->value_of[segment->outputs[i]];
        out->values[out->outputs[i]].is_output = true;
    }
    mark_asked(low);
    mark_gradients(low);
}

cs_status cs_lower(const cs_program_spec *spec, cs_lowered **out) {
    lowering low = {.spec = spec, .segment = spec->segment, .mode = spec->mode};
    cs_status status;
    CS_TRY_GOTO(allocate(&low), done);
    count_readers(&low);
    walk(&low);
    *out = low.out;
    low.out = NULL;
done:
    free(low.value_of);
    free(low.readers);
    free(low.padding);
    cs_lowered_free(low.out);
    return status;
}
