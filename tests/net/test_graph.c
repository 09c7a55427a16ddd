/* SPDX-License-Identifier: Apache-2.0 */
/* Layers, shapes, freezing, segments and the summary of small hand-made networks. */
#include "keras_models.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

static const cs_conv_args conv3 = {
    .filters = 4, .kernel_h = 3, .kernel_w = 3, .stride = 1, .padding = CS_PADDING_SAME, .use_bias = true};

static cs_graph *new_graph(int h, int w, int c) {
    cs_graph *graph;
    int input;
    assert_ok(cs_graph_create("net", &graph));
    assert_ok(cs_graph_input(graph, "input", h, w, c, &input));
    return graph;
}

/* The layers: 0 input, 1 stem, 2 norm, 3 branch, 4 sum = stem + branch, 5 relu, 6 gap, 7 dense. */
static cs_graph *residual_graph(void) {
    cs_graph *graph = new_graph(8, 8, 3);
    int stem, x;
    assert_ok(cs_graph_conv2d(graph, "stem", 0, conv3, &stem));
    assert_ok(cs_graph_batch_norm(graph, "norm", stem, 1e-3f, 0.99f, false, &x));
    assert_ok(cs_graph_conv2d(graph, "branch", x, conv3, &x));
    assert_ok(cs_graph_add(graph, "sum", stem, x, &x));
    assert_ok(cs_graph_activation(graph, "relu", x, CS_ACT_RELU, &x));
    assert_ok(cs_graph_global_average_pool(graph, "gap", x, false, &x));
    int head = graph->n_layers;
    assert_ok(cs_graph_dense(graph, "dense", x, 2, CS_ACT_SOFTMAX, &x));
    graph->head = head;
    return graph;
}

static void same_padding_is_that_of_tensorflow(void **state) {
    (void)state;
    const keras_golden *golden = keras_golden_load();
    assert_true(golden->n_same > 0);
    for (int i = 0; i < golden->n_same; i++) {
        keras_same want = golden->same[i];
        cs_graph *graph = new_graph(want.in, 6, 2);
        cs_conv_args args = {
            .filters = 1, .kernel_h = want.kernel, .kernel_w = 1, .stride = want.stride, .padding = CS_PADDING_SAME};
        int conv;
        assert_ok(cs_graph_conv2d(graph, "conv", 0, args, &conv));
        const cs_layer *layer = &graph->layers[conv];
        assert_int_equal(layer->out.h, want.out);
        assert_int_equal(layer->window.pad_top, want.before);
        assert_int_equal(layer->window.pad_bottom, want.after);
        assert_int_equal(layer->window.pad_left + layer->window.pad_right, 0);
        cs_graph_free(graph);
    }
}

static void parameters_have_keras_layouts_and_names(void **state) {
    (void)state;
    cs_graph *graph = new_graph(9, 9, 3);
    int x;
    cs_conv_args conv = {.filters = 5, .kernel_h = 3, .kernel_w = 2, .stride = 1, .use_bias = true};
    assert_ok(cs_graph_conv2d(graph, "c", 0, conv, &x));
    conv.use_bias = false;
    assert_ok(cs_graph_depthwise_conv2d(graph, "d", x, conv, &x));
    assert_ok(cs_graph_batch_norm(graph, "b", x, 1e-3f, 0.99f, true, &x));
    assert_ok(cs_graph_flatten(graph, "f", x, &x));
    assert_ok(cs_graph_dense(graph, "o", x, 7, CS_ACT_LINEAR, &x));
    const struct {
        const char *name;
        int rank, dims[4];
    } want[] = {
        {"c/kernel", 4, {3, 2, 3, 5}},
        {"c/bias", 1, {5}},
        {"d/depthwise_kernel", 4, {3, 2, 5, 1}},
        {"b/gamma", 1, {5}},
        {"b/beta", 1, {5}},
        {"b/moving_mean", 1, {5}},
        {"b/moving_variance", 1, {5}},
        {"o/kernel", 2, {5 * 7 * 5, 7}},
        {"o/bias", 1, {7}},
    };
    size_t offset = 0;
    assert_int_equal(graph->n_params, sizeof want / sizeof want[0]);
    for (int i = 0; i < graph->n_params; i++) {
        const cs_param *param = &graph->params[i];
        char name[2 * CS_NAME_MAX];
        cs_param_name(graph, param, name, sizeof name);
        assert_string_equal(name, want[i].name);
        assert_int_equal(param->rank, want[i].rank);
        assert_memory_equal(param->dims, want[i].dims, sizeof want[i].dims);
        assert_int_equal(param->offset, offset);
        assert_int_equal(cs_param_is_statistic(param), strstr(name, "moving") != NULL);
        offset += param->count;
    }
    assert_int_equal(graph->n_values, offset);
    cs_graph_free(graph);
}

