/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_impl.h"

#include "cnnsweep/random.h"

#include <math.h>
#include <string.h>

const char *cs_precision_name(cs_precision precision) {
    static const char *const names[CS_PRECISION_COUNT] = {[CS_PRECISION_FP32] = "fp32",
                                                          [CS_PRECISION_TF32] = "tf32",
                                                          [CS_PRECISION_BF16] = "bf16",
                                                          [CS_PRECISION_FP16] = "fp16"};
    return names[precision];
}

void cs_engine_close(cs_engine *engine) {
    if (engine)
        engine->ops->close(engine);
}

const char *cs_engine_name(const cs_engine *engine) {
    return engine->ops->name;
}

const char *cs_engine_label(const cs_engine *engine) {
    return engine->label;
}

const cs_device_info *cs_engine_device_info(const cs_engine *engine) {
    return &engine->device_info;
}

/* Ranks with different engines would not make the same sequence of collective calls. */
cs_status cs_engine_join(cs_engine *engine, const cs_comm *comm, bool *able) {
    *able = false;
    if (!comm || comm->size == 1)
        return CS_OK;
    const double mine = cs_hash_name(engine->label);
    double all = mine;
    CS_TRY(comm->sum_double(comm->context, &all, 1));
    return all == mine * comm->size && engine->ops->join ? engine->ops->join(engine, comm, able) : CS_OK;
}

void cs_engine_leave(cs_engine *engine) {
    if (engine->ops->leave)
        engine->ops->leave(engine);
}

int cs_program_input_layer(const cs_segment *segment, int i) {
    if (i < segment->n_inputs)
        return segment->inputs[i];
    i -= segment->n_inputs;
    for (int l = segment->begin; l < segment->end; l++)
        if (segment->graph->layers[l].kind == CS_LAYER_INPUT && i-- == 0)
            return l;
    return -1;
}

const cs_layer *cs_program_last_layer(const cs_segment *segment) {
    return &segment->graph->layers[segment->outputs[segment->n_outputs - 1]];
}

double cs_variance_factor(const cs_layer *batch_norm, double count) {
    return batch_norm->unbiased && count > 1 ? count / (count - 1) : 1;
}

bool cs_program_asks_gradient(const cs_program_spec *spec, int layer) {
    for (int i = 0; i < spec->n_gradients; i++)
        if (spec->gradients[i] == layer)
            return true;
    return false;
}

bool cs_param_is_in_bucket(const cs_graph *graph, const cs_param *param, const cs_bucket *bucket) {
    if (param->layer < bucket->begin || param->layer >= bucket->end || !graph->layers[param->layer].trainable)
        return false;
    return bucket->kind == CS_BUCKET_GRADIENTS
               ? !cs_param_is_statistic(param)
               : param->role == CS_PARAM_MOVING_MEAN || param->role == CS_PARAM_MOVING_VARIANCE;
}

cs_param_array cs_bucket_array(const cs_bucket *bucket) {
    return bucket->kind == CS_BUCKET_GRADIENTS ? CS_ARRAY_GRADIENT : CS_ARRAY_VALUE;
}

static bool is_kernel(const cs_param *param) {
    return param->role == CS_PARAM_KERNEL || param->role == CS_PARAM_POINTWISE_KERNEL;
}

cs_penalty cs_param_penalty(const cs_graph *graph, const cs_param *param) {
    const cs_layer *layer = &graph->layers[param->layer];
    return layer->trainable && is_kernel(param) ? (cs_penalty){(double)layer->l1, (double)layer->l2} : (cs_penalty){0};
}

/* A depthwise kernel [H,W,C,1] has a unit for each channel, and other kernels [..,I,O] for each output. */
cs_max_norm cs_param_max_norm(const cs_graph *graph, const cs_param *param) {
    const cs_layer *layer = &graph->layers[param->layer];
    const bool depthwise = layer->kind == CS_LAYER_DEPTHWISE_CONV2D ||
                           (layer->kind == CS_LAYER_SEPARABLE_CONV2D && param->role == CS_PARAM_KERNEL);
    if (!layer->trainable || !is_kernel(param) || !(layer->max_norm > 0))
        return (cs_max_norm){0};
    return (cs_max_norm){(double)layer->max_norm, depthwise ? param->dims[2] : param->dims[param->rank - 1]};
}

