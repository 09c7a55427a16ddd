/* SPDX-License-Identifier: Apache-2.0 */
/* The zoo agrees with Keras (golden/keras_models.txt): names, classes, shapes, parameters, freezing, initial values. */
#include "keras_models.h"
#include "test.h"

#include <math.h>
#include <string.h>

static size_t layer_params(const cs_graph *graph, int layer) {
    size_t count = 0;
    for (int i = 0; i < graph->n_params; i++)
        if (graph->params[i].layer == layer)
            count += graph->params[i].count;
    return count;
}

/* Calls `check` with every golden model and the graph of the same configuration. */
static void for_each_model(void (*check)(const keras_model *model, cs_graph *graph)) {
    const keras_golden *golden = keras_golden_load();
    assert_true(golden->n_models > 0);
    for (int i = 0; i < golden->n_models; i++) {
        cs_graph *graph;
        assert_ok(cs_model_build(&golden->models[i].config, &graph));
        check(&golden->models[i], graph);
        cs_graph_free(graph);
    }
}

static void check_layer(const keras_layer *want, const cs_graph *graph, int i) {
    const cs_layer *layer = &graph->layers[i];
    assert_string_equal(layer->name, want->name);
    bool relu6 = strcmp(want->class_name, "ReLU") == 0;
    assert_string_equal(cs_layer_kind_name(layer->kind), relu6 ? "Activation" : want->class_name);
    assert_string_equal(cs_activation_name(layer->activation), want->activation);
    assert_int_equal(layer->out.flat, want->rank == 1);
    const int image[] = {layer->out.h, layer->out.w, layer->out.c}, flat[] = {layer->out.c};
    assert_memory_equal(layer->out.flat ? flat : image, want->dims, (size_t)want->rank * sizeof(int));
    assert_int_equal(layer_params(graph, i), want->params);
}

static void check_layers(const keras_model *model, cs_graph *graph) {
    assert_int_equal(graph->n_layers, model->n_layers);
    for (int i = 0; i < graph->n_layers; i++)
        check_layer(&model->layers[i], graph, i);
}

static void layers_are_those_of_keras(void **state) {
    (void)state;
    for_each_model(check_layers);
}

static void check_dropouts(const keras_model *model, cs_graph *graph) {
    for (int i = 0; i < graph->n_layers; i++) {
        const cs_layer *layer = &graph->layers[i];
        if (layer->kind != CS_LAYER_DROPOUT)
            continue;
        assert_int_equal(model->layers[i].n_numbers, 2);
        assert_float_equal(layer->rate, model->layers[i].numbers[0], 1e-7);
        assert_int_equal(layer->per_row, (int)model->layers[i].numbers[1]);
    }
}

static void dropouts_have_the_rates_of_keras(void **state) {
    (void)state;
    for_each_model(check_dropouts);
}

static void check_norms(const keras_model *model, cs_graph *graph) {
    for (int i = 0; i < graph->n_layers; i++) {
        const cs_layer *layer = &graph->layers[i];
        if (layer->kind != CS_LAYER_BATCH_NORM)
            continue;
        assert_int_equal(layer->scale, model->scale);
        assert_float_equal(layer->epsilon, model->epsilon, 1e-9);
        assert_float_equal(layer->momentum, model->momentum, 1e-7);
    }
}

static void batch_norms_have_the_settings_of_keras(void **state) {
    (void)state;
    for_each_model(check_norms);
}

static void check_totals(const keras_model *model, cs_graph *graph) {
    cs_param_counts counts = cs_graph_count_params(graph);
    assert_int_equal(counts.total, model->totals.total);
    assert_int_equal(counts.trainable, model->totals.trainable);
    assert_int_equal(counts.non_trainable, model->totals.non_trainable);
    assert_int_equal(counts.total, graph->n_values);
}

static void totals_are_those_of_keras(void **state) {
    (void)state;
    for_each_model(check_totals);
}

static void check_fine_tunes(const keras_model *model, cs_graph *graph) {
    for (int i = 0; i < model->n_fine_tunes; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", model->fine_tunes[i].n);
        assert_ok(cs_graph_freeze(graph, text));
        assert_int_equal(cs_graph_count_params(graph).trainable, model->fine_tunes[i].trainable);
    }
}

