/* SPDX-License-Identifier: Apache-2.0 */
/* The inference of a row depends on that row alone, bit for bit: not on its position in the batch, the other rows or
 * their number, nor on the batch size of the program. Groups, the trunk's cache and the features file rely on this. The
 * test runs for every architecture, on the engine under test with two threads. */
#include "run.h"

#include "cnnsweep/memory.h"
#include "cnnsweep/zoo.h"

#include <stdlib.h>
#include <string.h>

/* BATCH has chunks of up to 8 rows, the last one not full. LARGE_BATCH has chunks of up to 32 rows. */
enum { BATCH = 11, LARGE_BATCH = 37, CLASSES = 10, HIDDEN = 70 };

static const cs_zoo_entry *current;
static int top; /* the last layer of `current` before the head */

static void build_current(cs_graph *graph, const engine_case *row) {
    cs_model_config config;
    int mean, hidden, logits;
    cs_model_config_init(&config);
    config.alpha = strncmp(current->name, "mobilenet", strlen("mobilenet")) == 0 ? 0.5f : 1;
    config.input_h = row->h;
    config.input_w = row->w;
    graph->dialect = current->dialect;
    assert_ok(current->build(graph, &config, &top));
    mean = top;
    if (!graph->layers[top].out.flat)
        assert_ok(cs_graph_global_average_pool(graph, "mean", top, false, &mean));
    assert_ok(cs_graph_dense(graph, "hidden", mean, HIDDEN, CS_ACT_RELU, &hidden));
    assert_ok(cs_graph_dense(graph, "logits", hidden, CLASSES, CS_ACT_SOFTMAX, &logits));
}

/* Runs rows `places` [n] of `input` through the program. The output must equal the same rows of `want`. */
static void check_rows(cs_program *program, const engine_run *run, const int *places, int n, const float *want,
                       size_t width) {
    size_t pixels = cs_shape_count(run->graph->layers[0].out);
    float *in, *out;
    assert_ok(cs_alloc((size_t)n * pixels, sizeof *in, "rows", &in));
    assert_ok(cs_alloc((size_t)n * width, sizeof *out, "rows", &out));
    for (int i = 0; i < n; i++)
        memcpy(in + (size_t)i * pixels, run->input + (size_t)places[i] * pixels, pixels * sizeof *in);
    assert_ok(cs_program_set_input(program, 0, in, n));
    assert_ok(cs_program_forward(program, n));
    assert_ok(cs_program_get_output(program, 0, out, n));
    for (int i = 0; i < n; i++)
        if (memcmp(out + (size_t)i * width, want + (size_t)places[i] * width, width * sizeof *out) != 0)
            fail_msg("%s: row %d of %d differs from row %d of %d", current->name, i, n, places[i], BATCH);
    free(in);
    free(out);
}

/* Sets moving variances so small that differences between rows grow in a deep network. */
static void amplify(engine_run *run) {
    const float variance = 0.1f;
    for (int p = 0; p < run->graph->n_params; p++)
        if (run->graph->params[p].role == CS_PARAM_MOVING_VARIANCE)
            for (size_t i = 0; i < run->graph->params[p].count; i++)
                cs_params_at(run->initial, &run->graph->params[p])[i] *= variance;
}

static cs_program *compile(cs_engine *engine, const engine_run *run, const cs_segment *segment, int batch) {
    const cs_program_spec spec = {.segment = segment, .batch = batch, .mode = CS_MODE_INFER};
    cs_program *program;
    assert_ok(cs_program_compile(engine, &spec, &program));
    assert_ok(cs_program_load(program, CS_ARRAY_VALUE, run->initial));
    return program;
}

/* Tests the network up to layer `end`, or up to an earlier layer if a branch bypasses `end`. */
static void check_segment(cs_engine *engine, const engine_run *run, int end) {
    static const int reversed[BATCH] = {10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0}, some[] = {7, 2, 9, 2, 5};
    int many[LARGE_BATCH];
    cs_segment *segment;
    float *want;
    assert_ok(cs_segment_create(run->graph, 0, end, &segment));
    while (segment->n_outputs > 1) {
        cs_segment_free(segment);
        assert_ok(cs_segment_create(run->graph, 0, --end, &segment));
    }
    size_t width = cs_shape_count(run->graph->layers[segment->outputs[0]].out);
    cs_program *program = compile(engine, run, segment, BATCH);
    assert_ok(cs_alloc(BATCH * width, sizeof *want, "rows", &want));
    assert_ok(cs_program_set_input(program, 0, run->input, BATCH));
    assert_ok(cs_program_forward(program, BATCH));
    assert_ok(cs_program_get_output(program, 0, want, BATCH));
    assert_true(memcmp(want, want + width, width * sizeof *want) != 0);
    check_rows(program, run, reversed, BATCH, want, width);
    check_rows(program, run, some, 5, want, width);
    check_rows(program, run, &reversed[4], 1, want, width);
    cs_program_free(program);
    for (int i = 0; i < LARGE_BATCH; i++)
        many[i] = i * 7 % BATCH;
    program = compile(engine, run, segment, LARGE_BATCH);
    check_rows(program, run, many, LARGE_BATCH, want, width);
    cs_program_free(program);
    program = compile(engine, run, segment, 1);
    check_rows(program, run, some, 1, want, width);
    cs_program_free(program);
    free(want);
    cs_segment_free(segment);
}

static void inference_of_a_row_depends_on_that_row_alone(void **state) {
    enum { SMALLEST = 32 };
    current = *state;
    int size = current->min_size > SMALLEST ? current->min_size : SMALLEST;
    const engine_case row = {current->name, build_current, size, size, 3, {0}, BATCH, BATCH, 0, 0, 0};
    engine_run run;
    cs_engine *engine;
    const cs_engine_options options = test_engine_options(test_device(), 2);
    run_open(&run, &row, test_device(), CS_MODE_INFER);
    amplify(&run);
    assert_ok(cs_engine_open(test_device(), &options, &engine));
    check_segment(engine, &run, top / 2);
    check_segment(engine, &run, top + 1);
    check_segment(engine, &run, run.graph->n_layers);
    cs_engine_close(engine);
    run_close(&run);
}

int main(void) {
    enum { MOST = 64 };
    size_t n;
    const cs_zoo_entry *entries = cs_zoo_entries(&n);
    struct CMUnitTest tests[MOST];
    assert_true(n <= MOST);
    for (size_t i = 0; i < n; i++)
        tests[i] = (struct CMUnitTest){.name = entries[i].name,
                                       .test_func = inference_of_a_row_depends_on_that_row_alone,
                                       .initial_state = (void *)(uintptr_t)&entries[i]};
    return _cmocka_run_group_tests("rows", tests, n, NULL, NULL);
}
