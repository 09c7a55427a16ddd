/* SPDX-License-Identifier: Apache-2.0 */
/* One training step of the zoo's torch dialect agrees with torchvision (tests/net/golden/torch_step.txt): the gradient
 * of every parameter and the running statistics, each by its norm and by its product with a vector from a formula. */
#include "device.h"
#include "golden_forward.h"
#include "test.h"

#include "cnnsweep/engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct step_run {
    const char *device;
    cs_model_config config;
    int rows;
    double gain, loss;
    double largest, rounding; /* the largest norm of a gradient; the relative error of torch's own gradients in float */
    cs_graph *graph;
    cs_params *values, *gradients; /* after the step */
} step_run;

static void read_step(const char *line, step_run *run) {
    cs_model_config *config = &run->config;
    cs_model_config_init(config);
    config->dialect = CS_DIALECT_TORCH;
    snprintf(config->head, sizeof config->head, "top");
    assert_int_equal(sscanf(line, "step %63s %d %d %d %d %lf %lf %lf %lf", config->arch, &config->input_h,
                            &config->input_w, &run->rows, &config->classes, &run->gain, &run->loss, &run->largest,
                            &run->rounding),
                     9);
}

/* The network has no dropout, like that of torch's step. */
static cs_graph *build(const cs_model_config *config) {
    cs_graph *graph;
    assert_ok(cs_model_build(config, &graph));
    for (int i = 0; i < graph->n_layers; i++)
        graph->layers[i].rate = 0;
    return graph;
}

static void run_program(step_run *run, cs_program *program) {
    cs_loss loss;
    int32_t labels[16];
    int64_t samples[16] = {0};
    const cs_draw draw = {.samples = samples};
    float *images = golden_images(run->graph, run->rows);
    for (int i = 0; i < run->rows; i++)
        labels[i] = 3 * i % run->config.classes;
    cs_program_set_draw(program, &draw);
    assert_ok(cs_program_load(program, CS_ARRAY_VALUE, run->values));
    assert_ok(cs_program_set_input(program, 0, images, run->rows));
    assert_ok(cs_program_forward(program, run->rows));
    assert_ok(cs_program_loss(program, &(cs_targets){.labels = labels}, run->rows, NULL, &loss));
    assert_float_equal(loss.sum / run->rows, run->loss, 1e-4 * run->loss);
    assert_ok(cs_program_backward(program, run->rows));
    assert_ok(cs_program_read(program, CS_ARRAY_GRADIENT, run->gradients));
    assert_ok(cs_program_read(program, CS_ARRAY_VALUE, run->values));
    free(images);
}

static void make_step(step_run *run) {
    cs_engine *engine;
    cs_segment *segment;
    cs_program *program;
    run->graph = build(&run->config);
    assert_ok(cs_params_create(run->graph, &run->values));
    assert_ok(cs_params_create(run->graph, &run->gradients));
    golden_fill_params(run->values, run->gain);
    const cs_engine_options options = test_engine_options(run->device, 1);
    assert_ok(cs_engine_open(run->device, &options, &engine));
    assert_ok(cs_segment_create(run->graph, 0, run->graph->n_layers, &segment));
    cs_program_spec spec = {.segment = segment, .batch = run->rows, .mode = CS_MODE_TRAIN};
    assert_ok(cs_program_compile(engine, &spec, &program));
    run_program(run, program);
    cs_program_free(program);
    cs_segment_free(segment);
    cs_engine_close(engine);
}

static void clear_step(step_run *run) {
    cs_params_free(run->values);
    cs_params_free(run->gradients);
    cs_graph_free(run->graph);
    run->values = run->gradients = NULL;
    run->graph = NULL;
}

static const cs_param *find_param(const cs_graph *graph, const char *name) {
    for (int p = 0; p < graph->n_params; p++) {
        char found[2 * CS_NAME_MAX];
        const cs_param *param = &graph->params[p];
        snprintf(found, sizeof found, "%s/%s", graph->layers[param->layer].name, cs_param_role_name(param->role));
        if (strcmp(found, name) == 0)
            return param;
    }
    fail_msg("%s has no parameter %s", graph->arch, name);
    return NULL;
}

static void check_param(const step_run *run, const char *line, cs_params *params, double tolerance, double floor) {
    char name[2 * CS_NAME_MAX], probe_name[3 * CS_NAME_MAX];
    double want_norm, want_probe, squares = 0, probe = 0;
    assert_int_equal(sscanf(line, "%*s %127s %lf %lf", name, &want_norm, &want_probe), 3);
    snprintf(probe_name, sizeof probe_name, "%s/probe", name);
    uint32_t key = golden_key(probe_name);
    const cs_param *param = find_param(run->graph, name);
    const float *values = cs_params_at(params, param);
    for (size_t i = 0; i < param->count; i++) {
        squares += (double)values[i] * (double)values[i];
        probe += (double)values[i] * golden_uniform(key, i);
    }
    double error = fmax(fabs(sqrt(squares) - want_norm), fabs(probe - want_probe));
    if (!(error <= tolerance * fmax(want_norm, floor)))
        fail_msg("%s on %s: %s has norm %.9g and probe %.9g, torch has %.9g and %.9g", run->config.arch, run->device,
                 name, sqrt(squares), probe, want_norm, want_probe);
}

/* In float, our error may be as large as that of torch in float, as rounding may change the side of a ReLU near 0. The
 * ref engine computes in double from images in float. */
static void check_gradient(const step_run *run, const char *line) {
    bool exact = strcmp(run->device, "ref") == 0;
    check_param(run, line, run->gradients, exact ? 1e-4 : 1e-3 + 4 * run->rounding, 1e-2 * run->largest);
}

static void check_statistic(const step_run *run, const char *line) {
    check_param(run, line, run->values, 1e-5, 0);
}

/* Calls `check` with the lines that begin with `kind`. */
static void check_steps(const char *device, const char *kind, void (*check)(const step_run *run, const char *line)) {
    char path[512];
    snprintf(path, sizeof path, "%s/tests/net/golden/torch_step.txt", test_source());
    char line[256];
    int checked = 0;
    step_run run = {.device = device};
    FILE *lines = fopen(path, "r");
    if (!lines)
        fail_msg("cannot open %s", path);
    while (fgets(line, sizeof line, lines)) {
        if (strncmp(line, "step ", 5) == 0) {
            clear_step(&run);
            read_step(line, &run);
            make_step(&run);
        } else if (strncmp(line, kind, strlen(kind)) == 0) {
            check(&run, line);
            checked++;
        }
    }
    clear_step(&run);
    fclose(lines);
    assert_true(checked > 0);
}

static void gradients_are_those_of_torchvision(void **state) {
    check_steps(*state, "gradient ", check_gradient);
}

static void running_statistics_are_those_of_torchvision(void **state) {
    check_steps(*state, "statistic ", check_statistic);
}

int main(void) {
    static char ref[] = "ref";
    void *device = (void *)(uintptr_t)test_device();
    const struct CMUnitTest tests[] = {
        {"gradients_are_those_of_torchvision", gradients_are_those_of_torchvision, NULL, NULL, device},
        {"running_statistics_are_those_of_torchvision", running_statistics_are_those_of_torchvision, NULL, NULL,
         device},
        {"gradients_are_those_of_torchvision_on_the_reference_engine", gradients_are_those_of_torchvision, NULL, NULL,
         ref},
        {"running_statistics_are_those_of_torchvision_on_the_reference_engine",
         running_statistics_are_those_of_torchvision, NULL, NULL, ref},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
