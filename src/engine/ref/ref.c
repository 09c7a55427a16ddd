/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of the reference engine. Compiling a program allocates all memory; a program then runs layer by
 * layer. */
#include "ref.h"

#include "cnnsweep/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const cs_layer *layer_at(const cs_ref_program *program, int l) {
    return &program->head.spec.segment->graph->layers[l];
}

static cs_status ref_open(const cs_engine_options *options, cs_engine **out) {
    CS_TRY(cs_alloc(1, sizeof **out, "the reference engine", out));
    **out = (cs_engine){.ops = &cs_ref_engine, .options = *options};
    return CS_OK;
}

static void ref_close(cs_engine *engine) {
    free(engine);
}

static cs_status take(cs_ref_program *program, size_t count, const char *what, double **out) {
    CS_TRY(cs_alloc(count, sizeof **out, what, out));
    program->bytes += count * sizeof **out;
    return CS_OK;
}

static cs_status take_output(cs_ref_program *program, int l) {
    const cs_layer *layer = layer_at(program, l);
    return take(program, (size_t)program->head.spec.batch * cs_shape_count(layer->out), layer->name,
                &program->outputs[l]);
}

static cs_status plan_inputs(cs_ref_program *program) {
    const cs_program_spec *spec = &program->head.spec;
    const cs_ref_program *upstream = (const cs_ref_program *)spec->upstream;
    for (int i = 0; i < spec->segment->n_inputs; i++)
        if (upstream)
            program->outputs[spec->segment->inputs[i]] = upstream->outputs[spec->upstream->spec.segment->outputs[i]];
        else
            CS_TRY(take_output(program, spec->segment->inputs[i]));
    return CS_OK;
}

/* Does backward need the gradient of this layer's output? It does if this layer or one before it in the segment is
 * trainable, or if the spec asks for its gradient. */
static bool needs_gradient(const cs_ref_program *program, int l) {
    const cs_layer *layer = layer_at(program, l);
    if ((layer->trainable && layer->n_params > 0) || cs_program_asks_gradient(&program->head.spec, l))
        return true;
    for (int i = 0; i < layer->n_inputs; i++)
        if (program->gradients[layer->inputs[i]])
            return true;
    return false;
}

static cs_status take_gradient(cs_ref_program *program, int l) {
    const cs_layer *layer = layer_at(program, l);
    return take(program, (size_t)program->head.spec.batch * cs_shape_count(layer->out), layer->name,
                &program->gradients[l]);
}

/* Allocates the gradients that the spec asks for, and those of the segment's inputs. */
static cs_status plan_asked(cs_ref_program *program) {
    const cs_program_spec *spec = &program->head.spec;
    CS_TRY(cs_alloc((size_t)spec->n_gradients, sizeof *program->asked, "gradients", &program->asked));
    for (int i = 0; i < spec->n_gradients; i++) {
        int l = spec->gradients[i];
        size_t count = (size_t)spec->batch * cs_shape_count(layer_at(program, l)->out);
        CS_TRY(take(program, count, "gradients", &program->asked[i]));
        if (l < spec->segment->begin && !program->gradients[l])
            CS_TRY(take_gradient(program, l));
    }
    return CS_OK;
}

static size_t count_saved(const cs_ref_program *program, const cs_layer *layer) {
    size_t batch = (size_t)program->head.spec.batch;
    if (layer->kind == CS_LAYER_BATCH_NORM)
        return 4 * (size_t)layer->in.c + 1;
    if (layer->kind == CS_LAYER_SEPARABLE_CONV2D)
        return 2 * batch * (size_t)layer->out.h * (size_t)layer->out.w * (size_t)layer->in.c;
    return layer->activation == CS_ACT_SWISH ? batch * cs_shape_count(layer->out) : 0;
}

static cs_status plan_layer(cs_ref_program *program, int l) {
    const cs_layer *layer = layer_at(program, l);
    size_t saved = count_saved(program, layer);
    CS_TRY(take_output(program, l));
    if (saved > 0)
        CS_TRY(take(program, saved, layer->name, &program->saved[l]));
    if (layer->kind == CS_LAYER_DROPOUT && cs_shape_count(layer->out) > program->n_factors)
        program->n_factors = cs_shape_count(layer->out);
    return program->head.spec.mode == CS_MODE_TRAIN && needs_gradient(program, l) ? take_gradient(program, l) : CS_OK;
}