/* Compile: the engine must support every layer, and the outputs of the upstream program must be this segment's
 * inputs. */

static cs_status check_layers(const cs_engine *engine, const cs_program_spec *spec) {
    const cs_graph *graph = spec->segment->graph;
    for (int l = spec->segment->begin; l < spec->segment->end; l++) {
        const cs_layer *layer = &graph->layers[l];
        const char *why = "";
        if (engine->ops->supports && !engine->ops->supports(engine, layer, spec->mode, &why))
            return cs_hint(cs_fail(CS_ERR_UNSUPPORTED, "layer %s (%s): engine %s cannot run it: %s", layer->name,
                                   cs_layer_kind_name(layer->kind), engine->ops->name, why),
                           "--device ref runs every layer, slowly");
    }
    return CS_OK;
}

/* Compares name and shape, because each trial of a group has its own graph, and these differ only in what is frozen. */
static bool same_value(const cs_layer *a, const cs_layer *b) {
    return strcmp(a->name, b->name) == 0 && a->out.h == b->out.h && a->out.w == b->out.w && a->out.c == b->out.c;
}

static cs_status check_upstream(const cs_engine *engine, const cs_program_spec *spec) {
    const cs_program *upstream = spec->upstream;
    if (!upstream)
        return CS_OK;
    const cs_segment *from = upstream->spec.segment, *to = spec->segment;
    if (upstream->engine != engine)
        return cs_fail(CS_ERR_ARG, "the upstream program belongs to another engine (%s)", upstream->ops->name);
    if (upstream->spec.batch < spec->batch)
        return cs_fail(CS_ERR_SHAPE, "batch is %d but the upstream program has %d rows", spec->batch,
                       upstream->spec.batch);
    if (from->n_outputs != to->n_inputs)
        return cs_fail(CS_ERR_SHAPE, "the segment has %d inputs but its upstream program has %d outputs", to->n_inputs,
                       from->n_outputs);
    for (int i = 0; i < to->n_inputs; i++) {
        const cs_layer *made = &from->graph->layers[from->outputs[i]], *read = &to->graph->layers[to->inputs[i]];
        if (!same_value(made, read))
            return cs_fail(CS_ERR_SHAPE,
                           "input %d is %s [%d,%d,%d] but output %d of the upstream program is %s [%d,%d,%d]", i,
                           read->name, read->out.h, read->out.w, read->out.c, i, made->name, made->out.h, made->out.w,
                           made->out.c);
    }
    return CS_OK;
}

static bool is_in_segment(const cs_segment *segment, int layer) {
    for (int i = 0; i < segment->n_inputs; i++)
        if (segment->inputs[i] == layer)
            return true;
    return layer >= segment->begin && layer < segment->end;
}

static cs_status check_gradients(const cs_program_spec *spec) {
    if (spec->n_gradients > 0 && spec->mode != CS_MODE_TRAIN)
        return cs_hint(cs_fail(CS_ERR_ARG, "a program for inference has no gradients"),
                       "compile it with CS_MODE_TRAIN");
    for (int i = 0; i < spec->n_gradients; i++)
        if (!is_in_segment(spec->segment, spec->gradients[i]))
            return cs_fail(CS_ERR_ARG, "the gradient of layer %d is asked for; the segment has layers %d to %d",
                           spec->gradients[i], spec->segment->begin, spec->segment->end - 1);
    return CS_OK;
}

cs_status cs_program_compile(cs_engine *engine, const cs_program_spec *spec, cs_program **out) {
    *out = NULL;
    if (spec->batch < 1)
        return cs_hint(cs_fail(CS_ERR_ARG, "batch is %d", spec->batch), "use a batch of at least 1");
    CS_TRY(check_layers(engine, spec));
    CS_TRY(check_upstream(engine, spec));
    CS_TRY(check_gradients(spec));
    return engine->ops->compile(engine, spec, out);
}

