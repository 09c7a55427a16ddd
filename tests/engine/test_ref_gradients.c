/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the reference engine's gradients with central finite differences of its loss, for every case. */
#include "run.h"

#include "cnnsweep/memory.h"

#include <math.h>
#include <stdlib.h>

enum { SAMPLES = 40 }; /* evenly spaced entries of each parameter tensor */
static const double tolerance = 1e-5;

/* The arguments of the loss: a program with its parameters and inputs. */
typedef struct slope_of {
    engine_run *run;
    double (*loss)(engine_run *run);
} slope_of;

static double loss_of_params(engine_run *run) {
    run_load(run, run->initial);
    run_forward(run);
    return run->loss.sum / run->row->rows + run->loss.penalty;
}

static double loss_with(const slope_of *slope, float *entry, float value) {
    float kept = *entry;
    *entry = value;
    double loss = slope->loss(slope->run);
    *entry = kept;
    return loss;
}

/* The step is rounded to float, so the difference is divided by the distance of the two values that are set. */
static double difference(const slope_of *slope, float *entry, float step) {
    float above = *entry + step, below = *entry - step;
    double high = loss_with(slope, entry, above), low = loss_with(slope, entry, below);
    return (high - low) / ((double)above - (double)below);
}

/* Is the value at a corner, where the function has no derivative? An example is 0 in a border of zeros before a
 * ReLU. */
static bool is_corner(const slope_of *slope, float *entry, double scale) {
    const float step = 0x1p-22f, above = *entry + step, below = *entry - step;
    double at = loss_with(slope, entry, *entry);
    double right = (loss_with(slope, entry, above) - at) / ((double)above - (double)*entry);
    double left = (at - loss_with(slope, entry, below)) / ((double)*entry - (double)below);
    return fabs(right - left) > 10 * tolerance * scale;
}

/* If a corner of a ReLU or a pool is within the step, the difference is wrong. Smaller steps follow then; a wrong
 * gradient agrees with none of them. */
static void check_entry(const slope_of *slope, float *entry, double gradient, double scale, const char *name) {
    double numeric = 0;
    for (float step = 0x1p-12f; step >= 0x1p-20f; step /= 16) {
        numeric = difference(slope, entry, step);
        if (fabs(numeric - gradient) <= tolerance * scale)
            return;
    }
    if (!is_corner(slope, entry, scale))
        fail_msg("%s: the gradient is %.9g, the finite difference %.9g (largest gradient %.3g)", name, gradient,
                 numeric, scale);
}

static bool is_learned(const cs_graph *graph, const cs_param *param) {
    return graph->layers[param->layer].trainable && !cs_param_is_statistic(param);
}

/* A statistic that training does not change. */
static bool is_given(const cs_param *param) {
    return param->role == CS_PARAM_MEAN || param->role == CS_PARAM_VARIANCE || param->role == CS_PARAM_COUNT;
}

static double largest(const float *values, size_t count) {
    double max = 0;
    for (size_t i = 0; i < count; i++)
        max = fmax(max, fabs((double)values[i]));
    return max;
}

static void check_parameters(engine_run *run) {
    run_step(run);
    cs_params *gradients = run_read(run, CS_ARRAY_GRADIENT);
    /* For gradients that would be 0 without rounding. */
    double floor = 1e-3 * largest(gradients->data, run->graph->n_values);
    for (int p = 0; p < run->graph->n_params; p++) {
        const cs_param *param = &run->graph->params[p];
        char name[2 * CS_NAME_MAX];
        cs_param_name(run->graph, param, name, sizeof name);
        const float *gradient = gradients->data + param->offset;
        double scale = fmax(largest(gradient, param->count), floor);
        size_t stride = param->count > SAMPLES ? param->count / SAMPLES : 1;
        for (size_t i = 0; is_learned(run->graph, param) && i < param->count; i += stride)
            check_entry(&(slope_of){run, loss_of_params}, cs_params_at(run->initial, param) + i, (double)gradient[i],
                        scale, name);
    }
    cs_params_free(gradients);
}

static void gradients_of_parameters_are_the_slopes_of_the_loss(void **state) {
    engine_run run;
    run_open(&run, *state, "ref", CS_MODE_TRAIN);
    check_parameters(&run);
    run_close(&run);
}

static void gradients_with_soft_targets_are_the_slopes_of_the_loss(void **state) {
    (void)state;
    engine_run run;
    run_open(&run, &engine_cases[0], "ref", CS_MODE_TRAIN);
    run_soften(&run);
    check_parameters(&run);
    run_close(&run);
}

static void gradients_of_a_binary_focal_loss_are_its_slopes(void **state) {
    (void)state;
    static const cs_focal focals[] = {{1, 2, 1}, {0.25, 0.5, 0.75}, {0.75, 1, 0.25}};
    for (int i = 0; i < 6; i++) {
        engine_run run;
        run_open(&run, find_engine_case("binary"), "ref", CS_MODE_TRAIN);
        run.focal = focals[i / 2];
        if (i % 2)
            run_soften(&run);
        check_parameters(&run);
        run_close(&run);
    }
}

/* The layers after layer `cut` as a program, and the inputs that the layers up to it produce. */
typedef struct upper_part {
    engine_run *whole;
    cs_segment *lower, *upper;
    cs_program *below, *above;
    float **values; /* one for each input of `upper` */
} upper_part;
static upper_part part; /* of the case that runs; loss_of_values has no other access to it */

