/* SPDX-License-Identifier: Apache-2.0 */
/* Wrong calls are refused with a message that describes the error and says what to do. */
#include "run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const cs_engine_options one_thread = {.threads = 1};
static const engine_case *row;

static int find_case_to_run(void **state) {
    (void)state;
    row = find_engine_case("conv_partial_batch"); /* batch 8, 3 rows */
    return 0;
}

static void a_misspelt_device_gets_a_suggestion(void **state) {
    (void)state;
    cs_engine *engine;
    assert_fails(cs_engine_open("onedn", &one_thread, &engine), CS_ERR_ARG, "did you mean 'onednn'?");
    assert_fails(cs_engine_open("gpu", &one_thread, &engine), CS_ERR_ARG, "one of auto, cpu, ref, onednn, cuda");
    assert_null(engine);
}

static void only_gpus_support_other_precisions(void **state) {
    (void)state;
    cs_engine *engine;
    const cs_engine_options half = {.threads = 1, .precision = CS_PRECISION_BF16};
    static const char *const devices[] = {"cpu", "ref"};
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        assert_fails(cs_engine_open(devices[i], &half, &engine), CS_ERR_UNSUPPORTED, "precision bf16: engine ");
        assert_null(engine);
    }
}

static void onednn_opens_or_says_how_to_build_it(void **state) {
    (void)state;
    cs_engine *engine;
    cs_status status = cs_engine_open("onednn", &one_thread, &engine);
    if (status != CS_OK) {
        assert_fails(status, CS_ERR_UNSUPPORTED, "libdnnl-dev");
        assert_fails(status, CS_ERR_UNSUPPORTED, "-DCNNSWEEP_ONEDNN=ON");
    } else {
        assert_string_equal(cs_engine_name(engine), "onednn");
    }
    cs_engine_close(engine);
}

/* The test sets a plug-in that does not exist, because auto would be the GPU on a machine that has one. */
static void without_a_gpu_auto_is_cpu(void **state) {
    (void)state;
    cs_engine *automatic, *cpu, *cuda;
    assert_fails(cs_engine_open("cuda", &one_thread, &cuda), CS_ERR_UNSUPPORTED, "no/such/plugin.so");
    assert_ok(cs_engine_open("auto", &one_thread, &automatic));
    assert_ok(cs_engine_open("cpu", &one_thread, &cpu));
    assert_string_equal(cs_engine_name(automatic), cs_engine_name(cpu));
    cs_engine_close(automatic);
    cs_engine_close(cpu);
}

static void zero_threads_are_refused(void **state) {
    (void)state;
    cs_engine *engine;
    assert_fails(cs_engine_open("ref", &(cs_engine_options){.threads = 0}, &engine), CS_ERR_ARG, "0 threads");
}

static void a_batch_of_zero_rows_is_refused(void **state) {
    (void)state;
    engine_run run;
    cs_program *program;
    run_open(&run, row, "ref", CS_MODE_INFER);
    cs_program_spec spec = {.segment = run.segments[0], .batch = 0, .mode = CS_MODE_INFER};
    assert_fails(cs_program_compile(run.engine, &spec, &program), CS_ERR_ARG, "batch is 0");
    run_close(&run);
}

static void rows_outside_1_to_batch_are_refused(void **state) {
    (void)state;
    engine_run run;
    run_open(&run, row, "ref", CS_MODE_TRAIN);
    cs_program *program = run_last(&run);
    const int wrong[] = {-1, 0, row->batch + 1};
    for (int i = 0; i < 3; i++) {
        assert_fails(cs_program_set_input(program, 0, run.input, wrong[i]), CS_ERR_ARG, "compiled for 1 to 8 rows");
        assert_fails(cs_program_get_output(program, 0, run.logits, wrong[i]), CS_ERR_ARG, "compiled for 1 to 8 rows");
        assert_fails(cs_program_forward(program, wrong[i]), CS_ERR_ARG, "compiled for 1 to 8 rows");
        assert_fails(cs_program_loss(program, &(cs_targets){.labels = run.labels}, wrong[i], NULL, &run.loss),
                     CS_ERR_ARG, "1 to 8 rows");
        assert_fails(cs_program_backward(program, wrong[i]), CS_ERR_ARG, "1 to 8 rows");
    }
    run_close(&run);
}