void cs_program_free(cs_program *program) {
    if (program)
        program->ops->release(program);
}

/* Checks that all calls share. */

static cs_status check_rows(const cs_program *program, const char *call, int n) {
    if (n >= (program->comm ? 0 : 1) && n <= program->spec.batch)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_ARG, "%s: %d rows", call, n), "this program was compiled for 1 to %d rows",
                   program->spec.batch);
}

static cs_status check_training(const cs_program *program, const char *call) {
    if (program->spec.mode == CS_MODE_TRAIN)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_ARG, "%s: the program was compiled for inference", call),
                   "compile it with CS_MODE_TRAIN");
}

bool cs_program_has_array(const cs_program_spec *spec, cs_param_array array) {
    const cs_optimizer *optimizer = spec->mode == CS_MODE_TRAIN ? spec->optimizer : NULL;
    switch (array) {
    case CS_ARRAY_VALUE:
        return true;
    case CS_ARRAY_GRADIENT:
        return spec->mode == CS_MODE_TRAIN;
    case CS_ARRAY_AVERAGE:
        return optimizer && optimizer->ema > 0;
    default:
        return optimizer && (int)array < CS_ARRAY_STATE + cs_optimizer_states(optimizer);
    }
}

static cs_status check_params(const cs_program *program, const char *call, cs_param_array array,
                              const cs_params *params) {
    size_t here = program->spec.segment->graph->n_values, there = params->graph->n_values;
    if (array != CS_ARRAY_VALUE)
        CS_TRY(check_training(program, call));
    if ((unsigned)array >= CS_ARRAY_COUNT || !cs_program_has_array(&program->spec, array))
        return cs_fail(CS_ERR_ARG, "%s: array %d does not exist", call, (int)array);
    if (here != there)
        return cs_fail(CS_ERR_SHAPE, "%s: the parameters have %zu values, the program's graph %zu", call, there, here);
    return CS_OK;
}

static cs_status check_ran(const cs_program *program, const char *call, int rows, int n) {
    CS_TRY(check_rows(program, call, n));
    if (rows == n)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_ARG, "%s: %d rows, but the step before it ran on %d", call, n, rows),
                   "the order is forward, loss, backward, with the same number of rows");
}

cs_status cs_program_load(cs_program *program, cs_param_array array, const cs_params *params) {
    CS_TRY(check_params(program, "load", array, params));
    return program->ops->load(program, array, params);
}

cs_status cs_program_read(cs_program *program, cs_param_array array, cs_params *params) {
    CS_TRY(check_training(program, "read"));
    CS_TRY(check_params(program, "read", array, params));
    return program->ops->read(program, array, params);
}

static cs_status check_input(const cs_program *program, const char *call, int i, int n) {
    CS_TRY(check_rows(program, call, n));
    if (i < 0 || cs_program_input_layer(program->spec.segment, i) < 0)
        return cs_fail(CS_ERR_ARG, "%s: the segment has no input %d", call, i);
    if (program->spec.upstream && i < program->spec.segment->n_inputs)
        return cs_fail(CS_ERR_ARG, "%s: input %d comes from the upstream program", call, i);
    return CS_OK;
}

cs_status cs_program_set_input(cs_program *program, int i, const float *values, int n) {
    CS_TRY(check_input(program, "set_input", i, n));
    return program->ops->set_input(program, i, values, n);
}

static cs_status check_output(const cs_program *program, const char *call, int i, int n) {
    CS_TRY(check_rows(program, call, n));
    if (i < 0 || i >= program->spec.segment->n_outputs)
        return cs_fail(CS_ERR_ARG, "%s: the segment has %d outputs, no output %d", call,
                       program->spec.segment->n_outputs, i);
    return CS_OK;
}

static cs_status check_made(const cs_program *program, const char *call, int n) {
    if (n > program->forward_rows)
        return cs_fail(CS_ERR_ARG, "%s: %d rows, but the last forward ran on %d", call, n, program->forward_rows);
    return CS_OK;
}

