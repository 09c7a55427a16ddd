/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the reference engine with PyTorch in double, for every case. The test writes what the engine computed to a
 * text file, and reference_torch.py computes it again from the layers and compares. */
#include "run.h"

#include "cnnsweep/file.h"
#include "cnnsweep/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

enum { STEPS = 3, NO_TORCH = 77 };

static void write_floats(FILE *out, const char *name, const float *values, size_t count) {
    fprintf(out, "tensor %s", name);
    for (size_t i = 0; i < count; i++)
        fprintf(out, " %.9g", (double)values[i]);
    fputc('\n', out);
}

static void write_slot(FILE *out, const char *name, const engine_run *run, cs_param_array array) {
    cs_params *params = run_read(run, array);
    write_floats(out, name, params->data, run->graph->n_values);
    cs_params_free(params);
}

static void write_graph(FILE *out, const cs_graph *graph) {
    for (int l = 0; l < graph->n_layers; l++) {
        const cs_layer *layer = &graph->layers[l];
        const cs_window *w = &layer->window;
        fprintf(out, "layer %s %s %s %d %.9g %.9g %d %d %.9g %.9g %.9g %.9g %.9g %.9g %d %d %d %d %d %d %d %d",
                layer->name, cs_layer_kind_name(layer->kind),
                layer->activation == CS_ACT_BINARY ? "binary" : cs_activation_name(layer->activation), layer->trainable,
                (double)layer->epsilon, (double)layer->momentum, layer->unbiased, layer->out.flat, (double)layer->l1,
                (double)layer->l2, (double)layer->max_norm, (double)layer->factor[0], (double)layer->factor[1],
                (double)layer->factor[2], w->kernel_h, w->kernel_w, w->stride_h, w->stride_w, w->pad_top, w->pad_bottom,
                w->pad_left, w->pad_right);
        for (int i = 0; i < layer->n_inputs; i++)
            fprintf(out, " %d", layer->inputs[i]);
        fputc('\n', out);
    }
    for (int p = 0; p < graph->n_params; p++) {
        const cs_param *param = &graph->params[p];
        fprintf(out, "param %d %s %zu", param->layer, cs_param_role_name(param->role), param->offset);
        for (int i = 0; i < param->rank; i++)
            fprintf(out, " %d", param->dims[i]);
        fputc('\n', out);
    }
}

/* Writes the factor that a dropout applies to each value, as engine.h defines it. */
static void write_dropout(FILE *out, const engine_run *run, const cs_layer *layer) {
    uint64_t seed = run->draw.seed + ((uint64_t)cs_hash_name(layer->name) << 32);
    fprintf(out, "tensor %s", layer->name);
    for (int row = 0; row < run->row->rows; row++) {
        cs_rng rng = cs_rng_at(seed, CS_PURPOSE_DROPOUT, run->draw.epoch, (uint32_t)run->samples[row]);
        size_t count = layer->per_row ? 1 : cs_shape_count(layer->out);
        for (size_t i = 0; i < count; i++) {
            bool kept = (double)cs_rng_u32(&rng) >= (double)layer->rate * 0x1p32;
            fprintf(out, " %.9g", kept ? 1 / (1 - (double)layer->rate) : 0);
        }
    }
    fputc('\n', out);
}

static void write_forward(FILE *out, const engine_run *run, const char *logits) {
    size_t rows = (size_t)run->row->rows;
    write_floats(out, logits, run->logits, rows * (size_t)run->outputs);
    write_floats(out, "probabilities", run->probabilities, rows * (size_t)run->classes);
    write_floats(out, "loss", &(float){(float)run->loss.sum}, 1);
    write_floats(out, "penalty", &(float){(float)run->loss.penalty}, 1);
}

/* A step with soft targets. */
static void write_soft(FILE *out, const engine_case *row) {
    engine_run run;
    run_open(&run, row, "ref", CS_MODE_TRAIN);
    run_soften(&run);
    run_step(&run);
    write_floats(out, "targets", run.soft, (size_t)row->rows * (size_t)run.classes);
    write_floats(out, "soft_loss", &(float){(float)run.loss.sum}, 1);
    write_slot(out, "soft_gradient", &run, CS_ARRAY_GRADIENT);
    run_close(&run);
}