static void fine_tuning_n_layers_counts_as_keras(void **state) {
    (void)state;
    for_each_model(check_fine_tunes);
}

/* `limit` and `deviation` are Keras'. A uniform value is above (1 - x) * limit with probability x, a normal value cut
 * at two deviations with more than x/5: with probability e^-20 the largest of K values is below limit * (1 - 100/K). */
static void check_kernel(double limit, double deviation, const float *values, size_t n) {
    double largest = 0, sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs((double)values[i]));
        sum += (double)values[i];
        squares += (double)values[i] * (double)values[i];
    }
    double count = (double)n, variance = deviation * deviation;
    assert_true(largest <= limit * (1 + 1e-6));
    assert_true(largest > limit * (1 - 100 / count));
    assert_true(fabs(sum / count) < 6 * sqrt(variance / count));
    assert_true(fabs(squares / count / variance - 1) < 8 / sqrt(count)); /* var(x^2) < 1.5 variance^2 */
}

static void check_initial_values(const keras_model *model, cs_graph *graph) {
    cs_params *params;
    assert_ok(cs_params_create(graph, &params));
    cs_params_init(params, 1);
    for (int i = 0; i < graph->n_params; i++) {
        const cs_param *param = &graph->params[i];
        const float *values = cs_params_at(params, param);
        const keras_layer *want = &model->layers[param->layer];
        if (param->role == CS_PARAM_KERNEL || param->role == CS_PARAM_POINTWISE_KERNEL) {
            int at = param->role == CS_PARAM_POINTWISE_KERNEL ? 2 : 0;
            assert_true(want->n_numbers >= at + 2);
            check_kernel(want->numbers[at], want->numbers[at + 1], values, param->count);
            continue;
        }
        bool one = param->role == CS_PARAM_GAMMA || param->role == CS_PARAM_MOVING_VARIANCE ||
                   param->role == CS_PARAM_VARIANCE;
        float expected = one ? 1 : 0;
        for (size_t k = 0; k < param->count; k++)
            assert_true(values[k] == expected);
    }
    cs_params_free(params);
}

static void initial_values_have_the_spread_of_keras(void **state) {
    (void)state;
    for_each_model(check_initial_values);
}

static void check_indexes(const keras_model *model, cs_graph *graph) {
    (void)model;
    size_t values = 0;
    int params = 0, block = 0;
    for (int i = 0; i < graph->n_layers; i++) {
        const cs_layer *layer = &graph->layers[i];
        for (int k = 0; k < layer->n_inputs; k++)
            assert_true(layer->inputs[k] < i);
        assert_int_equal(layer->first_param, params);
        for (int p = 0; p < layer->n_params; p++, params++) {
            assert_int_equal(graph->params[params].layer, i);
            assert_int_equal(graph->params[params].offset, values);
            values += graph->params[params].count;
        }
        assert_true(layer->block == block || layer->block == block + 1);
        block = layer->block;
    }
    assert_int_equal(params, graph->n_params);
    assert_int_equal(block, graph->n_blocks);
}

static void inputs_parameters_and_blocks_follow_the_order_of_keras(void **state) {
    (void)state;
    for_each_model(check_indexes);
}

static cs_status build(const char *arch, int size, int classes, float alpha, const char *head, cs_graph **out) {
    cs_model_config config;
    cs_model_config_init(&config);
    snprintf(config.arch, sizeof config.arch, "%s", arch);
    snprintf(config.head, sizeof config.head, "%s", head);
    config.input_h = config.input_w = size;
    config.classes = classes;
    config.alpha = alpha;
    return cs_model_build(&config, out);
}

/* The first layer that `blocks:count` trains. */
static void check_block(const char *arch, int size, int count, const char *layer) {
    cs_graph *graph;
    char fine_tune[32];
    int first = 0;
    assert_ok(build(arch, size, 4, 1, "", &graph));
    snprintf(fine_tune, sizeof fine_tune, "blocks:%d", count);
    assert_ok(cs_graph_freeze(graph, fine_tune));
    while (!graph->layers[first].trainable)
        first++;
    assert_string_equal(graph->layers[first].name, layer);
    cs_graph_free(graph);
}