cs_status cs_program_get_output(cs_program *program, int i, float *values, int n) {
    CS_TRY(check_output(program, "get_output", i, n));
    CS_TRY(check_made(program, "get_output", n));
    return program->ops->get_output(program, i, values, n);
}

static cs_status check_infers(const cs_program *program, const char *call) {
    if (program->spec.mode == CS_MODE_INFER)
        return CS_OK;
    return cs_fail(CS_ERR_ARG, "%s: the program was compiled for training, and learns from what it made", call);
}

cs_status cs_program_set_output(cs_program *program, int i, const float *values, int n) {
    CS_TRY(check_output(program, "set_output", i, n));
    CS_TRY(check_infers(program, "set_output"));
    CS_TRY(program->ops->set_output(program, i, values, n));
    program->forward_rows = n;
    return CS_OK;
}

void cs_program_set_draw(cs_program *program, const cs_draw *draw) {
    program->draw = *draw;
}

void cs_program_set_comm(cs_program *program, const cs_comm *comm) {
    program->comm = comm;
}

void cs_program_on_gradients(cs_program *program, cs_gradients_hook *hook, void *context) {
    program->hook = hook;
    program->hook_context = context;
}

size_t cs_program_bucket_count(cs_program *program, const cs_bucket *bucket) {
    return program->ops->move_bucket(program, bucket, NULL, NULL);
}

void cs_program_read_bucket(cs_program *program, const cs_bucket *bucket, float *values) {
    program->ops->move_bucket(program, bucket, values, NULL);
}

void cs_program_load_bucket(cs_program *program, const cs_bucket *bucket, const float *values) {
    program->ops->move_bucket(program, bucket, NULL, values);
}

cs_status cs_program_allreduce(cs_program *program, const cs_bucket *bucket, float weight) {
    return program->ops->allreduce(program, bucket, weight);
}

static cs_status check_draw(const cs_program *program) {
    const cs_segment *segment = program->spec.segment;
    if (program->spec.mode != CS_MODE_TRAIN || program->draw.samples)
        return CS_OK;
    for (int l = segment->begin; l < segment->end; l++)
        if (cs_graph_drops(segment->graph, l))
            return cs_hint(
                cs_fail(CS_ERR_ARG, "forward: dropout %s has nothing to draw from", segment->graph->layers[l].name),
                "call cs_program_set_draw first");
    return CS_OK;
}

cs_status cs_program_forward(cs_program *program, int n) {
    CS_TRY(check_rows(program, "forward", n));
    CS_TRY(check_draw(program));
    if (program->spec.upstream && n > 0)
        CS_TRY(check_ran(program, "forward behind an upstream program", program->spec.upstream->forward_rows, n));
    program->forward_rows = program->loss_rows = program->backward_rows = 0;
    CS_TRY(program->ops->forward(program, n));
    program->forward_rows = n;
    return CS_OK;
}

/* Soft targets may be of any size, but not negative and not NaN. */
static cs_status check_targets(const cs_targets *targets, int n, const cs_layer *last) {
    const int classes = cs_layer_classes(last);
    for (int row = 0; row < n; row++)
        if (targets->labels[row] < 0 || targets->labels[row] >= classes)
            return cs_hint(cs_fail(CS_ERR_ARG, "loss: label %d in row %d", (int)targets->labels[row], row),
                           "layer %s has %d classes", last->name, classes);
    for (int64_t i = 0; targets->soft && i < (int64_t)n * classes; i++)
        if (!(targets->soft[i] >= 0 && isfinite(targets->soft[i])))
            return cs_hint(cs_fail(CS_ERR_ARG, "loss: target %g of class %d in row %d", (double)targets->soft[i],
                                   (int)(i % classes), (int)(i / classes)),
                           "a target is at least 0 and finite");
    return CS_OK;
}

bool cs_program_is_binary(const cs_program *program) {
    return cs_program_last_layer(program->spec.segment)->activation == CS_ACT_BINARY;
}