static void write_steps(FILE *out, const engine_case *row, const char *name, const cs_optimizer *optimizer) {
    engine_run run;
    run_open_training(&run, row, "ref", optimizer);
    for (int step = 1; step <= STEPS; step++) {
        run_step(&run);
        assert_ok(cs_program_update(run_last(&run), optimizer, step));
    }
    fprintf(out, "optimizer %s %d %.9g %.9g %d %.9g %.9g %.9g %.9g\n", name, STEPS, (double)optimizer->lr,
            (double)optimizer->momentum, optimizer->nesterov, (double)optimizer->beta_1, (double)optimizer->beta_2,
            (double)optimizer->epsilon, (double)optimizer->weight_decay);
    write_slot(out, name, &run, CS_ARRAY_VALUE);
    run_close(&run);
}

static void write_case(FILE *out, const engine_case *row) {
    static const cs_optimizer plain = {.lr = 0.1f};
    static const cs_optimizer sgd = {.lr = 0.05f, .momentum = 0.9f, .weight_decay = 0.01f};
    static const cs_optimizer nesterov = {.lr = 0.05f, .momentum = 0.9f, .nesterov = true};
    static const cs_optimizer adam = {.kind = CS_OPTIMIZER_ADAM,
                                      .lr = 0.01f,
                                      .beta_1 = 0.9f,
                                      .beta_2 = 0.999f,
                                      .epsilon = 1e-4f,
                                      .weight_decay = 0.01f};
    engine_run infer, train;
    run_open(&infer, row, "ref", CS_MODE_INFER);
    run_open(&train, row, "ref", CS_MODE_TRAIN);
    fprintf(out, "case %s %d\n", row->name, row->rows);
    write_graph(out, train.graph);
    write_floats(out, "input", train.input, (size_t)row->rows * cs_shape_count(train.graph->layers[0].out));
    write_floats(out, "initial", train.initial->data, train.graph->n_values);
    fprintf(out, "labels");
    for (int i = 0; i < row->rows; i++)
        fprintf(out, " %d", (int)train.labels[i]);
    run_forward(&infer);
    fprintf(out, "\nshape %d %d %d\n", train.graph->layers[0].out.h, train.graph->layers[0].out.w,
            train.graph->layers[0].out.c);
    write_floats(out, "inference", infer.logits, (size_t)row->rows * (size_t)infer.outputs);
    for (int l = 0; l < train.graph->n_layers; l++)
        if (cs_graph_drops(train.graph, l))
            write_dropout(out, &train, &train.graph->layers[l]);
    run_step(&train);
    write_forward(out, &train, "logits");
    write_slot(out, "gradient", &train, CS_ARRAY_GRADIENT);
    write_soft(out, row);
    write_steps(out, row, "plain", &plain);
    write_steps(out, row, "sgd", &sgd);
    write_steps(out, row, "nesterov", &nesterov);
    write_steps(out, row, "adam", &adam);
    fprintf(out, "end\n");
    run_close(&infer);
    run_close(&train);
}

static void torch_computes_the_same(void **state) {
    (void)state;
    char path[CS_PATH_MAX], command[3 * CS_PATH_MAX];
    assert_ok(cs_path(path, sizeof path, "%s/ref.txt", test_scratch()));
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    for (size_t i = 0; i < n_engine_cases; i++)
        write_case(out, &engine_cases[i]);
    assert_int_equal(fclose(out), 0);
    snprintf(command, sizeof command, "/usr/bin/python3 '%s/tests/engine/reference_torch.py' '%s'", CS_TEST_SOURCE,
             path);
    int status = system(command);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NO_TORCH && !getenv("CI"))
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(torch_computes_the_same)};
    return cmocka_run_group_tests_name("ref against torch", tests, NULL, NULL);
}