/* A graph appends parameters layer by layer, so the parameters of a segment are one range. */
static cs_status plan_params(cs_ref_program *program) {
    const cs_segment *segment = program->head.spec.segment;
    for (int p = 0; p < segment->graph->n_params; p++) {
        const cs_param *param = &segment->graph->params[p];
        if (param->layer < segment->begin)
            program->first_value = param->offset + param->count;
        else if (param->layer < segment->end)
            program->n_values += param->count;
    }
    for (int array = 0; array < CS_ARRAY_COUNT; array++)
        if (cs_program_has_array(&program->head.spec, (cs_param_array)array))
            CS_TRY(take(program, program->n_values, "parameters", &program->arrays[array]));
    return cs_ref_plan_update(program);
}

static cs_status plan(cs_ref_program *program) {
    const cs_segment *segment = program->head.spec.segment;
    size_t layers = (size_t)segment->graph->n_layers;
    CS_TRY(cs_alloc(layers, sizeof *program->outputs, "outputs", &program->outputs));
    CS_TRY(cs_alloc(layers, sizeof *program->gradients, "gradients", &program->gradients));
    CS_TRY(cs_alloc(layers, sizeof *program->saved, "values for backward", &program->saved));
    CS_TRY(plan_inputs(program));
    CS_TRY(plan_asked(program));
    for (int l = segment->begin; l < segment->end; l++)
        CS_TRY(plan_layer(program, l));
    CS_TRY(cs_alloc(program->n_factors, sizeof *program->factors, "dropout", &program->factors));
    program->bytes += program->n_factors * sizeof *program->factors;
    return plan_params(program);
}

static void ref_release(cs_program *base) {
    cs_ref_program *program = (cs_ref_program *)base;
    const cs_segment *segment = base->spec.segment;
    for (int i = 0; program->outputs && base->spec.upstream && i < segment->n_inputs; i++)
        program->outputs[segment->inputs[i]] = NULL; /* belongs to the upstream program */
    for (int l = 0; l < segment->end; l++) {
        if (program->outputs)
            free(program->outputs[l]);
        if (program->gradients)
            free(program->gradients[l]);
        if (program->saved)
            free(program->saved[l]);
    }
    for (int array = 0; array < CS_ARRAY_COUNT; array++)
        free(program->arrays[array]);
    for (int i = 0; program->asked && i < base->spec.n_gradients; i++)
        free(program->asked[i]);
    free(program->asked);
    free(program->outputs);
    free(program->gradients);
    free(program->saved);
    free(program->factors);
    free(program->update.spans);
    free(program);
}

static cs_status ref_compile(cs_engine *engine, const cs_program_spec *spec, cs_program **out) {
    cs_ref_program *program;
    CS_TRY(cs_alloc(1, sizeof *program, "a program", &program));
    program->head = (cs_program){.ops = engine->ops, .engine = engine, .spec = *spec};
    cs_status status = plan(program);
    if (status != CS_OK)
        ref_release(&program->head);
    else
        *out = &program->head;
    return status;
}

static cs_status ref_load(cs_program *base, cs_param_array array, const cs_params *params) {
    cs_ref_program *program = (cs_ref_program *)base;
    for (size_t i = 0; i < program->n_values; i++)
        program->arrays[array][i] = (double)params->data[program->first_value + i];
    return CS_OK;
}

static cs_status ref_read(cs_program *base, cs_param_array array, cs_params *params) {
    const cs_ref_program *program = (const cs_ref_program *)base;
    for (size_t i = 0; i < program->n_values; i++)
        params->data[program->first_value + i] = (float)program->arrays[array][i];
    return CS_OK;
}

static cs_status set_rows(cs_ref_program *program, int l, const float *values, int n) {
    size_t count = (size_t)n * cs_shape_count(layer_at(program, l)->out);
    for (size_t k = 0; k < count; k++)
        program->outputs[l][k] = (double)values[k];
    return CS_OK;
}

static cs_status ref_set_input(cs_program *base, int i, const float *values, int n) {
    return set_rows((cs_ref_program *)base, cs_program_input_layer(base->spec.segment, i), values, n);
}

static cs_status ref_set_output(cs_program *base, int i, const float *values, int n) {
    return set_rows((cs_ref_program *)base, base->spec.segment->outputs[i], values, n);
}

static cs_status ref_get_output(cs_program *base, int i, float *values, int n) {
    const cs_ref_program *program = (const cs_ref_program *)base;
    int l = base->spec.segment->outputs[i];
    size_t count = (size_t)n * cs_shape_count(layer_at(program, l)->out);
    for (size_t k = 0; k < count; k++)
        values[k] = (float)program->outputs[l][k];
    return CS_OK;
}

