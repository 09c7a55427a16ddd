/* SPDX-License-Identifier: Apache-2.0 */
/* The gradients of layers' outputs that a spec asks for: compares the engine under test with `ref` for every case. */
#include "run.h"

#include <stdlib.h>

static const double tolerance = 1e-4; /* relative to the largest value in a tensor */

static void compare_gradients(const engine_run *got, const engine_run *want) {
    assert_int_equal(got->n_gradients, want->n_gradients);
    for (int i = 0; i < want->n_gradients; i++) {
        size_t count;
        float *a = run_read_gradient(got, i, &count), *b = run_read_gradient(want, i, &count);
        assert_gradient_near(a, b, count, tolerance, 1e-6, want->graph->layers[want->gradients[i]].name);
        free(a);
        free(b);
    }
}

static void compare_params(const engine_run *got, const engine_run *want) {
    cs_params *a = run_read(got, CS_ARRAY_GRADIENT), *b = run_read(want, CS_ARRAY_GRADIENT);
    assert_params_near(a, b, tolerance, "gradient");
    cs_params_free(a);
    cs_params_free(b);
}

static void compare_step(const engine_case *row, int asked, bool frozen) {
    const run_options options = {.mode = CS_MODE_TRAIN, .asked = asked, .frozen = frozen};
    engine_run got, want;
    run_open_with(&got, row, test_device(), &options);
    run_open_with(&want, row, "ref", &options);
    run_step(&got);
    run_step(&want);
    compare_gradients(&got, &want);
    compare_params(&got, &want);
    run_close(&got);
    run_close(&want);
}

static int count_layers(const engine_case *row) {
    cs_graph *graph;
    assert_ok(cs_graph_create(row->name, &graph));
    row->build(graph, row);
    int n = graph->n_layers;
    cs_graph_free(graph);
    return n;
}

/* Asks for one gradient at a time, so that all other layers are fused as in training. */
static void the_gradient_of_any_one_layer_is_the_same(void **state) {
    int n = count_layers(*state);
    for (int l = 0; l < n; l++)
        compare_step(*state, l, false);
}

static void the_gradients_of_all_layers_at_once_are_the_same(void **state) {
    compare_step(*state, RUN_ASK_ALL, false);
}

static void gradients_pass_through_a_frozen_network(void **state) {
    compare_step(*state, RUN_ASK_ALL, true);
}

/* Backward begins at a logit of each row, as visualisations of a network need it. */
static void compare_logit(const engine_case *row, bool guided) {
    const run_options options = {.mode = CS_MODE_TRAIN, .asked = RUN_ASK_ALL, .frozen = true, .guided = guided};
    engine_run run[2];
    for (int i = 0; i < 2; i++) {
        run_open_with(&run[i], row, i ? "ref" : test_device(), &options);
        run_forward(&run[i]);
        int n = row->rows;
        float *start = calloc((size_t)n * (size_t)run[i].outputs, sizeof *start);
        assert_non_null(start);
        for (int r = 0; r < n; r++)
            start[r * run[i].outputs + run[i].labels[r] % run[i].outputs] = 1;
        assert_ok(cs_program_set_gradient(run_last(&run[i]), start, n));
        assert_ok(cs_program_backward(run_last(&run[i]), n));
        free(start);
    }
    compare_gradients(&run[0], &run[1]);
    run_close(&run[0]);
    run_close(&run[1]);
}

static void backward_of_one_logit_gives_the_same_gradients(void **state) {
    compare_logit(*state, false);
}

static void guided_backward_of_one_logit_gives_the_same_gradients(void **state) {
    compare_logit(*state, true);
}

/* Tests ref, too, because the gradient of cross-entropy is known. */
static void backward_from_the_gradient_of_the_loss_equals_backward_of_the_loss(void **state) {
    const run_options options = {.mode = CS_MODE_TRAIN, .asked = RUN_ASK_ALL};
    engine_run run[2];
    for (int i = 0; i < 2; i++) {
        run_open_with(&run[i], *state, test_device(), &options);
        run_forward(&run[i]);
    }
    int n = run[0].row->rows, classes = run[0].classes, outputs = run[0].outputs;
    for (int r = 0; r < n; r++) /* the output of a binary head is that of its last class */
        for (int k = 0; k < outputs; k++) {
            const int class = k + classes - outputs;
            const float slope = run[0].probabilities[r * classes + class] - (float)(class == run[0].labels[r]);
            run[0].logits[r * outputs + k] = slope / (float)n;
        }
    assert_ok(cs_program_set_gradient(run_last(&run[0]), run[0].logits, n));
    for (int i = 0; i < 2; i++)
        assert_ok(cs_program_backward(run_last(&run[i]), n));
    compare_gradients(&run[0], &run[1]);
    compare_params(&run[0], &run[1]);
    run_close(&run[0]);
    run_close(&run[1]);
}

int main(void) {
    int failed =
        run_cases("from the loss's gradient", backward_from_the_gradient_of_the_loss_equals_backward_of_the_loss);
    if (!test_device_is_not_ref())
        return failed;
    return failed + run_cases("one layer", the_gradient_of_any_one_layer_is_the_same) +
           run_cases("all layers", the_gradients_of_all_layers_at_once_are_the_same) +
           run_cases("all frozen", gradients_pass_through_a_frozen_network) +
           run_cases("one logit", backward_of_one_logit_gives_the_same_gradients) +
           run_cases("guided", guided_backward_of_one_logit_gives_the_same_gradients);
}