static void multiply_adds_count_every_tap(void **state) {
    (void)state;
    cs_graph *graph = residual_graph();
    assert_true(cs_layer_macs(graph, 1) == 8.0 * 8 * 4 * 3 * 3 * 3);
    assert_true(cs_layer_macs(graph, 5) == 0);
    assert_true(cs_layer_macs(graph, 7) == 8.0);
    cs_graph_free(graph);
}

static void bad_layers_are_refused_by_name(void **state) {
    (void)state;
    cs_graph *graph = new_graph(4, 4, 3);
    int x, flat;
    cs_conv_args big = {.filters = 1, .kernel_h = 5, .kernel_w = 5, .stride = 1};
    char long_name[CS_NAME_MAX + 1];
    memset(long_name, 'n', CS_NAME_MAX);
    long_name[CS_NAME_MAX] = '\0';
    assert_fails(cs_graph_input(graph, "input2", 4, 4, 3, &x), CS_ERR_ARG, "input2");
    assert_fails(cs_graph_conv2d(graph, "input", 0, conv3, &x), CS_ERR_ARG, "two layers of the name 'input'");
    assert_fails(cs_graph_conv2d(graph, "", 0, conv3, &x), CS_ERR_ARG, "no name");
    assert_fails(cs_graph_conv2d(graph, long_name, 0, conv3, &x), CS_ERR_ARG, "characters");
    assert_fails(cs_graph_conv2d(graph, "conv", 1, conv3, &x), CS_ERR_ARG, "input 1");
    assert_fails(cs_graph_conv2d(graph, "conv", -1, conv3, &x), CS_ERR_ARG, "input -1");
    assert_fails(cs_graph_conv2d(graph, "conv", 0, big, &x), CS_ERR_SHAPE, "window of 5");
    big.kernel_h = 0;
    assert_fails(cs_graph_conv2d(graph, "conv", 0, big, &x), CS_ERR_ARG, "window 0");
    big = (cs_conv_args){.filters = 0, .kernel_h = 1, .kernel_w = 1, .stride = 1};
    assert_fails(cs_graph_conv2d(graph, "conv", 0, big, &x), CS_ERR_SHAPE, "conv");
    big =
        (cs_conv_args){.filters = 65536, .kernel_h = 65536, .kernel_w = 65536, .stride = 1, .padding = CS_PADDING_SAME};
    assert_fails(cs_graph_conv2d(graph, "conv", 0, big, &x), CS_ERR_SHAPE, "2^40");
    assert_fails(cs_graph_zero_pad(graph, "pad", 0, 0, -1, 0, 0, &x), CS_ERR_ARG, "padding -1");
    assert_fails(cs_graph_pool(graph, "pool", 0, (cs_pool_args){.kind = CS_LAYER_DENSE, .size = 2, .stride = 2}, &x),
                 CS_ERR_ARG, "Dense");
    assert_fails(cs_graph_dense(graph, "dense", 0, 2, CS_ACT_LINEAR, &x), CS_ERR_SHAPE, "gap or flatten");
    assert_fails(cs_graph_activation(graph, "soft", 0, CS_ACT_SOFTMAX, &x), CS_ERR_SHAPE, "flat");
    assert_int_equal(graph->n_layers, 1);
    assert_int_equal(graph->n_params, 0);
    assert_ok(cs_graph_flatten(graph, "flat", 0, &flat));
    assert_fails(cs_graph_add(graph, "sum", 0, flat, &x), CS_ERR_SHAPE, "4 x 4 x 3");
    assert_fails(cs_graph_flatten(graph, "again", flat + 1, &x), CS_ERR_ARG, "again");
    assert_ok(cs_graph_dense(graph, "dense", flat, 2, CS_ACT_SOFTMAX, &x));
    assert_fails(cs_graph_dense(graph, "more", x, 2, CS_ACT_LINEAR, &x), CS_ERR_ARG, "ends in softmax");
    assert_fails(cs_graph_dense(graph, "binary", flat, 2, CS_ACT_BINARY, &x), CS_ERR_ARG, "has 1 unit, not 2");
    assert_ok(cs_graph_dense(graph, "binary", flat, 1, CS_ACT_BINARY, &x));
    assert_fails(cs_graph_activation(graph, "relu", x, CS_ACT_RELU, &x), CS_ERR_ARG, "ends in sigmoid");
    cs_graph_free(graph);
}