static cs_ref_op bind(const cs_ref_program *program, int l, int n, cs_status *status) {
    const cs_graph *graph = program->head.spec.segment->graph;
    const cs_layer *layer = &graph->layers[l];
    bool training = program->head.spec.mode == CS_MODE_TRAIN;
    cs_ref_op op = {.layer = layer, .n = n, .batch_statistics = training && layer->trainable};
    op.comm = program->head.comm;
    op.guided = program->head.spec.guided;
    op.status = status;
    op.out = program->outputs[l];
    op.dout = program->gradients[l];
    op.saved = program->saved[l];
    op.factors = program->factors;
    if (training && cs_graph_drops(graph, l))
        op.draw = &program->head.draw;
    if (layer->kind == CS_LAYER_MULTIPLY)
        op.gated = cs_shape_count(layer->out) != cs_shape_count(graph->layers[layer->inputs[1]].out);
    for (int i = 0; i < layer->n_inputs; i++) {
        op.in[i] = program->outputs[layer->inputs[i]];
        op.channels[i] = graph->layers[layer->inputs[i]].out.c;
        op.din[i] = program->gradients[layer->inputs[i]];
    }
    for (int p = layer->first_param; p < layer->first_param + layer->n_params; p++) {
        const cs_param *param = &graph->params[p];
        size_t offset = param->offset - program->first_value;
        op.param[param->role] = program->arrays[CS_ARRAY_VALUE] + offset;
        if (training && layer->trainable && !cs_param_is_statistic(param))
            op.dparam[param->role] = program->arrays[CS_ARRAY_GRADIENT] + offset;
    }
    return op;
}

/* Rounds outputs that may leave the program as floats, so that layers inside the program read the same values. */
static void round_output(const cs_ref_program *program, int l, int n) {
    size_t count = (size_t)n * cs_shape_count(layer_at(program, l)->out);
    for (size_t k = 0; k < count; k++)
        program->outputs[l][k] = (double)(float)program->outputs[l][k];
}

static cs_status ref_forward(cs_program *base, int n) {
    for (int l = base->spec.segment->begin; l < base->spec.segment->end; l++) {
        cs_status status = CS_OK;
        cs_ref_op op = bind((cs_ref_program *)base, l, n, &status);
        cs_ref_layer_forward(&op);
        CS_TRY(status);
        if (base->spec.mode == CS_MODE_INFER)
            round_output((cs_ref_program *)base, l, n);
    }
    return CS_OK;
}

/* The penalty of a layer's kernel. If `gradient` (the array) is not NULL, the derivative is added to it. */
static double penalty(const cs_ref_program *program, int l, double *gradient) {
    const cs_graph *graph = program->head.spec.segment->graph;
    const cs_layer *layer = &graph->layers[l];
    double sum = 0;
    for (int p = layer->first_param; p < layer->first_param + layer->n_params; p++) {
        const cs_param *param = &graph->params[p];
        cs_penalty of = cs_param_penalty(graph, param);
        for (size_t i = 0; (of.l1 > 0 || of.l2 > 0) && i < param->count; i++) {
            size_t at = param->offset - program->first_value + i;
            double w = program->arrays[CS_ARRAY_VALUE][at];
            sum += of.l2 * w * w + of.l1 * fabs(w);
            if (gradient)
                gradient[at] += 2 * of.l2 * w + of.l1 * cs_sign(w);
        }
    }
    return sum;
}

static cs_status ref_loss(cs_program *base, const cs_targets *targets, int n, float *probabilities, cs_loss *out) {
    const cs_ref_program *program = (const cs_ref_program *)base;
    int last = base->spec.segment->outputs[base->spec.segment->n_outputs - 1];
    if (cs_program_is_binary(base))
        cs_ref_binary_loss(program->outputs[last], targets, n, program->gradients[last], probabilities, out);
    else
        cs_ref_loss(program->outputs[last], targets, n, layer_at(program, last)->out.c, program->gradients[last],
                    probabilities, out);
    for (int l = base->spec.segment->begin; l < base->spec.segment->end; l++)
        out->penalty += penalty(program, l, NULL);
    return CS_OK;
}