static void the_last_blocks_begin_at_the_expected_layers(void **state) {
    (void)state;
    check_block("mobilenet", 32, 1, "conv_dw_13");
    check_block("mobilenet", 32, 2, "conv_pad_12");
    check_block("mobilenet", 32, 13, "conv_dw_1");
    check_block("mobilenet_v2", 32, 1, "block_16_expand");
    check_block("mobilenet_v2", 32, 17, "expanded_conv_depthwise");
    check_block("resnet50", 32, 1, "conv5_block3_1_conv");
    check_block("resnet50", 32, 16, "conv2_block1_1_conv");
    check_block("inception_v3", 75, 1, "conv2d_89");
    check_block("inception_v3", 75, 11, "conv2d_8");
    check_block("xception", 71, 1, "block14_sepconv1");
    check_block("xception", 71, 2, "block13_sepconv1_act");
    check_block("xception", 71, 14, "block1_conv1");
    check_block("densenet121", 32, 1, "conv5_block16_0_bn");
    check_block("densenet121", 32, 58, "conv2_block1_0_bn");
    check_block("densenet169", 32, 1, "conv5_block32_0_bn");
    check_block("densenet169", 32, 82, "conv2_block1_0_bn");
    check_block("efficientnet_b0", 32, 1, "block7a_expand_conv");
    check_block("efficientnet_b0", 32, 16, "block1a_dwconv");
}

static void the_head_of_mobilenet_v2_trains_as_many_parameters_as_in_keras(void **state) {
    (void)state;
    cs_graph *graph;
    assert_ok(build("mobilenet_v2", 256, 4, 1, "", &graph));
    assert_ok(cs_graph_freeze(graph, "head"));
    cs_param_counts counts = cs_graph_count_params(graph);
    assert_int_equal(counts.total, 2263108);
    assert_int_equal(counts.trainable, 5124);
    assert_int_equal(counts.non_trainable, 2257984);
    cs_graph_free(graph);
}

static void the_head_begins_where_the_architecture_ends(void **state) {
    (void)state;
    cs_graph *graph;
    assert_ok(build("mobilenet", 32, 7, 0.25f, "", &graph));
    assert_string_equal(graph->layers[graph->head].name, "global_average_pooling2d");
    assert_string_equal(graph->layers[graph->head - 1].name, "conv_pw_13_relu");
    assert_int_equal(graph->layers[graph->n_layers - 1].activation, CS_ACT_SOFTMAX);
    cs_graph_free(graph);
    assert_ok(build("mobilenet", 32, 0, 0.25f, "", &graph));
    assert_int_equal(graph->head, graph->n_layers);
    cs_graph_free(graph);
}

static void heads_are_lists_with_automatic_names(void **state) {
    (void)state;
    cs_graph *graph;
    assert_ok(build("basenet", 32, 4, 1, "dense:20:relu, dense:8,dense", &graph));
    const char *const names[] = {"dense_1", "dense_2", "dense_3"};
    const int units[] = {20, 8, 4};
    const cs_activation activations[] = {CS_ACT_RELU, CS_ACT_LINEAR, CS_ACT_SOFTMAX};
    assert_int_equal(graph->n_layers - graph->head, 3);
    for (int i = 0; i < 3; i++) {
        const cs_layer *layer = &graph->layers[graph->head + i];
        assert_string_equal(layer->name, names[i]);
        assert_int_equal(layer->out.c, units[i]);
        assert_int_equal(layer->activation, activations[i]);
    }
    cs_graph_free(graph);
}

static void all_kernels_are_regularized_if_asked_for(void **state) {
    (void)state;
    static const char *const archs[] = {"mobilenet", "xception", "densenet121", "resnet50"};
    for (size_t k = 0; k < sizeof archs / sizeof *archs; k++) {
        cs_model_config config;
        cs_graph *graph;
        cs_model_config_init(&config);
        snprintf(config.arch, sizeof config.arch, "%s", archs[k]);
        config.classes = 4;
        config.l1 = 0.25f;
        config.l2 = 0.5f;
        config.regularize = CS_REGULARIZE_ALL;
        assert_ok(cs_model_build(&config, &graph));
        for (int p = 0; p < graph->n_params; p++) {
            const cs_layer *layer = &graph->layers[graph->params[p].layer];
            const bool norm = layer->kind == CS_LAYER_BATCH_NORM;
            assert_true(layer->l1 == (norm ? 0.0f : 0.25f) && layer->l2 == (norm ? 0.0f : 0.5f));
        }
        cs_graph_free(graph);
    }
}

