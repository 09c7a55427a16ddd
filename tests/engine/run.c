/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static cs_rng rng_of(const engine_case *row, uint32_t stream) {
    return cs_rng_at(7, CS_PURPOSE_TEST, stream, cs_hash_name(row->name));
}

/* Makes Keras' initial kernels, and random other parameters: their initial values 0 and 1 would hide errors. */
static void make_params(engine_run *run) {
    cs_rng rng = rng_of(run->row, 1);
    assert_ok(cs_params_create(run->graph, &run->initial));
    cs_params_init(run->initial, 7);
    for (int p = 0; p < run->graph->n_params; p++) {
        const cs_param *param = &run->graph->params[p];
        float *values = cs_params_at(run->initial, param);
        bool kernel = param->role == CS_PARAM_KERNEL || param->role == CS_PARAM_POINTWISE_KERNEL;
        bool positive = param->role == CS_PARAM_GAMMA || param->role == CS_PARAM_MOVING_VARIANCE ||
                        param->role == CS_PARAM_VARIANCE;
        for (size_t i = 0; !kernel && i < param->count; i++)
            values[i] = positive ? cs_rng_range(&rng, 0.5f, 1.5f) : cs_rng_range(&rng, -0.5f, 0.5f);
    }
}

static void make_batch(engine_run *run) {
    size_t batch = (size_t)run->row->batch, pixels = cs_shape_count(run->graph->layers[0].out);
    size_t logits = batch * (size_t)run->classes;
    cs_rng rng = rng_of(run->row, 2);
    assert_ok(cs_alloc(batch * pixels, sizeof *run->input, "input", &run->input));
    assert_ok(cs_alloc(batch, sizeof *run->labels, "labels", &run->labels));
    assert_ok(cs_alloc(batch, sizeof *run->samples, "samples", &run->samples));
    assert_ok(cs_alloc(logits, sizeof *run->logits, "logits", &run->logits));
    assert_ok(cs_alloc(logits, sizeof *run->probabilities, "probabilities", &run->probabilities));
    for (size_t i = 0; i < batch * pixels; i++)
        run->input[i] = cs_rng_normal(&rng);
    for (size_t i = 0; i < batch; i++) {
        run->labels[i] = (int32_t)cs_rng_below(&rng, (uint32_t)run->classes);
        run->samples[i] = (int64_t)(3 * i);
    }
    run->draw = (cs_draw){.seed = 11, .epoch = 2, .samples = run->samples};
}

static void make_graph(engine_run *run, bool all_frozen) {
    assert_ok(cs_graph_create(run->row->name, &run->graph));
    run->row->build(run->graph, run->row);
    assert_ok(cs_graph_freeze(run->graph, run->row->fine_tune ? run->row->fine_tune : "all"));
    if (run->row->frozen) {
        int frozen;
        assert_ok(cs_graph_find(run->graph, run->row->frozen, &frozen));
        run->graph->layers[frozen].trainable = false;
    }
    for (int l = 0; all_frozen && l < run->graph->n_layers; l++)
        run->graph->layers[l].trainable = false;
    run->classes = cs_layer_classes(&run->graph->layers[run->graph->n_layers - 1]);
    run->outputs = run->graph->layers[run->graph->n_layers - 1].out.c;
}

/* Asks for the gradients of the layers in the segment and of its inputs. */
static void ask_gradients(engine_run *run, const cs_segment *segment, int asked) {
    assert_ok(cs_alloc((size_t)run->graph->n_layers, sizeof *run->gradients, "gradients", &run->gradients));
    for (int l = 0; l < run->graph->n_layers; l++) {
        bool reads = l >= segment->begin;
        for (int i = 0; i < segment->n_inputs; i++)
            reads |= segment->inputs[i] == l;
        if (reads && (asked == l || asked == RUN_ASK_ALL))
            run->gradients[run->n_gradients++] = l;
    }
}

static void compile(engine_run *run, int begin, int end, const run_options *options) {
    int i = run->n_programs++;
    assert_ok(cs_segment_create(run->graph, begin, end, &run->segments[i]));
    if (end == run->graph->n_layers)
        ask_gradients(run, run->segments[i], options->asked);
    cs_program_spec spec = {.segment = run->segments[i],
                            .batch = run->row->batch,
                            .mode = options->mode,
                            .upstream = i ? run->programs[i - 1] : NULL,
                            .optimizer = options->optimizer,
                            .gradients = run->gradients,
                            .n_gradients = run->n_gradients,
                            .guided = options->guided};
    assert_ok(cs_program_compile(run->engine, &spec, &run->programs[i]));
    cs_program_set_draw(run->programs[i], &run->draw);
}