static void an_inference_program_does_not_train(void **state) {
    (void)state;
    const cs_optimizer sgd = {.lr = 0.1f};
    engine_run run;
    run_open(&run, row, "ref", CS_MODE_INFER);
    run_forward(&run);
    cs_program *program = run_last(&run);
    assert_fails(cs_program_backward(program, row->rows), CS_ERR_ARG, "compiled for inference");
    assert_fails(cs_program_update(program, &sgd, 1), CS_ERR_ARG, "compiled for inference");
    assert_fails(cs_program_read(program, CS_ARRAY_GRADIENT, run.initial), CS_ERR_ARG, "compiled for inference");
    assert_fails(cs_program_load(program, CS_ARRAY_STATE, run.initial), CS_ERR_ARG, "compiled for inference");
    run_close(&run);
}

static void steps_out_of_order_are_refused(void **state) {
    (void)state;
    engine_run run;
    run_open(&run, row, "ref", CS_MODE_TRAIN);
    cs_program *program = run_last(&run);
    assert_ok(cs_program_forward(program, 3));
    assert_fails(cs_program_set_output(program, 0, run.logits, 3), CS_ERR_ARG, "compiled for training");
    assert_fails(cs_program_backward(program, 3), CS_ERR_ARG, "forward, loss, backward");
    assert_fails(cs_program_loss(program, &(cs_targets){.labels = run.labels}, 2, NULL, &run.loss), CS_ERR_ARG,
                 "ran on 3");
    assert_fails(cs_program_get_output(program, 0, run.logits, 4), CS_ERR_ARG, "last forward ran on 3");
    assert_ok(cs_program_loss(program, &(cs_targets){.labels = run.labels}, 3, NULL, &run.loss));
    assert_fails(cs_program_backward(program, 2), CS_ERR_ARG, "ran on 3");
    assert_ok(cs_program_backward(program, 3));
    assert_fails(cs_program_backward(program, 3), CS_ERR_ARG, "forward, loss, backward");
    run_close(&run);
}

static void inputs_and_outputs_that_do_not_exist_are_refused(void **state) {
    (void)state;
    engine_run run;
    run_open(&run, row, "ref", CS_MODE_INFER);
    cs_program *program = run_last(&run);
    assert_fails(cs_program_set_input(program, 1, run.input, 1), CS_ERR_ARG, "no input 1");
    assert_fails(cs_program_set_input(program, -1, run.input, 1), CS_ERR_ARG, "no input -1");
    assert_fails(cs_program_get_output(program, 1, run.logits, 1), CS_ERR_ARG, "no output 1");
    assert_fails(cs_program_get_output(program, -1, run.logits, 1), CS_ERR_ARG, "no output -1");
    assert_fails(cs_program_set_output(program, 1, run.logits, 1), CS_ERR_ARG, "no output 1");
    assert_fails(cs_program_set_output(program, 0, run.logits, row->batch + 1), CS_ERR_ARG, "compiled for");
    run_close(&run);
}

static void labels_outside_the_classes_are_refused(void **state) {
    (void)state;
    engine_run run;
    run_open(&run, row, "ref", CS_MODE_INFER);
    run_forward(&run);
    const int32_t wrong[2][3] = {{0, run.classes, 0}, {0, 0, -1}};
    assert_fails(cs_program_loss(run_last(&run), &(cs_targets){.labels = wrong[0]}, 3, NULL, &run.loss), CS_ERR_ARG,
                 "label 5 in row 1");
    assert_fails(cs_program_loss(run_last(&run), &(cs_targets){.labels = wrong[1]}, 3, NULL, &run.loss), CS_ERR_ARG,
                 "label -1 in row 2");
    run_close(&run);
}

static void targets_that_are_negative_or_not_finite_are_refused(void **state) {
    (void)state;
    engine_run run;
    run_open(&run, row, "ref", CS_MODE_INFER);
    run_forward(&run);
    run_soften(&run);
    const cs_targets targets = {.labels = run.labels, .soft = run.soft};
    const float wrong[] = {-0.5f, NAN, INFINITY};
    const char *const texts[] = {"target -0.5 of class 1 in row 2", "nan of class 1 in row 2",
                                 "inf of class 1 in row 2"};
    for (int i = 0; i < 3; i++) {
        run.soft[2 * run.classes + 1] = wrong[i];
        assert_fails(cs_program_loss(run_last(&run), &targets, 3, NULL, &run.loss), CS_ERR_ARG, texts[i]);
    }
    run_close(&run);
}