static void assert_frozen_before(const cs_graph *graph, int first) {
    for (int i = 0; i < graph->n_layers; i++)
        assert_int_equal(graph->layers[i].trainable, i >= first);
}

static void freezing_takes_counts_names_all_and_head(void **state) {
    (void)state;
    const struct {
        const char *fine_tune;
        int first, trunk_end;
    } cases[] = {{"all", 0, 1}, {"head", 7, 7}, {"1", 7, 7},    {"2", 6, 7},   {"5", 3, 3},
                 {"8", 0, 1},   {"9", 0, 1},    {"norm", 2, 2}, {"sum", 4, 7}, {"99999999999999999999", 0, 1}};
    cs_graph *graph = residual_graph();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_ok(cs_graph_freeze(graph, cases[i].fine_tune));
        assert_frozen_before(graph, cases[i].first);
        assert_int_equal(cs_graph_trunk_end(graph), cases[i].trunk_end);
    }
    cs_graph_free(graph);
}

static void wrong_depths_are_refused_and_change_nothing(void **state) {
    (void)state;
    cs_graph *graph = residual_graph();
    assert_ok(cs_graph_freeze(graph, "3"));
    assert_fails(cs_graph_freeze(graph, "0"), CS_ERR_ARG, "nothing to train");
    assert_fails(cs_graph_freeze(graph, "nrom"), CS_ERR_NOT_FOUND, "did you mean 'norm'");
    assert_fails(cs_graph_freeze(graph, "-2"), CS_ERR_NOT_FOUND, "-2");
    assert_fails(cs_graph_freeze(graph, ""), CS_ERR_NOT_FOUND, "no layer ''");
    graph->head = graph->n_layers;
    assert_fails(cs_graph_freeze(graph, "head"), CS_ERR_ARG, "no head");
    assert_frozen_before(graph, 5);
    cs_graph_free(graph);
}

static void statistics_never_count_as_trainable(void **state) {
    (void)state;
    cs_graph *graph = residual_graph();
    cs_param_counts counts = cs_graph_count_params(graph);
    assert_int_equal(counts.non_trainable, 2 * 4); /* moving mean and variance of "norm" */
    assert_int_equal(counts.total, 3 * 3 * 3 * 4 + 4 + 3 * 4 + 3 * 3 * 4 * 4 + 4 + 4 * 2 + 2);
    cs_graph_free(graph);
}

static void assert_segment(const cs_graph *graph, int begin, int end, const int *inputs, int n_inputs,
                           const int *outputs, int n_outputs) {
    cs_segment *segment;
    assert_ok(cs_segment_create(graph, begin, end, &segment));
    assert_int_equal(segment->n_inputs, n_inputs);
    assert_int_equal(segment->n_outputs, n_outputs);
    assert_memory_equal(segment->inputs, inputs, (size_t)n_inputs * sizeof(int));
    assert_memory_equal(segment->outputs, outputs, (size_t)n_outputs * sizeof(int));
    cs_segment_free(segment);
}

static void segments_list_the_values_that_cross_their_borders(void **state) {
    (void)state;
    cs_graph *graph = residual_graph();
    assert_segment(graph, 0, 8, (int[]){0}, 0, (int[]){7}, 1);
    assert_segment(graph, 0, 2, (int[]){0}, 0, (int[]){1}, 1);
    assert_segment(graph, 0, 3, (int[]){0}, 0, (int[]){1, 2}, 2); /* the skip connection crosses the border too */
    assert_segment(graph, 3, 8, (int[]){1, 2}, 2, (int[]){7}, 1);
    assert_segment(graph, 3, 4, (int[]){2}, 1, (int[]){3}, 1);
    assert_segment(graph, 5, 7, (int[]){4}, 1, (int[]){6}, 1);
    cs_graph_free(graph);
}

static void empty_and_outside_segments_are_refused(void **state) {
    (void)state;
    cs_graph *graph = residual_graph();
    cs_segment *segment;
    assert_fails(cs_segment_create(graph, 3, 3, &segment), CS_ERR_ARG, "[3, 3)");
    assert_fails(cs_segment_create(graph, -1, 3, &segment), CS_ERR_ARG, "[-1, 3)");
    assert_fails(cs_segment_create(graph, 0, 9, &segment), CS_ERR_ARG, "[0, 9)");
    cs_graph_free(graph);
}