static void forward(engine_run *run, int n) {
    assert_ok(cs_program_set_input(run->programs[0], 0, run->input, n));
    for (int i = 0; i < run->n_programs; i++)
        assert_ok(cs_program_forward(run->programs[i], n));
}

/* Runs a step on a full batch first, because its stale values must not affect a smaller batch. */
static void full_step(engine_run *run, cs_mode mode) {
    cs_program *last = run_last(run);
    forward(run, run->row->batch);
    assert_ok(cs_program_loss(last, &(cs_targets){.labels = run->labels}, run->row->batch, NULL, &run->loss));
    if (mode == CS_MODE_TRAIN)
        assert_ok(cs_program_backward(last, run->row->batch));
}

void run_open(engine_run *run, const engine_case *row, const char *device, cs_mode mode) {
    run_open_with(run, row, device, &(run_options){.mode = mode, .asked = RUN_ASK_NONE});
}

void run_open_training(engine_run *run, const engine_case *row, const char *device, const cs_optimizer *optimizer) {
    run_open_with(run, row, device,
                  &(run_options){.mode = CS_MODE_TRAIN, .asked = RUN_ASK_NONE, .optimizer = optimizer});
}

void run_open_with(engine_run *run, const engine_case *row, const char *device, const run_options *options) {
    int cut = 0;
    *run = (engine_run){.row = row};
    make_graph(run, options->frozen);
    make_params(run);
    make_batch(run);
    const cs_engine_options engine_options = test_engine_options(device, 1);
    assert_ok(cs_engine_open(device, &engine_options, &run->engine));
    if (row->cut) {
        assert_ok(cs_graph_find(run->graph, row->cut, &cut));
        compile(run, 0, cut, &(run_options){.mode = CS_MODE_INFER});
    }
    compile(run, cut, run->graph->n_layers, options);
    run_load(run, run->initial);
    full_step(run, options->mode);
    run_load(run, run->initial);
}

void run_close(engine_run *run) {
    for (int i = run->n_programs - 1; i >= 0; i--) {
        cs_program_free(run->programs[i]);
        cs_segment_free(run->segments[i]);
    }
    cs_engine_close(run->engine);
    cs_params_free(run->initial);
    cs_graph_free(run->graph);
    free(run->input);
    free(run->labels);
    free(run->soft);
    free(run->samples);
    free(run->logits);
    free(run->probabilities);
    free(run->gradients);
}

cs_program *run_last(const engine_run *run) {
    return run->programs[run->n_programs - 1];
}

void run_load(engine_run *run, const cs_params *values) {
    for (int i = 0; i < run->n_programs; i++)
        assert_ok(cs_program_load(run->programs[i], CS_ARRAY_VALUE, values));
}

cs_params *run_read(const engine_run *run, cs_param_array array) {
    cs_params *params;
    assert_ok(cs_params_create(run->graph, &params));
    if (array == CS_ARRAY_VALUE)
        memcpy(params->data, run->initial->data, run->graph->n_values * sizeof(float));
    assert_ok(cs_program_read(run_last(run), array, params));
    return params;
}

void run_soften(engine_run *run) {
    size_t count = (size_t)run->row->batch * (size_t)run->classes;
    cs_rng rng = rng_of(run->row, 3);
    assert_ok(cs_alloc(count, sizeof *run->soft, "targets", &run->soft));
    for (size_t i = 0; i < count; i++)
        run->soft[i] = cs_rng_below(&rng, 3) ? cs_rng_float(&rng) : 0;
}

void run_forward(engine_run *run) {
    cs_program *last = run_last(run);
    int n = run->row->rows, n_outputs = run->segments[run->n_programs - 1]->n_outputs;
    forward(run, n);
    assert_ok(cs_program_get_output(last, n_outputs - 1, run->logits, n));
    const cs_targets targets = {run->labels, run->soft, run->focal};
    assert_ok(cs_program_loss(last, &targets, n, run->probabilities, &run->loss));
}

void run_step(engine_run *run) {
    run_forward(run);
    assert_ok(cs_program_backward(run_last(run), run->row->rows));
}

float *run_read_gradient(const engine_run *run, int i, size_t *count) {
    float *values;
    *count = (size_t)run->row->rows * cs_shape_count(run->graph->layers[run->gradients[i]].out);
    assert_ok(cs_alloc(*count, sizeof *values, "gradient", &values));
    assert_ok(cs_program_get_gradient(run_last(run), i, values, run->row->rows));
    return values;
}

static double largest(const float *values, size_t count) {
    double max = 0;
    for (size_t i = 0; i < count; i++)
        max = fmax(max, fabs((double)values[i]));
    return max;
}