static void the_loss_of_an_image_is_refused(void **state) {
    (void)state;
    engine_run run;
    run_open(&run, find_engine_case("mobilenet_cut_at_head"), "ref", CS_MODE_INFER);
    run_forward(&run);
    assert_fails(cs_program_loss(run.programs[0], &(cs_targets){.labels = run.labels}, run.row->rows, NULL, &run.loss),
                 CS_ERR_SHAPE, "pw2_relu gives [4,4,24]");
    run_close(&run);
}

static void updates_need_a_step_from_1_and_a_finite_rate(void **state) {
    (void)state;
    const cs_optimizer sgd = {.lr = 0.1f};
    engine_run run;
    run_open_training(&run, row, "ref", &sgd);
    run_step(&run);
    assert_fails(cs_program_update(run_last(&run), &(cs_optimizer){.lr = 0.1f}, 0), CS_ERR_ARG, "count from 1");
    assert_fails(cs_program_update(run_last(&run), &(cs_optimizer){.lr = NAN}, 1), CS_ERR_ARG, "learning rate is nan");
    run_close(&run);
}

static void updates_need_the_optimizer_that_the_program_was_compiled_for(void **state) {
    (void)state;
    const cs_optimizer sgd = {.lr = 0.1f}, adam = {.kind = CS_OPTIMIZER_ADAM, .lr = 0.1f};
    engine_run run;
    run_open_training(&run, row, "ref", &sgd);
    run_step(&run);
    assert_fails(cs_program_update(run_last(&run), &adam, 1), CS_ERR_ARG, "compiled for another optimizer");
    assert_fails(cs_program_read(run_last(&run), CS_ARRAY_STATE, run.initial), CS_ERR_ARG, "array 2 does not exist");
    run_close(&run);
    run_open(&run, row, "ref", CS_MODE_TRAIN);
    run_step(&run);
    assert_fails(cs_program_update(run_last(&run), &sgd, 1), CS_ERR_ARG, "compiled for no optimizer");
    run_close(&run);
}

static void parameters_of_another_graph_are_refused(void **state) {
    (void)state;
    engine_run run, other;
    run_open(&run, row, "ref", CS_MODE_TRAIN);
    run_open(&other, find_engine_case("mobilenet"), "ref", CS_MODE_TRAIN);
    assert_fails(cs_program_load(run_last(&run), CS_ARRAY_VALUE, other.initial), CS_ERR_SHAPE, "values");
    assert_fails(cs_program_read(run_last(&run), CS_ARRAY_VALUE, other.initial), CS_ERR_SHAPE, "values");
    assert_fails(cs_program_read(run_last(&run), (cs_param_array)9, run.initial), CS_ERR_ARG, "array 9");
    run_close(&run);
    run_close(&other);
}

static void an_upstream_program_that_does_not_fit_is_refused(void **state) {
    (void)state;
    engine_run run, other;
    cs_program *program;
    run_open(&run, find_engine_case("mobilenet_cut_at_head"), "ref", CS_MODE_INFER); /* batch 6 */
    run_open(&other, find_engine_case("residual_block_cut_twice_read"), "ref", CS_MODE_INFER);
    cs_program_spec larger = {
        .segment = run.segments[1], .batch = 7, .mode = CS_MODE_INFER, .upstream = run.programs[0]};
    assert_fails(cs_program_compile(run.engine, &larger, &program), CS_ERR_SHAPE, "batch is 7");
    cs_program_spec foreign = {
        .segment = run.segments[1], .batch = 4, .mode = CS_MODE_INFER, .upstream = other.programs[0]};
    assert_fails(cs_program_compile(run.engine, &foreign, &program), CS_ERR_ARG, "another engine");
    assert_fails(cs_program_compile(other.engine, &foreign, &program), CS_ERR_SHAPE, "1 inputs");
    cs_program_spec itself = {
        .segment = run.segments[1], .batch = 4, .mode = CS_MODE_INFER, .upstream = run.programs[1]};
    assert_fails(cs_program_compile(run.engine, &itself, &program), CS_ERR_SHAPE, "input 0 is pw2_relu [4,4,24]");
    run_close(&run);
    run_close(&other);
}