cs_status cs_program_loss(cs_program *program, const cs_targets *targets, int n, float *probabilities, cs_loss *out) {
    CS_TRY(check_ran(program, "loss", program->forward_rows, n));
    const cs_layer *last = cs_program_last_layer(program->spec.segment);
    if (!last->out.flat)
        return cs_hint(cs_fail(CS_ERR_SHAPE, "loss: layer %s gives [%d,%d,%d], not one value a class", last->name,
                               last->out.h, last->out.w, last->out.c),
                       "end the network with a dense layer");
    CS_TRY(check_targets(targets, n, last));
    CS_TRY(program->ops->loss(program, targets, n, probabilities, out));
    program->loss_rows = n;
    return CS_OK;
}

cs_status cs_program_set_gradient(cs_program *program, const float *values, int n) {
    CS_TRY(check_training(program, "set_gradient"));
    CS_TRY(check_ran(program, "set_gradient", program->forward_rows, n));
    CS_TRY(program->ops->set_gradient(program, values, n));
    program->loss_rows = n;
    return CS_OK;
}

cs_status cs_program_backward(cs_program *program, int n) {
    CS_TRY(check_training(program, "backward"));
    CS_TRY(check_ran(program, "backward", program->loss_rows, n));
    program->loss_rows = 0;
    CS_TRY(program->ops->backward(program, n));
    program->backward_rows = n;
    return CS_OK;
}

cs_status cs_program_get_gradient(cs_program *program, int i, float *values, int n) {
    CS_TRY(check_training(program, "get_gradient"));
    CS_TRY(check_rows(program, "get_gradient", n));
    if (i < 0 || i >= program->spec.n_gradients)
        return cs_fail(CS_ERR_ARG, "get_gradient: gradient %d of the %d that the program was compiled with", i,
                       program->spec.n_gradients);
    if (n > program->backward_rows)
        return cs_fail(CS_ERR_ARG, "get_gradient: %d rows, but the last backward ran on %d", n, program->backward_rows);
    return program->ops->get_gradient(program, i, values, n);
}

cs_status cs_program_update(cs_program *program, const cs_optimizer *optimizer, int64_t step) {
    CS_TRY(check_training(program, "update"));
    if (!program->spec.optimizer || cs_optimizer_rule_of(optimizer) != cs_optimizer_rule_of(program->spec.optimizer))
        return cs_fail(CS_ERR_ARG, "update: the program was compiled for %s optimizer",
                       program->spec.optimizer ? "another" : "no");
    if (step < 1)
        return cs_fail(CS_ERR_ARG, "update: step %lld; steps count from 1", (long long)step);
    if (!isfinite(optimizer->lr))
        return cs_fail(CS_ERR_ARG, "update: the learning rate is %g", (double)optimizer->lr);
    return program->ops->update(program, optimizer, step);
}

void cs_program_describe(const cs_program *program, FILE *out) {
    program->ops->describe(program, out);
}

size_t cs_program_memory(const cs_program *program) {
    return program->ops->memory(program);
}

/* Stores. */

bool cs_engine_has_stores(const cs_engine *engine) {
    return engine->ops->store_open != NULL;
}

size_t cs_engine_free_bytes(const cs_engine *engine) {
    return engine->ops->free_bytes(engine);
}

size_t cs_engine_value_bytes(const cs_engine *engine) {
    return engine->ops->value_bytes(engine);
}

cs_status cs_store_open(cs_engine *engine, const cs_store_spec *spec, cs_store **out) {
    *out = NULL;
    if (!cs_engine_has_stores(engine))
        return cs_fail(CS_ERR_UNSUPPORTED, "engine %s has no stores", engine->ops->name);
    if (spec->rows < 1 || spec->row_bytes < 1 || spec->most < 0 || (uint64_t)spec->rows > SIZE_MAX / spec->row_bytes)
        return cs_fail(CS_ERR_ARG, "a store of %lld rows of %zu bytes, %d at a time", (long long)spec->rows,
                       spec->row_bytes, spec->most);
    return engine->ops->store_open(engine, spec, out);
}

