/* SPDX-License-Identifier: Apache-2.0 */
/* The reference engine's gradients against central finite differences of its loss, on every case. */
#include "run.h"

#include <math.h>

enum { SAMPLES = 40 }; /* entries a parameter tensor, evenly spaced */
static const double tolerance = 1e-5;

static double loss_with(engine_run *run, cs_params *values, float *entry, float value) {
    float kept = *entry;
    *entry = value;
    run_load(run, values);
    *entry = kept;
    run_forward(run);
    return run->loss.sum / run->row->rows + run->loss.penalty;
}

/* The step is what floats make of it, so the difference is over the two values actually set. */
static double difference(engine_run *run, cs_params *values, float *entry, float step) {
    float above = *entry + step, below = *entry - step;
    double high = loss_with(run, values, entry, above), low = loss_with(run, values, entry, below);
    return (high - low) / ((double)above - (double)below);
}

/* A corner of a ReLU or a pool within the step makes the difference wrong, so smaller steps follow; a wrong gradient
 * agrees with none of them. */
static void check_entry(engine_run *run, cs_params *values, float *entry, double gradient, double scale,
                        const char *name) {
    double numeric = 0;
    for (float step = 0x1p-12f; step >= 0x1p-20f; step /= 16) {
        numeric = difference(run, values, entry, step);
        if (fabs(numeric - gradient) <= tolerance * scale)
            return;
    }
    fail_msg("%s: the gradient is %.9g, the finite difference %.9g (largest gradient %.3g)", name, gradient, numeric,
             scale);
}

static bool is_learned(const cs_graph *graph, const cs_param *param) {
    return graph->layers[param->layer].trainable && !cs_param_is_statistic(param);
}

/* A statistic that training leaves alone. */
static bool is_given(const cs_param *param) {
    return param->role == CS_PARAM_MEAN || param->role == CS_PARAM_VARIANCE || param->role == CS_PARAM_COUNT;
}

static double largest(const float *values, size_t count) {
    double max = 0;
    for (size_t i = 0; i < count; i++)
        max = fmax(max, fabs((double)values[i]));
    return max;
}

static void gradients_are_the_slopes_of_the_loss(void **state) {
    engine_run run;
    run_open(&run, *state, "ref", CS_MODE_TRAIN);
    run_step(&run);
    cs_params *gradients = run_read(&run, CS_ARRAY_GRADIENT);
    double floor = 1e-3 * largest(gradients->data, run.graph->n_values); /* for gradients that are 0 but for rounding */
    for (int p = 0; p < run.graph->n_params; p++) {
        const cs_param *param = &run.graph->params[p];
        char name[2 * CS_NAME_MAX];
        cs_param_name(run.graph, param, name, sizeof name);
        const float *gradient = gradients->data + param->offset;
        double scale = fmax(largest(gradient, param->count), floor);
        size_t stride = param->count > SAMPLES ? param->count / SAMPLES : 1;
        for (size_t i = 0; is_learned(run.graph, param) && i < param->count; i += stride)
            check_entry(&run, run.initial, cs_params_at(run.initial, param) + i, (double)gradient[i], scale, name);
    }
    cs_params_free(gradients);
    run_close(&run);
}

static void frozen_parameters_and_statistics_have_gradient_0_and_never_move(void **state) {
    const cs_optimizer sgd = {.lr = 0.1f, .weight_decay = 0.1f};
    engine_run run;
    run_open(&run, *state, "ref", CS_MODE_TRAIN);
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
    return run_cases("finite differences", gradients_are_the_slopes_of_the_loss) +
           run_cases("frozen", frozen_parameters_and_statistics_have_gradient_0_and_never_move);
}