static void inputs_from_upstream_cannot_be_set(void **state) {
    (void)state;
    engine_run run;
    run_open(&run, find_engine_case("mobilenet_cut_at_head"), "ref", CS_MODE_INFER);
    assert_fails(cs_program_set_input(run.programs[1], 0, run.input, 2), CS_ERR_ARG, "from the upstream program");
    assert_ok(cs_program_forward(run.programs[0], 2));
    assert_fails(cs_program_forward(run.programs[1], 3), CS_ERR_ARG, "ran on 2");
    assert_ok(cs_program_forward(run.programs[1], 2));
    run_close(&run);
}

static void gradients_need_layers_of_a_training_program(void **state) {
    (void)state;
    engine_run run;
    cs_program *program;
    run_open(&run, row, "ref", CS_MODE_TRAIN);
    const int beyond = run.graph->n_layers, first = 0;
    cs_program_spec spec = {
        .segment = run.segments[0], .batch = 2, .mode = CS_MODE_TRAIN, .gradients = &beyond, .n_gradients = 1};
    assert_fails(cs_program_compile(run.engine, &spec, &program), CS_ERR_ARG, "the segment has layers 0 to");
    spec.gradients = &first;
    spec.mode = CS_MODE_INFER;
    assert_fails(cs_program_compile(run.engine, &spec, &program), CS_ERR_ARG, "CS_MODE_TRAIN");
    run_close(&run);
}

static void a_gradient_is_read_after_backward(void **state) {
    (void)state;
    engine_run run;
    run_open_with(&run, row, "ref", &(run_options){.mode = CS_MODE_TRAIN, .asked = 0});
    cs_program *program = run_last(&run);
    assert_fails(cs_program_set_gradient(program, run.logits, 3), CS_ERR_ARG, "forward, loss, backward");
    run_forward(&run);
    assert_fails(cs_program_get_gradient(program, 0, run.input, 3), CS_ERR_ARG, "last backward ran on 0");
    assert_ok(cs_program_backward(program, 3));
    assert_fails(cs_program_get_gradient(program, 0, run.input, 4), CS_ERR_ARG, "last backward ran on 3");
    assert_fails(cs_program_get_gradient(program, 1, run.input, 3), CS_ERR_ARG, "gradient 1 of the 1");
    assert_ok(cs_program_get_gradient(program, 0, run.input, 3));
    run_close(&run);
}

int main(void) {
    setenv("CNNSWEEP_CUDA_PLUGIN", "no/such/plugin.so", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_misspelt_device_gets_a_suggestion),
        cmocka_unit_test(only_gpus_support_other_precisions),
        cmocka_unit_test(onednn_opens_or_says_how_to_build_it),
        cmocka_unit_test(without_a_gpu_auto_is_cpu),
        cmocka_unit_test(zero_threads_are_refused),
        cmocka_unit_test(a_batch_of_zero_rows_is_refused),
        cmocka_unit_test(rows_outside_1_to_batch_are_refused),
        cmocka_unit_test(an_inference_program_does_not_train),
        cmocka_unit_test(steps_out_of_order_are_refused),
        cmocka_unit_test(inputs_and_outputs_that_do_not_exist_are_refused),
        cmocka_unit_test(labels_outside_the_classes_are_refused),
        cmocka_unit_test(targets_that_are_negative_or_not_finite_are_refused),
        cmocka_unit_test(the_loss_of_an_image_is_refused),
        cmocka_unit_test(updates_need_a_step_from_1_and_a_finite_rate),
        cmocka_unit_test(updates_need_the_optimizer_that_the_program_was_compiled_for),
        cmocka_unit_test(parameters_of_another_graph_are_refused),
        cmocka_unit_test(an_upstream_program_that_does_not_fit_is_refused),
        cmocka_unit_test(inputs_from_upstream_cannot_be_set),
        cmocka_unit_test(gradients_need_layers_of_a_training_program),
        cmocka_unit_test(a_gradient_is_read_after_backward),
    };
    return cmocka_run_group_tests_name("engine faults", tests, find_case_to_run, NULL);
}