static void a_binary_head_has_one_unit_for_two_classes(void **state) {
    (void)state;
    cs_graph *graph;
    assert_ok(build("basenet", 32, 2, 1, "dense:20:sigmoid, dense:1:sigmoid", &graph));
    const cs_layer *last = &graph->layers[graph->n_layers - 1];
    assert_int_equal(graph->layers[graph->n_layers - 2].activation, CS_ACT_SIGMOID);
    assert_int_equal(last->activation, CS_ACT_BINARY);
    assert_int_equal(last->out.c, 1);
    assert_int_equal(cs_layer_classes(last), 2);
    cs_graph_free(graph);
    assert_fails(build("basenet", 32, 3, 1, "dense:1:sigmoid", &graph), CS_ERR_ARG, "2 classes, but there are 3");
}

static void more_blocks_than_the_network_has_are_refused(void **state) {
    (void)state;
    cs_graph *graph;
    assert_ok(build("mobilenet", 32, 4, 0.25f, "", &graph));
    assert_ok(cs_graph_freeze(graph, "blocks:13"));
    assert_fails(cs_graph_freeze(graph, "blocks:14"), CS_ERR_ARG, "blocks:14, but mobilenet has 13");
    assert_fails(cs_graph_freeze(graph, "blocks:99999999999999999999"), CS_ERR_ARG, "but mobilenet has 13");
    assert_fails(cs_graph_freeze(graph, "blocks:0"), CS_ERR_ARG, "blocks:0");
    cs_graph_free(graph);
}

/* The kernel of MobileNet's "top" classifier is that of a convolution. */
static void l2_applies_to_the_kernels_of_any_head(void **state) {
    (void)state;
    static const struct {
        const char *arch, *head;
        int kernels;
    } cases[] = {{"mobilenet_v2", "gap,dense:9:relu,dense", 2}, {"mobilenet_v2", "top", 1}, {"mobilenet", "top", 1}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        cs_model_config config;
        cs_graph *graph;
        int found = 0;
        cs_model_config_init(&config);
        snprintf(config.arch, sizeof config.arch, "%s", cases[k].arch);
        snprintf(config.head, sizeof config.head, "%s", cases[k].head);
        config.classes = 4;
        config.l1 = 0.25f;
        config.l2 = 0.5f;
        assert_ok(cs_model_build(&config, &graph));
        for (int i = 0; i < graph->n_layers; i++) {
            bool has_kernel = i >= graph->head && graph->layers[i].n_params > 0;
            assert_true(graph->layers[i].l1 == (has_kernel ? 0.25f : 0.0f));
            assert_true(graph->layers[i].l2 == (has_kernel ? 0.5f : 0.0f));
            found += has_kernel;
        }
        assert_int_equal(found, cases[k].kernels);
        cs_graph_free(graph);
    }
}