void cs_store_close(cs_store *store) {
    if (store)
        store->engine->ops->store_close(store);
}

static cs_status check_store_rows(const cs_store *store, const char *call, const int64_t *rows, int n) {
    for (int i = 0; i < n; i++)
        if (rows[i] < 0 || rows[i] >= store->spec.rows)
            return cs_fail(CS_ERR_ARG, "%s: row %lld of a store of %lld", call, (long long)rows[i],
                           (long long)store->spec.rows);
    return CS_OK;
}

cs_status cs_store_put(cs_store *store, const int64_t *rows, const void *bytes, int n) {
    if (n < 0 || n > store->spec.most)
        return cs_fail(CS_ERR_ARG, "put: %d rows into a store that takes %d at a time", n, store->spec.most);
    CS_TRY(check_store_rows(store, "put", rows, n));
    return n > 0 ? store->engine->ops->store_put(store, rows, bytes, n) : CS_OK;
}

static cs_status check_store(const cs_program *program, const char *call, const cs_store *store, size_t row_bytes,
                             const int64_t *rows, int n) {
    if (store->engine != program->engine)
        return cs_fail(CS_ERR_ARG, "%s: the store belongs to another engine (%s)", call, store->engine->ops->name);
    if (store->spec.row_bytes != row_bytes)
        return cs_fail(CS_ERR_SHAPE, "%s: rows of %zu bytes, but the store's have %zu", call, row_bytes,
                       store->spec.row_bytes);
    return check_store_rows(store, call, rows, n);
}

static cs_status check_partners(const cs_pictures *pictures, int n) {
    const int images = n + pictures->n_partners;
    if (pictures->n_partners < 0 || pictures->n_partners > n)
        return cs_fail(CS_ERR_ARG, "set_pictures: %d images and %d partners", n, pictures->n_partners);
    for (int row = 0; pictures->mixed && row < n; row++)
        if (pictures->partners[row] < 0 || pictures->partners[row] >= images)
            return cs_fail(CS_ERR_ARG, "set_pictures: image %d is mixed with image %d of %d", row,
                           pictures->partners[row], images);
    return CS_OK;
}

cs_status cs_program_set_pictures(cs_program *program, int i, const cs_pictures *pictures, int n) {
    const cs_segment *segment = program->spec.segment;
    CS_TRY(check_input(program, "set_pictures", i, n));
    const cs_layer *input = &segment->graph->layers[cs_program_input_layer(segment, i)];
    if (input->out.flat || input->out.c != 3)
        return cs_fail(CS_ERR_SHAPE, "set_pictures: %s takes [%d,%d,%d], not pixels of 3 channels", input->name,
                       input->out.h, input->out.w, input->out.c);
    CS_TRY(check_partners(pictures, n));
    CS_TRY(check_store(program, "set_pictures", pictures->store, cs_shape_count(input->out), pictures->rows,
                       n + pictures->n_partners));
    return program->ops->set_pictures(program, i, pictures, n);
}

static size_t output_bytes(const cs_program *program, int i) {
    const cs_segment *segment = program->spec.segment;
    return cs_shape_count(segment->graph->layers[segment->outputs[i]].out) * cs_engine_value_bytes(program->engine);
}

cs_status cs_program_keep_output(cs_program *program, int i, cs_store *store, const int64_t *rows, int n) {
    CS_TRY(check_output(program, "keep_output", i, n));
    CS_TRY(check_made(program, "keep_output", n));
    CS_TRY(check_store(program, "keep_output", store, output_bytes(program, i), rows, n));
    return program->ops->keep_output(program, i, store, rows, n);
}

cs_status cs_program_use_output(cs_program *program, int i, const cs_store *store, const int64_t *rows, int n) {
    CS_TRY(check_output(program, "use_output", i, n));
    CS_TRY(check_infers(program, "use_output"));
    CS_TRY(check_store(program, "use_output", store, output_bytes(program, i), rows, n));
    CS_TRY(program->ops->use_output(program, i, store, rows, n));
    program->forward_rows = n;
    return CS_OK;
}