static cs_program *compile_part(const engine_run *run, const cs_segment *segment) {
    const cs_program_spec spec = {.segment = segment, .batch = run->row->batch, .mode = CS_MODE_TRAIN};
    cs_program *program;
    assert_ok(cs_program_compile(run->engine, &spec, &program));
    cs_program_set_draw(program, &run->draw);
    assert_ok(cs_program_load(program, CS_ARRAY_VALUE, run->initial));
    return program;
}

static size_t count_input(int i) {
    return (size_t)part.whole->row->rows * cs_shape_count(part.whole->graph->layers[part.upper->inputs[i]].out);
}

static void open_part(engine_run *run, int cut) {
    part = (upper_part){.whole = run};
    assert_ok(cs_segment_create(run->graph, 0, cut + 1, &part.lower));
    assert_ok(cs_segment_create(run->graph, cut + 1, run->graph->n_layers, &part.upper));
    part.below = compile_part(run, part.lower);
    part.above = compile_part(run, part.upper);
    assert_ok(cs_program_set_input(part.below, 0, run->input, run->row->rows));
    assert_ok(cs_program_forward(part.below, run->row->rows));
    assert_ok(cs_alloc((size_t)part.upper->n_inputs, sizeof *part.values, "inputs", &part.values));
    for (int i = 0; i < part.upper->n_inputs; i++) {
        assert_ok(cs_alloc(count_input(i), sizeof(float), "input", &part.values[i]));
        assert_ok(cs_program_get_output(part.below, i, part.values[i], run->row->rows));
    }
}

static void close_part(void) {
    for (int i = 0; i < part.upper->n_inputs; i++)
        free(part.values[i]);
    free(part.values);
    cs_program_free(part.above);
    cs_program_free(part.below);
    cs_segment_free(part.upper);
    cs_segment_free(part.lower);
}

static double loss_of_values(engine_run *run) {
    cs_loss loss;
    for (int i = 0; i < part.upper->n_inputs; i++)
        assert_ok(cs_program_set_input(part.above, i, part.values[i], run->row->rows));
    assert_ok(cs_program_forward(part.above, run->row->rows));
    assert_ok(cs_program_loss(part.above, &(cs_targets){.labels = run->labels}, run->row->rows, NULL, &loss));
    return loss.sum / run->row->rows;
}

/* Checks the gradient of the output of layer `cut`. */
static void check_layer(engine_run *run, int cut, const float *gradient, size_t count) {
    enum { FEW = 8 };
    const char *name = run->graph->layers[cut].name;
    double scale = fmax(largest(gradient, count), 1e-6);
    for (int i = 0; i < part.upper->n_inputs; i++)
        for (size_t k = 0; part.upper->inputs[i] == cut && k < count; k += count / FEW + 1)
            check_entry(&(slope_of){run, loss_of_values}, part.values[i] + k, (double)gradient[k], scale, name);
}

static void check_asked_gradients(const engine_case *row, bool frozen) {
    const run_options options = {.mode = CS_MODE_TRAIN, .asked = RUN_ASK_ALL, .frozen = frozen};
    engine_run run;
    run_open_with(&run, row, "ref", &options);
    run_step(&run);
    for (int i = 0; !row->cut && i < run.n_gradients && run.gradients[i] < run.graph->n_layers - 1; i++) {
        size_t count;
        float *gradient = run_read_gradient(&run, i, &count);
        open_part(&run, run.gradients[i]);
        check_layer(&run, run.gradients[i], gradient, count);
        close_part();
        free(gradient);
    }
    run_close(&run);
}

static void the_gradient_of_a_layer_is_the_slope_of_the_loss(void **state) {
    check_asked_gradients(*state, false);
}

static void the_gradient_of_a_layer_of_a_frozen_network_is_the_slope_of_the_loss(void **state) {
    check_asked_gradients(*state, true);
}

static void frozen_parameters_and_statistics_have_gradient_0_and_never_move(void **state) {
    const cs_optimizer sgd = {.lr = 0.1f, .weight_decay = 0.1f};
    engine_run run;
    run_open_training(&run, *state, "ref", &sgd);
    run_step(&run);
    cs_params *gradients = run_read(&run, CS_ARRAY_GRADIENT);
    assert_ok(cs_program_update(run_last(&run), &sgd, 1));
    cs_params *values = run_read(&run, CS_ARRAY_VALUE);
    for (int p = 0; p < run.graph->n_params; p++) {
        const cs_param *param = &run.graph->params[p];
        bool trainable = run.graph->layers[param->layer].trainable;
        for (size_t i = param->offset; i < param->offset + param->count; i++) {
            bool moved = values->data[i] != run.initial->data[i];
            if (!is_learned(run.graph, param))
                assert_true(gradients->data[i] == 0);
            assert_int_equal(moved, trainable && !is_given(param));
        }
    }
    cs_params_free(gradients);
    cs_params_free(values);
    run_close(&run);
}

int main(void) {
    const struct CMUnitTest losses[] = {cmocka_unit_test(gradients_with_soft_targets_are_the_slopes_of_the_loss),
                                        cmocka_unit_test(gradients_of_a_binary_focal_loss_are_its_slopes)};
    return cmocka_run_group_tests_name("losses", losses, NULL, NULL) +
           run_cases("finite differences", gradients_of_parameters_are_the_slopes_of_the_loss) +
           run_cases("layers", the_gradient_of_a_layer_is_the_slope_of_the_loss) +
           run_cases("frozen layers", the_gradient_of_a_layer_of_a_frozen_network_is_the_slope_of_the_loss) +
           run_cases("frozen", frozen_parameters_and_statistics_have_gradient_0_and_never_move);
}
