/* SPDX-License-Identifier: Apache-2.0 */
/* Reads by name: Keras .h5 files that h5py wrote (make_files.py), and the real MobileNet weights. */
#include "cnnsweep/file.h"
#include "cnnsweep/weights.h"
#include "cnnsweep/zoo.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOBILENET_25      "mobilenet_v1_0.25_224_kerasnames_no_top.h5"
#define MOBILENET_PARTIAL "mobilenet_v1_1.0_224_keras_PARTIAL_no_top_no_conv_pw_13.h5"

typedef struct fixture {
    cs_graph *graph;
    cs_params *params;
    cs_weights_report report;
} fixture;

static const float untouched = -5;

/* Builds the network of make_files.py; its head is the dense layer. */
static cs_graph *small_graph(void) {
    cs_conv_args conv = {
        .filters = 4, .kernel_h = 3, .kernel_w = 3, .stride = 1, .padding = CS_PADDING_SAME, .use_bias = true};
    cs_graph *graph;
    int x;
    assert_ok(cs_graph_create("net", &graph));
    assert_ok(cs_graph_input(graph, "input", 8, 8, 3, &x));
    assert_ok(cs_graph_conv2d(graph, "conv", x, conv, &x));
    conv.use_bias = false;
    assert_ok(cs_graph_depthwise_conv2d(graph, "dw", x, conv, &x));
    assert_ok(cs_graph_batch_norm(graph, "bn", x, 1e-3f, 0.99f, true, &x));
    assert_ok(cs_graph_global_average_pool(graph, "gap", x, false, &x));
    int head = graph->n_layers;
    assert_ok(cs_graph_dense(graph, "dense", x, 2, CS_ACT_SOFTMAX, &x));
    graph->head = head;
    return graph;
}

static cs_graph *mobilenet(float alpha) {
    cs_model_config config;
    cs_graph *graph;
    cs_model_config_init(&config);
    snprintf(config.arch, sizeof config.arch, "mobilenet");
    config.alpha = alpha;
    config.classes = 3;
    assert_ok(cs_model_build(&config, &graph));
    return graph;
}

static fixture new_fixture(cs_graph *graph) {
    fixture f = {.graph = graph};
    assert_ok(cs_params_create(graph, &f.params));
    for (size_t i = 0; i < graph->n_values; i++)
        f.params->data[i] = untouched;
    return f;
}

static void free_fixture(fixture *f) {
    cs_weights_report_clear(&f->report);
    cs_params_free(f->params);
    cs_graph_free(f->graph);
}

static cs_status read_made(fixture *f, const char *name, bool allow_missing) {
    char path[CS_PATH_MAX];
    assert_ok(cs_path(path, sizeof path, "%s/%s.h5", test_scratch(), name));
    cs_weights_report_clear(&f->report);
    return cs_weights_read(path, allow_missing, f->params, &f->report);
}

static void assert_report(const fixture *f, int matched, int missing, int unused, int wrong_shape) {
    assert_int_equal(f->report.matched, matched);
    assert_int_equal(f->report.missing, missing);
    assert_int_equal(f->report.unused, unused);
    assert_int_equal(f->report.wrong_shape, wrong_shape);
    int lines = 0;
    for (const char *c = f->report.text; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, missing + unused + wrong_shape);
}

/* Parameter i has the values that make_files.py wrote. */
static void assert_values(const fixture *f, int i) {
    const cs_param *param = &f->graph->params[i];
    const float *values = cs_params_at(f->params, param);
    for (size_t k = 0; k < param->count; k++)
        assert_true(values[k] == (float)((37 * k + 11 * (size_t)i) % 251) / 64);
}

static void assert_untouched(const fixture *f, int i) {
    const cs_param *param = &f->graph->params[i];
    for (size_t k = 0; k < param->count; k++)
        assert_true(cs_params_at(f->params, param)[k] == untouched);
}

static void every_variant_of_the_layout_is_read(void **state) {
    (void)state;
    const char *const names[] = {"fixed", "reversed", "packed", "half", "double", "keras3", "whole", "split", "nested"};
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        fixture f = new_fixture(small_graph());
        print_message("%s.h5\n", names[n]);
        assert_ok(read_made(&f, names[n], false));
        assert_report(&f, f.graph->n_params, 0, 0, 0);
        for (int i = 0; i < f.graph->n_params; i++)
            assert_values(&f, i);
        free_fixture(&f);
    }
}