static void wrong_configurations_are_named(void **state) {
    (void)state;
    cs_graph *graph;
    assert_fails(build("mobilenett", 32, 2, 1, "", &graph), CS_ERR_ARG, "did you mean 'mobilenet'");
    assert_fails(build("resnet", 32, 2, 1, "", &graph), CS_ERR_ARG, "mobilenet, mobilenet_v2, resnet18, resnet50,");
    assert_fails(build("mobilenet", 31, 2, 1, "", &graph), CS_ERR_ARG, "31 x 31");
    assert_fails(build("mobilenet", 70000, 2, 1, "", &graph), CS_ERR_SHAPE, "input_layer");
    assert_fails(build("mobilenet", 32, 2, 0, "", &graph), CS_ERR_ARG, "alpha");
    assert_fails(build("mobilenet", 32, 2, 0.031f, "", &graph), CS_ERR_ARG, "alpha is 0.031; it goes from 0.03125");
    assert_fails(build("mobilenet", 32, 2, NAN, "", &graph), CS_ERR_ARG, "alpha");
    assert_fails(build("mobilenet_v2", 31, 2, 1, "", &graph), CS_ERR_ARG, "31 x 31");
    assert_fails(build("mobilenet_v2", 32, 2, 0, "", &graph), CS_ERR_ARG, "mobilenet_v2: alpha is 0");
    assert_fails(build("mobilenet_v2", 32, 2, NAN, "", &graph), CS_ERR_ARG, "alpha");
    assert_fails(build("resnet50", 31, 2, 1, "", &graph), CS_ERR_ARG, "31 x 31");
    assert_fails(build("resnet50", 32, 2, 0.5f, "", &graph), CS_ERR_ARG, "width multiplier");
    assert_fails(build("densenet121", 32, 2, 0.5f, "", &graph), CS_ERR_ARG, "width multiplier");
    assert_fails(build("basenet", 32, 2, 0.5f, "", &graph), CS_ERR_ARG, "width multiplier");
    assert_fails(build("inception_v3", 74, 2, 1, "", &graph), CS_ERR_ARG, "74 x 74");
    assert_fails(build("inception_v3", 75, 2, 0.5f, "", &graph), CS_ERR_ARG, "width multiplier");
    assert_fails(build("xception", 70, 2, 1, "", &graph), CS_ERR_ARG, "70 x 70");
    assert_fails(build("xception", 71, 2, 0.5f, "", &graph), CS_ERR_ARG, "width multiplier");
    assert_fails(build("efficientnet_b0", 31, 2, 1, "", &graph), CS_ERR_ARG, "31 x 31");
    assert_fails(build("efficientnet_b0", 32, 2, 0.5f, "", &graph), CS_ERR_ARG, "width multiplier");
    assert_fails(build("basenet", 32, 2, 1, "top", &graph), CS_ERR_ARG, "published without one");
    assert_fails(build("mobilenet", 32, 1, 1, "", &graph), CS_ERR_ARG, "number of classes is 1");
    assert_fails(build("mobilenet", 32, -3, 1, "", &graph), CS_ERR_ARG, "number of classes is -3");
    assert_fails(build("mobilenet", 32, 2, 1, "gap,dens", &graph), CS_ERR_ARG, "did you mean 'dense'");
    assert_fails(build("mobilenet", 32, 2, 1, "gap", &graph), CS_ERR_ARG, "does not end in dense");
    assert_fails(build("mobilenet", 32, 2, 1, "gap,,dense", &graph), CS_ERR_ARG, "gap,,dense");
    assert_fails(build("mobilenet", 32, 2, 1, "gap,dense,", &graph), CS_ERR_ARG, "'dense' cannot be an inner layer");
    assert_fails(build("mobilenet", 32, 2, 1, "gap,dense,dense", &graph), CS_ERR_ARG, "dense:UNITS");
    assert_fails(build("mobilenet", 32, 2, 1, "gap,dense:9", &graph), CS_ERR_ARG, "'dense:9' cannot be the last layer");
    assert_fails(build("mobilenet", 32, 2, 1, "gap,dense:9:tanh,dense", &graph), CS_ERR_ARG, "dense:9:tanh");
    assert_fails(build("mobilenet", 32, 2, 1, "dense", &graph), CS_ERR_SHAPE, "gap or flatten");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_are_those_of_keras),
        cmocka_unit_test(dropouts_have_the_rates_of_keras),
        cmocka_unit_test(batch_norms_have_the_settings_of_keras),
        cmocka_unit_test(totals_are_those_of_keras),
        cmocka_unit_test(fine_tuning_n_layers_counts_as_keras),
        cmocka_unit_test(initial_values_have_the_spread_of_keras),
        cmocka_unit_test(inputs_parameters_and_blocks_follow_the_order_of_keras),
        cmocka_unit_test(the_last_blocks_begin_at_the_expected_layers),
        cmocka_unit_test(the_head_of_mobilenet_v2_trains_as_many_parameters_as_in_keras),
        cmocka_unit_test(the_head_begins_where_the_architecture_ends),
        cmocka_unit_test(heads_are_lists_with_automatic_names),
        cmocka_unit_test(all_kernels_are_regularized_if_asked_for),
        cmocka_unit_test(a_binary_head_has_one_unit_for_two_classes),
        cmocka_unit_test(more_blocks_than_the_network_has_are_refused),
        cmocka_unit_test(l2_applies_to_the_kernels_of_any_head),
        cmocka_unit_test(wrong_configurations_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
