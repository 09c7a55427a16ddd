/* The zoo against Keras (golden/keras_models.txt): names, classes, shapes, parameters, freezing, initial values. */
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
    if (layer->kind == CS_LAYER_ACTIVATION)
        assert_int_equal(layer->activation, relu6 ? CS_ACT_RELU6 : CS_ACT_RELU);
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

static void check_norms(const keras_model *model, cs_graph *graph) {
    for (int i = 0; i < graph->n_layers; i++) {
        const cs_layer *layer = &graph->layers[i];
        if (layer->kind != CS_LAYER_BATCH_NORM)
            continue;
        assert_true(layer->scale);
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

/* With K uniform values in [-l, l], the largest stays below l*(1 - 20/K) with probability e^-20. */
static void check_kernel(const keras_layer *want, const float *values, size_t n) {
    double largest = 0, sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs((double)values[i]));
        sum += (double)values[i];
        squares += (double)values[i] * (double)values[i];
    }
    double count = (double)n, variance = want->limit * want->limit / 3;
    assert_true(largest <= want->limit * (1 + 1e-6));
    assert_true(largest > want->limit * (1 - 20 / count));
    assert_true(fabs(sum / count) < 6 * sqrt(variance / count));
    assert_true(fabs(squares / count / variance - 1) < 6 / sqrt(count)); /* var(u^2) = 0.8 variance^2 */
}

static void check_initial_values(const keras_model *model, cs_graph *graph) {
    cs_params *params;
    assert_ok(cs_params_create(graph, &params));
    cs_params_init(params, 1);
    for (int i = 0; i < graph->n_params; i++) {
        const cs_param *param = &graph->params[i];
        const float *values = cs_params_at(params, param);
        const keras_layer *want = &model->layers[param->layer];
        if (param->role == CS_PARAM_KERNEL) {
            assert_true(want->limit > 0);
            check_kernel(want, values, param->count);
            continue;
        }
        float expected = param->role == CS_PARAM_GAMMA || param->role == CS_PARAM_MOVING_VARIANCE ? 1 : 0;
        for (size_t k = 0; k < param->count; k++)
            assert_true(values[k] == expected);
    }
    cs_params_free(params);
}

static void initial_values_are_glorot_uniform_with_the_fans_of_keras(void **state) {
    (void)state;
    for_each_model(check_initial_values);
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

static void wrong_configurations_are_named(void **state) {
    (void)state;
    cs_graph *graph;
    assert_fails(build("mobilenett", 32, 2, 1, "", &graph), CS_ERR_ARG, "did you mean 'mobilenet'");
    assert_fails(build("resnet", 32, 2, 1, "", &graph), CS_ERR_ARG, "mobilenet, mobilenet_v2, resnet18, resnet50,");
    assert_fails(build("mobilenet", 31, 2, 1, "", &graph), CS_ERR_ARG, "31 x 31");
    assert_fails(build("mobilenet", 70000, 2, 1, "", &graph), CS_ERR_SHAPE, "input_layer");
    assert_fails(build("mobilenet", 32, 2, 0, "", &graph), CS_ERR_ARG, "alpha");
    assert_fails(build("mobilenet", 32, 2, NAN, "", &graph), CS_ERR_ARG, "alpha");
    assert_fails(build("mobilenet_v2", 31, 2, 1, "", &graph), CS_ERR_ARG, "31 x 31");
    assert_fails(build("mobilenet_v2", 32, 2, 0, "", &graph), CS_ERR_ARG, "mobilenet_v2: alpha is 0");
    assert_fails(build("mobilenet_v2", 32, 2, NAN, "", &graph), CS_ERR_ARG, "alpha");
    assert_fails(build("resnet50", 31, 2, 1, "", &graph), CS_ERR_ARG, "31 x 31");
    assert_fails(build("resnet50", 32, 2, 0.5f, "", &graph), CS_ERR_ARG, "width multiplier");
    assert_fails(build("densenet121", 32, 2, 0.5f, "", &graph), CS_ERR_ARG, "width multiplier");
    assert_fails(build("basenet", 32, 2, 0.5f, "", &graph), CS_ERR_ARG, "width multiplier");
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
        cmocka_unit_test(batch_norms_have_the_settings_of_keras),
        cmocka_unit_test(totals_are_those_of_keras),
        cmocka_unit_test(fine_tuning_n_layers_counts_as_keras),
        cmocka_unit_test(initial_values_are_glorot_uniform_with_the_fans_of_keras),
        cmocka_unit_test(the_head_begins_where_the_architecture_ends),
        cmocka_unit_test(heads_are_lists_with_automatic_names),
        cmocka_unit_test(wrong_configurations_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