static void a_head_that_the_file_lacks_keeps_its_values(void **state) {
    (void)state;
    fixture f = new_fixture(small_graph());
    assert_ok(read_made(&f, "headless", false));
    assert_report(&f, 7, 0, 0, 0);
    assert_values(&f, 0);
    assert_untouched(&f, 7);
    assert_untouched(&f, 8);
    free_fixture(&f);
}

static void a_missing_parameter_is_an_error_unless_allowed(void **state) {
    (void)state;
    fixture f = new_fixture(small_graph());
    assert_fails(read_made(&f, "no_gamma", false), CS_ERR_NOT_FOUND, "bn/gamma");
    assert_non_null(strstr(cs_error_last()->text, "no_gamma.h5"));
    assert_non_null(strstr(cs_error_last()->hint, "allow_missing"));
    assert_report(&f, 8, 1, 0, 0);
    assert_string_equal(f.report.text, "missing      bn/gamma [4]\n");
    assert_ok(read_made(&f, "no_gamma", true));
    assert_untouched(&f, 3);
    assert_values(&f, 4);
    free_fixture(&f);
}

static void unused_datasets_are_reported(void **state) {
    (void)state;
    fixture f = new_fixture(small_graph());
    assert_ok(read_made(&f, "more", false));
    assert_report(&f, 9, 0, 2, 0);
    assert_non_null(strstr(f.report.text, "unused       extra/extra/kernel:0 [2,3]\n"));
    assert_non_null(strstr(f.report.text, "unused       conv/conv/scale:0 [4]\n"));
    free_fixture(&f);
}

static void two_datasets_for_one_parameter_are_an_error_naming_both(void **state) {
    (void)state;
    fixture f = new_fixture(small_graph());
    assert_fails(read_made(&f, "twice", true), CS_ERR_FORMAT, "both conv/conv/bias:0 and twin/conv/bias:0");
    assert_untouched(&f, 1);
    free_fixture(&f);
}