/* Allowed errors of a tensor's norm. Some values are so close to the corner of a ReLU, or to another value of a pool's
 * window, that their gradient takes another path. Their share grows with the rounding error e, and their share of a
 * gradient's norm is the square root of that. */
static const double allowed[CS_PRECISION_COUNT] = {
    [CS_PRECISION_TF32] = 5e-3, [CS_PRECISION_BF16] = 5e-2, [CS_PRECISION_FP16] = 1e-2};
static const double allowed_in_gradients[CS_PRECISION_COUNT] = {
    [CS_PRECISION_TF32] = 1.5e-1, [CS_PRECISION_BF16] = 3e-1, [CS_PRECISION_FP16] = 1.5e-1};

static void assert_norm_near(const float *got, const float *want, size_t count, double tolerance, double floor,
                             const char *what) {
    double off = 0, norm = 0;
    for (size_t i = 0; i < count; i++) {
        off += ((double)got[i] - (double)want[i]) * ((double)got[i] - (double)want[i]);
        norm += (double)want[i] * (double)want[i];
    }
    off = sqrt(off);
    norm = fmax(sqrt(norm), floor * sqrt((double)count));
    if (!(off <= tolerance * norm))
        fail_msg("%s in %s: off by %.2g of its norm, %.3g; %.2g is allowed", what, cs_precision_name(test_precision()),
                 off / norm, norm, tolerance);
}

void assert_network_near(const engine_run *got, const engine_run *want, const cs_params *got_gradients,
                         const cs_params *want_gradients, double tolerance, double spread) {
    size_t logits = (size_t)want->row->rows * (size_t)want->outputs;
    if (test_precision() == CS_PRECISION_FP32) {
        assert_near(got->logits, want->logits, logits, 1e-4, 0, "logits");
        assert_params_near(got_gradients, want_gradients, tolerance, "gradient");
        return;
    }
    assert_norm_near(got->logits, want->logits, logits, spread * allowed[test_precision()], 0, "logits");
    assert_norm_near(got_gradients->data, want_gradients->data, want->graph->n_values,
                     2 * spread * allowed[test_precision()], 0, "gradient");
}

void assert_near(const float *got, const float *want, size_t count, double tolerance, double floor, const char *what) {
    if (test_precision() != CS_PRECISION_FP32) {
        assert_norm_near(got, want, count, allowed[test_precision()], floor, what);
        return;
    }
    double scale = fmax(largest(want, count), floor);
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)got[i] - (double)want[i]) <= tolerance * scale))
            fail_msg("%s[%zu] is %.9g, not %.9g: off by %.2g of the largest, %.3g; %.2g is allowed", what, i,
                     (double)got[i], (double)want[i], fabs((double)got[i] - (double)want[i]) / scale, scale, tolerance);
}

void assert_gradient_near(const float *got, const float *want, size_t count, double tolerance, double floor,
                          const char *what) {
    if (test_precision() == CS_PRECISION_FP32)
        assert_near(got, want, count, tolerance, floor, what);
    else
        assert_norm_near(got, want, count, allowed_in_gradients[test_precision()], floor, what);
}

/* A gradient that would be 0 without rounding (of a bias before a batch norm) cannot be compared relative to its own
 * size. */
static double smallest_scale(const cs_params *want) {
    return 1e-2 * largest(want->data, want->graph->n_values);
}

void assert_params_near(const cs_params *got, const cs_params *want, double tolerance, const char *what) {
    double floor = smallest_scale(want);
    for (int p = 0; p < want->graph->n_params; p++) {
        const cs_param *param = &want->graph->params[p];
        char name[2 * CS_NAME_MAX], label[3 * CS_NAME_MAX];
        cs_param_name(want->graph, param, name, sizeof name);
        snprintf(label, sizeof label, "%s of %s", what, name);
        const float *a = got->data + param->offset, *b = want->data + param->offset;
        assert_gradient_near(a, b, param->count, tolerance, floor, label);
    }
}

const engine_case *find_engine_case(const char *name) {
    for (size_t i = 0; i < n_engine_cases; i++)
        if (strcmp(engine_cases[i].name, name) == 0)
            return &engine_cases[i];
    fail_msg("there is no case %s", name);
    return NULL;
}

int run_cases(const char *group, CMUnitTestFunction test) {
    struct CMUnitTest *tests;
    if (cs_alloc(n_engine_cases, sizeof *tests, "tests", &tests) != CS_OK)
        return 1;
    for (size_t i = 0; i < n_engine_cases; i++)
        tests[i] = (struct CMUnitTest){
            .name = engine_cases[i].name, .test_func = test, .initial_state = (void *)(uintptr_t)&engine_cases[i]};
    int failed = _cmocka_run_group_tests(group, tests, n_engine_cases, NULL, NULL);
    free(tests);
    return failed;
}