static void initial_values_depend_on_seed_and_layer_name_only(void **state) {
    (void)state;
    cs_graph *graph = residual_graph(), *alone = new_graph(5, 5, 4);
    cs_params *a, *b, *c, *d;
    int branch;
    assert_ok(cs_graph_conv2d(alone, "branch", 0, conv3, &branch));
    assert_ok(cs_params_create(graph, &a));
    assert_ok(cs_params_create(graph, &b));
    assert_ok(cs_params_create(graph, &c));
    assert_ok(cs_params_create(alone, &d));
    cs_params_init(a, 5);
    cs_params_init(b, 5);
    cs_params_init(c, 6);
    cs_params_init(d, 5);
    assert_memory_equal(a->data, b->data, graph->n_values * sizeof(float));
    const cs_param *kernel = &graph->params[graph->layers[3].first_param], *same = &alone->params[0];
    const cs_param *stem = &graph->params[graph->layers[1].first_param];
    assert_memory_equal(cs_params_at(a, kernel), cs_params_at(d, same), kernel->count * sizeof(float));
    assert_memory_not_equal(cs_params_at(a, kernel), cs_params_at(c, kernel), kernel->count * sizeof(float));
    assert_memory_not_equal(cs_params_at(a, kernel), cs_params_at(a, stem), stem->count * sizeof(float));
    cs_params_free(a);
    cs_params_free(b);
    cs_params_free(c);
    cs_params_free(d);
    cs_graph_free(graph);
    cs_graph_free(alone);
}

static char *summary_of(const cs_graph *graph) {
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    cs_graph_summary(graph, out);
    fclose(out);
    return text;
}

static void the_summary_is_the_table_of_keras(void **state) {
    (void)state;
    const char *const want = "Model: \"net\"\n"
                             "_________________________________________________________________\n"
                             "Layer (type)                  Output Shape     Param #  Trainable\n"
                             "=================================================================\n"
                             "input (InputLayer)            (None, 8, 8, 3)        0  -\n"
                             "stem (Conv2D)                 (None, 8, 8, 4)      112  no\n"
                             "norm (BatchNormalization)     (None, 8, 8, 4)       12  no\n"
                             "branch (Conv2D)               (None, 8, 8, 4)      148  no\n"
                             "sum (Add)                     (None, 8, 8, 4)        0  -\n"
                             "relu (Activation)             (None, 8, 8, 4)        0  -\n"
                             "gap (GlobalAveragePooling2D)  (None, 4)              0  -\n"
                             "dense (Dense)                 (None, 2)             10  yes\n"
                             "=================================================================\n"
                             "Total params: 282\n"
                             "Trainable params: 10\n"
                             "Non-trainable params: 272\n";
    cs_graph *graph = residual_graph();
    assert_ok(cs_graph_freeze(graph, "head"));
    char *text = summary_of(graph);
    assert_string_equal(text, want);
    free(text);
    cs_graph_free(graph);
}

static void the_summary_separates_thousands(void **state) {
    (void)state;
    cs_model_config config;
    cs_model_config_init(&config);
    snprintf(config.arch, sizeof config.arch, "mobilenet");
    cs_graph *graph;
    assert_ok(cs_model_build(&config, &graph));
    char *text = summary_of(graph);
    assert_non_null(strstr(text, "\nTotal params: 3,228,864\nTrainable params: 3,206,976\n"));
    assert_non_null(strstr(text, "\nNon-trainable params: 21,888\n"));
    free(text);
    cs_graph_free(graph);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_padding_is_that_of_tensorflow),
        cmocka_unit_test(parameters_have_keras_layouts_and_names),
        cmocka_unit_test(multiply_adds_count_every_tap),
        cmocka_unit_test(bad_layers_are_refused_by_name),
        cmocka_unit_test(freezing_takes_counts_names_all_and_head),
        cmocka_unit_test(wrong_depths_are_refused_and_change_nothing),
        cmocka_unit_test(statistics_never_count_as_trainable),
        cmocka_unit_test(segments_list_the_values_that_cross_their_borders),
        cmocka_unit_test(empty_and_outside_segments_are_refused),
        cmocka_unit_test(initial_values_depend_on_seed_and_layer_name_only),
        cmocka_unit_test(the_summary_is_the_table_of_keras),
        cmocka_unit_test(the_summary_separates_thousands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