/* Clears all gradients but the one that the loss has written for the last output. */
static void clear_gradients(cs_ref_program *program, int n) {
    const cs_segment *segment = program->head.spec.segment;
    int last = segment->outputs[segment->n_outputs - 1];
    memset(program->arrays[CS_ARRAY_GRADIENT], 0, program->n_values * sizeof(double));
    for (int l = 0; l < segment->end; l++)
        if (l != last && program->gradients[l])
            memset(program->gradients[l], 0, (size_t)n * cs_shape_count(layer_at(program, l)->out) * sizeof(double));
}

static void keep_asked(const cs_ref_program *program, int l, int n) {
    for (int i = 0; i < program->head.spec.n_gradients; i++)
        if (program->head.spec.gradients[i] == l)
            memcpy(program->asked[i], program->gradients[l],
                   (size_t)n * cs_shape_count(layer_at(program, l)->out) * sizeof(double));
}

static cs_status ref_set_gradient(cs_program *base, const float *values, int n) {
    const cs_ref_program *program = (const cs_ref_program *)base;
    int last = base->spec.segment->outputs[base->spec.segment->n_outputs - 1];
    size_t count = (size_t)n * cs_shape_count(layer_at(program, last)->out);
    for (size_t i = 0; program->gradients[last] && i < count; i++)
        program->gradients[last][i] = (double)values[i];
    return CS_OK;
}

static cs_status ref_get_gradient(cs_program *base, int i, float *values, int n) {
    const cs_ref_program *program = (const cs_ref_program *)base;
    size_t count = (size_t)n * cs_shape_count(layer_at(program, base->spec.gradients[i])->out);
    for (size_t k = 0; k < count; k++)
        values[k] = (float)program->asked[i][k];
    return CS_OK;
}

static cs_status ref_backward(cs_program *base, int n) {
    cs_ref_program *program = (cs_ref_program *)base;
    clear_gradients(program, n);
    for (int l = base->spec.segment->end - 1; l >= base->spec.segment->begin; l--) {
        cs_status status = CS_OK;
        keep_asked(program, l, n);
        if (program->gradients[l]) {
            cs_ref_op op = bind(program, l, n, &status);
            cs_ref_layer_backward(&op);
        }
        CS_TRY(status);
        (void)penalty(program, l, program->arrays[CS_ARRAY_GRADIENT]);
        CS_TRY(cs_program_report_gradients(base, l));
    }
    for (int i = 0; i < base->spec.segment->n_inputs; i++)
        keep_asked(program, base->spec.segment->inputs[i], n);
    return CS_OK;
}

static size_t ref_move_bucket(cs_program *base, const cs_bucket *bucket, float *out, const float *in) {
    const cs_ref_program *program = (const cs_ref_program *)base;
    const cs_segment *segment = base->spec.segment;
    double *array = program->arrays[cs_bucket_array(bucket)];
    size_t count = 0;
    for (int p = 0; p < segment->graph->n_params; p++) {
        const cs_param *param = &segment->graph->params[p];
        if (!cs_param_is_in_bucket(segment->graph, param, bucket))
            continue;
        double *values = array + (param->offset - program->first_value);
        for (size_t i = 0; i < param->count; i++, count++) {
            if (out)
                out[count] = (float)values[i];
            if (in)
                values[i] = (double)in[count];
        }
    }
    return count;
}

static void ref_describe(const cs_program *base, FILE *out) {
    for (int l = base->spec.segment->begin; l < base->spec.segment->end; l++) {
        const cs_layer *layer = layer_at((const cs_ref_program *)base, l);
        fprintf(out, "%-32s %-24s ref:plain [%d,%d,%d,%d]\n", layer->name, cs_layer_kind_name(layer->kind),
                base->spec.batch, layer->out.h, layer->out.w, layer->out.c);
    }
}

static size_t ref_memory(const cs_program *base) {
    return ((const cs_ref_program *)base)->bytes;
}

const cs_engine_ops cs_ref_engine = {
    .name = "ref",
    .doc = "plain loops in double: slow, and what the other engines are checked against",
    .open = ref_open,
    .close = ref_close,
    .compile = ref_compile,
    .release = ref_release,
    .load = ref_load,
    .read = ref_read,
    .set_input = ref_set_input,
    .get_output = ref_get_output,
    .set_output = ref_set_output,
    .forward = ref_forward,
    .loss = ref_loss,
    .set_gradient = ref_set_gradient,
    .backward = ref_backward,
    .get_gradient = ref_get_gradient,
    .update = cs_ref_update,
    .move_bucket = ref_move_bucket,
    .describe = ref_describe,
    .memory = ref_memory,
};