/* This is what Keras' skip_mismatch does. */
static void a_different_head_in_the_file_is_not_read(void **state) {
    (void)state;
    const struct {
        const char *file, *line;
        int unused, differs;
    } cases[] = {
        {"other_head", "head differs dense/kernel: [4,2] in the network, [4,5] in the file\n", 0, 2},
        {"half_head", "head lacks   dense/kernel [4,2]\n", 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture f = new_fixture(small_graph());
        assert_ok(read_made(&f, cases[i].file, false));
        assert_non_null(strstr(f.report.text, cases[i].line));
        assert_int_equal(f.report.matched, 7);
        assert_int_equal(f.report.missing + f.report.wrong_shape, 0);
        assert_int_equal(f.report.unused, cases[i].unused);
        assert_int_equal(f.report.head_differs, cases[i].differs);
        assert_values(&f, 0);
        assert_untouched(&f, 7);
        assert_untouched(&f, 8);
        free_fixture(&f);
    }
}

static void the_head_is_read_when_asked_for(void **state) {
    (void)state;
    char path[CS_PATH_MAX];
    fixture f = new_fixture(small_graph());
    assert_ok(cs_path(path, sizeof path, "%s/other_head.h5", test_scratch()));
    assert_fails(cs_weights_read(path, CS_WEIGHTS_WHOLE, f.params, &f.report), CS_ERR_SHAPE, "dense/kernel");
    cs_weights_report_clear(&f.report);
    assert_ok(cs_path(path, sizeof path, "%s/headless.h5", test_scratch()));
    assert_fails(cs_weights_read(path, CS_WEIGHTS_WHOLE, f.params, &f.report), CS_ERR_NOT_FOUND, "dense/kernel");
    free_fixture(&f);
}

static void a_file_without_any_match_is_always_an_error(void **state) {
    (void)state;
    fixture f = new_fixture(small_graph());
    assert_fails(read_made(&f, "stranger", true), CS_ERR_NOT_FOUND, "none of its 1 tensors is a parameter of net");
    assert_int_equal(f.report.matched, 0);
    free_fixture(&f);
}

static void automatic_names_of_keras_match_by_their_order(void **state) {
    (void)state;
    fixture f = new_fixture(small_graph());
    assert_ok(read_made(&f, "later", false));
    assert_report(&f, f.graph->n_params, 0, 0, 0);
    for (int i = 0; i < f.graph->n_params; i++)
        assert_values(&f, i);
    free_fixture(&f);
}

static void wrong_shapes_are_errors_with_both_shapes(void **state) {
    (void)state;
    const struct {
        const char *file, *line;
    } cases[] = {
        {"wide", "wrong shape  conv/kernel: [3,3,3,4] in the network, [3,3,3,8] in the file\n"},
        {"flat", "wrong shape  conv/kernel: [3,3,3,4] in the network, [108] in the file\n"},
        {"scalar", "wrong shape  bn/beta: [4] in the network, [] in the file\n"},
        {"rank32", "wrong shape  conv/kernel: [3,3,3,4] in the network, "
                   "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1] in the file\n"},
        {"huge", "wrong shape  conv/bias: [4] in the network, [1152921504606846976] in the file\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture f = new_fixture(small_graph());
        assert_fails(read_made(&f, cases[i].file, true), CS_ERR_SHAPE, cases[i].file);
        assert_report(&f, 8, 0, 0, 1);
        assert_string_equal(f.report.text, cases[i].line);
        free_fixture(&f);
    }
}

static void broken_files_are_refused_with_file_and_place(void **state) {
    (void)state;
    const struct {
        const char *file, *place;
    } cases[] = {
        {"integers", "conv/conv/kernel:0 holds no floating-point"},
        {"text_data", "conv/conv/bias:0 holds no floating-point"},
        {"no_names", "the attribute layer_names"},
        {"number_names", "layer_names is no list of names"},
        {"no_group", "layer bn is listed"},
        {"no_dataset", "bn/bn/beta:0 is listed"},
        {"no_weight_names", "layer bn has no attribute weight_names"},
        {"group_data", "conv/conv/bias:0 is listed"},
        {"dataset_root", "model_weights"},
        {"loop", "layer a is listed"},
        {"elsewhere", "conv/conv/bias:0 is listed"},
        {"records", "conv/conv/bias:0 holds no floating-point"},
        {"long_names", "is listed but cannot be opened"},
        {"empty_names", "conv/ is listed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture f = new_fixture(small_graph());
        assert_fails(read_made(&f, cases[i].file, true), CS_ERR_FORMAT, cases[i].place);
        assert_non_null(strstr(cs_error_last()->text, cases[i].file));
        assert_non_null(f.report.text);
        free_fixture(&f);
    }
}

static void files_cut_short_are_refused(void **state) {
    (void)state;
    char whole[CS_PATH_MAX], cut[CS_PATH_MAX], *bytes;
    size_t size;
    assert_ok(cs_path(whole, sizeof whole, "%s/fixed.h5", test_scratch()));
    assert_ok(cs_path(cut, sizeof cut, "%s/cut.h5", test_scratch()));
    assert_ok(cs_file_read(whole, 1 << 24, &bytes, &size));
    for (size_t keep = 0; keep < size; keep += size / 50) {
        fixture f = new_fixture(small_graph());
        assert_ok(cs_file_write(cut, bytes, keep));
        assert_fails(read_made(&f, "cut", true), CS_ERR_FORMAT, "cut.h5");
        assert_non_null(strstr(keep < 8 ? cs_error_last()->text : cs_error_last()->hint, "cut short"));
        if (keep >= 96) /* after its superblock, HDF5 notices that the file is too short */
            assert_non_null(strstr(cs_error_last()->text, "truncated file: eof = "));
        free_fixture(&f);
    }
    free(bytes);
}

static void missing_files_and_other_files_have_different_errors(void **state) {
    (void)state;
    fixture f = new_fixture(small_graph());
    assert_fails(read_made(&f, "absent", true), CS_ERR_NOT_FOUND, "absent.h5");
    cs_weights_report_clear(&f.report);
    assert_fails(cs_weights_read(CS_TEST_SOURCE "/CMakeLists.txt", true, f.params, &f.report), CS_ERR_FORMAT,
                 "CMakeLists.txt: neither an HDF5 nor a safetensors file");
    cs_weights_report_clear(&f.report);
    assert_fails(cs_weights_read(CS_TEST_SOURCE, true, f.params, &f.report), CS_ERR_FORMAT, "or cut short");
    free_fixture(&f);
}

/* The index of the parameter of that name. */
static int param_named(const cs_graph *graph, const char *wanted) {
    for (int i = 0; i < graph->n_params; i++) {
        char name[2 * CS_NAME_MAX];
        cs_param_name(graph, &graph->params[i], name, sizeof name);
        if (strcmp(name, wanted) == 0)
            return i;
    }
    fail_msg("no parameter %s", wanted);
    return -1;
}

static void mobilenet_weights_match_and_hold_what_h5py_reads(void **state) {
    (void)state;
    const char *weights = test_shared("weights/" MOBILENET_25);
    char command[4 * CS_PATH_MAX], listing[CS_PATH_MAX], line[256], name[128];
    snprintf(command, sizeof command, "/usr/bin/python3 '%s' '%s' '%s'", CS_TEST_SOURCE "/tests/weights/make_files.py",
             test_scratch(), weights);
    assert_int_equal(system(command), 0);
    fixture f = new_fixture(mobilenet(0.25f));
    assert_ok(cs_weights_read(weights, false, f.params, &f.report));
    assert_report(&f, f.graph->n_params - 2, 0, 0, 0);
    assert_ok(cs_path(listing, sizeof listing, "%s/" MOBILENET_25 ".txt", test_scratch()));
    FILE *file = fopen(listing, "r");
    assert_non_null(file);
    int lines = 0;
    for (; fgets(line, sizeof line, file); lines++) {
        size_t count;
        double first, last, sum, ours = 0;
        assert_int_equal(sscanf(line, "%127s %zu %lf %lf %lf", name, &count, &first, &last, &sum), 5);
        const cs_param *param = &f.graph->params[param_named(f.graph, name)];
        const float *values = cs_params_at(f.params, param);
        assert_int_equal(param->count, count);
        for (size_t i = 0; i < count; i++)
            ours += (double)values[i];
        assert_true((double)values[0] == first && (double)values[count - 1] == last);
        assert_true(fabs(ours - sum) <= 1e-9 * (double)count);
    }
    fclose(file);
    assert_int_equal(lines, 135);
    free_fixture(&f);
}

static void partial_mobilenet_weights_need_allow_missing(void **state) {
    (void)state;
    const char *weights = test_shared("weights/" MOBILENET_PARTIAL);
    fixture f = new_fixture(mobilenet(1));
    assert_fails(cs_weights_read(weights, false, f.params, &f.report), CS_ERR_NOT_FOUND, "conv_pw_13/kernel");
    assert_report(&f, 134, 1, 0, 0);
    cs_weights_report_clear(&f.report);
    assert_ok(cs_weights_read(weights, true, f.params, &f.report));
    assert_string_equal(f.report.text, "missing      conv_pw_13/kernel [1,1,1024,1024]\n");
    assert_untouched(&f, param_named(f.graph, "conv_pw_13/kernel"));
    free_fixture(&f);
}

static void mobilenet_weights_of_another_alpha_are_refused(void **state) {
    (void)state;
    const char *weights = test_shared("weights/" MOBILENET_25);
    fixture f = new_fixture(mobilenet(0.5f));
    assert_fails(cs_weights_read(weights, true, f.params, &f.report), CS_ERR_SHAPE,
                 "conv1/kernel is [3,3,3,16] in the network, [3,3,3,8] in the file");
    assert_non_null(strstr(cs_error_last()->hint, "alpha"));
    assert_report(&f, 0, 0, 0, 135);
    free_fixture(&f);
}

static int make_files(void **state) {
    (void)state;
    char command[2 * CS_PATH_MAX];
    snprintf(command, sizeof command, "/usr/bin/python3 '%s' '%s'", CS_TEST_SOURCE "/tests/weights/make_files.py",
             test_scratch());
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_variant_of_the_layout_is_read),
        cmocka_unit_test(a_head_that_the_file_lacks_keeps_its_values),
        cmocka_unit_test(a_missing_parameter_is_an_error_unless_allowed),
        cmocka_unit_test(unused_datasets_are_reported),
        cmocka_unit_test(two_datasets_for_one_parameter_are_an_error_naming_both),
        cmocka_unit_test(a_different_head_in_the_file_is_not_read),
        cmocka_unit_test(the_head_is_read_when_asked_for),
        cmocka_unit_test(a_file_without_any_match_is_always_an_error),
        cmocka_unit_test(automatic_names_of_keras_match_by_their_order),
        cmocka_unit_test(wrong_shapes_are_errors_with_both_shapes),
        cmocka_unit_test(broken_files_are_refused_with_file_and_place),
        cmocka_unit_test(files_cut_short_are_refused),
        cmocka_unit_test(missing_files_and_other_files_have_different_errors),
        cmocka_unit_test(mobilenet_weights_match_and_hold_what_h5py_reads),
        cmocka_unit_test(partial_mobilenet_weights_need_allow_missing),
        cmocka_unit_test(mobilenet_weights_of_another_alpha_are_refused),
    };
    return cmocka_run_group_tests(tests, make_files, NULL);
}
