/* SPDX-License-Identifier: Apache-2.0 */
/* The torch dialect of the zoo agrees with torchvision (golden/torch_models.txt) in names, shapes, parameters, settings
 * and initial values. */
#include "test.h"

#include "cnnsweep/zoo.h"

#include <math.h>
#include <string.h>

enum { LAYERS_MAX = 640, MODELS_MAX = 16, FILLING_MAX = 12 };

/* How torchvision fills a parameter: "normal" and its deviation, "uniform" and its limit, "constant" and the value. */
typedef struct filling {
    char kind[FILLING_MAX];
    double parameter;
} filling;

typedef struct torch_layer {
    char name[CS_NAME_MAX], class_name[CS_NAME_MAX];
    int rank, dims[3];
    size_t trainable, statistics;
    filling kernel, bias; /* "weight" and "bias" of the module */
} torch_layer;

typedef struct torch_model {
    cs_model_config config;
    int min_size;
    double epsilon, momentum; /* of all batch norms; momentum in torch's sense */
    torch_layer layers[LAYERS_MAX];
    int n_layers;
    cs_param_counts totals;
} torch_model;

static torch_model models[MODELS_MAX];
static int n_models;

static void read_model(torch_model *model, const char *line) {
    cs_model_config *config = &model->config;
    cs_model_config_init(config);
    config->dialect = CS_DIALECT_TORCH;
    assert_int_equal(sscanf(line, "model %63s %f %d %d %d %d", config->arch, &config->alpha, &config->input_h,
                            &config->input_w, &config->classes, &model->min_size),
                     6);
    snprintf(config->head, sizeof config->head, "%s", config->classes ? "top" : "");
}

static void read_layer(torch_layer *layer, const char *line) {
    char shape[64];
    assert_int_equal(sscanf(line, "layer %63s %63s %63s %zu %zu %11s %lf %11s %lf", layer->name, layer->class_name,
                            shape, &layer->trainable, &layer->statistics, layer->kernel.kind, &layer->kernel.parameter,
                            layer->bias.kind, &layer->bias.parameter),
                     9);
    layer->rank = sscanf(shape, "%dx%dx%d", &layer->dims[0], &layer->dims[1], &layer->dims[2]);
}

static void read_line(const char *line) {
    char kind[16];
    assert_int_equal(sscanf(line, "%15s", kind), 1);
    if (strcmp(kind, "model") == 0) {
        assert_true(n_models < MODELS_MAX);
        read_model(&models[n_models++], line);
        return;
    }
    torch_model *model = &models[n_models - 1];
    cs_param_counts *totals = &model->totals;
    if (strcmp(kind, "norm") == 0) {
        assert_int_equal(sscanf(line, "norm %lf %lf", &model->epsilon, &model->momentum), 2);
    } else if (strcmp(kind, "totals") == 0) {
        assert_int_equal(sscanf(line, "totals %zu %zu %zu", &totals->total, &totals->trainable, &totals->non_trainable),
                         3);
    } else {
        assert_true(model->n_layers < LAYERS_MAX);
        read_layer(&model->layers[model->n_layers++], line);
    }
}

static int load_models(void **state) {
    (void)state;
    const char *path = CS_TEST_SOURCE "/tests/net/golden/torch_models.txt";
    char line[256];
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("cannot open %s", path);
    while (fgets(line, sizeof line, file))
        read_line(line);
    fclose(file);
    return n_models > 0 ? 0 : -1;
}

/* Calls `check` with every golden model and the graph of the same configuration. */
static void for_each_model(void (*check)(const torch_model *model, cs_graph *graph)) {
    for (int i = 0; i < n_models; i++) {
        cs_graph *graph;
        assert_ok(cs_model_build(&models[i].config, &graph));
        assert_int_equal(graph->n_layers, models[i].n_layers);
        check(&models[i], graph);
        cs_graph_free(graph);
    }
}

static const char *class_of(const cs_layer *layer) {
    static const char *const classes[CS_LAYER_KIND_COUNT] = {
        [CS_LAYER_INPUT] = "Input",
        [CS_LAYER_CONV2D] = "Conv2d",
        [CS_LAYER_DEPTHWISE_CONV2D] = "Conv2d",
        [CS_LAYER_BATCH_NORM] = "BatchNorm2d",
        [CS_LAYER_MAX_POOL] = "MaxPool2d",
        [CS_LAYER_AVERAGE_POOL] = "AvgPool2d",
        [CS_LAYER_GLOBAL_AVERAGE_POOL] = "AdaptiveAvgPool2d",
        [CS_LAYER_ADD] = "Add",
        [CS_LAYER_CONCATENATE] = "Cat",
        [CS_LAYER_DROPOUT] = "Dropout",
        [CS_LAYER_DENSE] = "Linear",
    };
    if (layer->kind == CS_LAYER_ACTIVATION)
        return layer->activation == CS_ACT_RELU6 ? "ReLU6" : "ReLU";
    return classes[layer->kind];
}

static void check_layers(const torch_model *model, cs_graph *graph) {
    for (int i = 0; i < graph->n_layers; i++) {
        const torch_layer *want = &model->layers[i];
        const cs_layer *layer = &graph->layers[i];
        assert_string_equal(layer->name, want->name);
        assert_string_equal(class_of(layer), want->class_name);
        bool pooled = layer->kind == CS_LAYER_GLOBAL_AVERAGE_POOL; /* our output is flat, torchvision's is 1 x 1 */
        assert_int_equal(layer->out.flat, want->rank == 1 || pooled);
        assert_int_equal(layer->out.c, want->dims[want->rank - 1]);
        assert_int_equal(layer->out.h, want->rank == 1 ? 1 : want->dims[0]);
        assert_int_equal(layer->out.w, want->rank == 1 ? 1 : want->dims[1]);
    }
}

static void layers_are_those_of_torchvision(void **state) {
    (void)state;
    for_each_model(check_layers);
}

static void check_param_counts(const torch_model *model, cs_graph *graph) {
    for (int i = 0; i < graph->n_layers; i++) {
        size_t trainable = 0, statistics = 0;
        for (int p = 0; p < graph->layers[i].n_params; p++) {
            const cs_param *param = &graph->params[graph->layers[i].first_param + p];
            *(cs_param_is_statistic(param) ? &statistics : &trainable) += param->count;
        }
        assert_int_equal(trainable, model->layers[i].trainable);
        assert_int_equal(statistics, model->layers[i].statistics);
    }
    cs_param_counts counts = cs_graph_count_params(graph);
    assert_int_equal(counts.total, model->totals.total);
    assert_int_equal(counts.trainable, model->totals.trainable);
    assert_int_equal(counts.non_trainable, model->totals.non_trainable);
}

static void parameters_are_counted_as_in_torchvision(void **state) {
    (void)state;
    for_each_model(check_param_counts);
}

static void check_norms(const torch_model *model, cs_graph *graph) {
    for (int i = 0; i < graph->n_layers; i++) {
        const cs_layer *layer = &graph->layers[i];
        if (layer->kind != CS_LAYER_BATCH_NORM)
            continue;
        assert_true(layer->scale && layer->unbiased);
        assert_float_equal(layer->epsilon, model->epsilon, 1e-10);
        assert_float_equal(layer->momentum, 1 - model->momentum, 1e-7);
    }
}

static void batch_norms_have_the_settings_of_torchvision(void **state) {
    (void)state;
    for_each_model(check_norms);
}

/* Mean and variance may be off by six standard errors, from the fourth moment of the distribution. The largest of K
 * uniform values is below limit*(1 - 20/K) with probability e^-20. */
static void check_random(const filling *want, const float *values, size_t n) {
    bool is_uniform = strcmp(want->kind, "uniform") == 0;
    double largest = 0, sum = 0, squares = 0, count = (double)n;
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs((double)values[i]));
        sum += (double)values[i];
        squares += (double)values[i] * (double)values[i];
    }
    double variance = want->parameter * want->parameter / (is_uniform ? 3 : 1);
    double error_of_variance = sqrt((is_uniform ? 0.8 : 2) / count);
    assert_true(fabs(sum / count) < 6 * sqrt(variance / count));
    assert_true(fabs(squares / count / variance - 1) < 6 * error_of_variance);
    if (is_uniform) {
        assert_true(largest <= want->parameter * (1 + 1e-6));
        assert_true(largest > want->parameter * (1 - 20 / count));
    } else {
        assert_true(largest > 2 * want->parameter);
    }
}

static void check_filling(const filling *want, const float *values, size_t n) {
    if (strcmp(want->kind, "constant") != 0) {
        check_random(want, values, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        assert_true((double)values[i] == want->parameter);
}

static void check_initial_values(const torch_model *model, cs_graph *graph) {
    cs_params *params;
    assert_ok(cs_params_create(graph, &params));
    cs_params_init(params, 1);
    for (int i = 0; i < graph->n_params; i++) {
        const cs_param *param = &graph->params[i];
        const torch_layer *want = &model->layers[param->layer];
        const filling zero = {"constant", 0}, one = {"constant", 1};
        bool is_weight = param->role == CS_PARAM_KERNEL || param->role == CS_PARAM_GAMMA;
        bool is_variance = param->role == CS_PARAM_MOVING_VARIANCE;
        const filling *statistic = is_variance ? &one : &zero;
        const filling *learned = is_weight ? &want->kernel : &want->bias;
        check_filling(cs_param_is_statistic(param) ? statistic : learned, cs_params_at(params, param), param->count);
    }
    cs_params_free(params);
}

static void initial_values_are_distributed_as_in_fresh_modules(void **state) {
    (void)state;
    for_each_model(check_initial_values);
}

static cs_status build(const char *arch, cs_dialect dialect, int size, float alpha, cs_graph **out) {
    cs_model_config config;
    cs_model_config_init(&config);
    snprintf(config.arch, sizeof config.arch, "%s", arch);
    config.dialect = dialect;
    config.input_h = config.input_w = size;
    config.classes = 4;
    config.alpha = alpha;
    return cs_model_build(&config, out);
}

static void the_smallest_size_is_that_of_torchvision(void **state) {
    (void)state;
    for (int i = 0; i < n_models; i++) {
        cs_graph *graph;
        const char *arch = models[i].config.arch;
        assert_ok(build(arch, CS_DIALECT_TORCH, models[i].min_size, 1, &graph));
        cs_graph_free(graph);
        assert_fails(build(arch, CS_DIALECT_TORCH, models[i].min_size - 1, 1, &graph), CS_ERR_ARG, "is too small");
    }
}

static void keras_is_the_default_where_both_dialects_exist(void **state) {
    (void)state;
    const char *const both[] = {"mobilenet_v2", "resnet50", "densenet121", "densenet169"};
    for (size_t i = 0; i < sizeof both / sizeof both[0]; i++) {
        cs_graph *graph;
        assert_ok(build(both[i], CS_DIALECT_ANY, 32, 1, &graph));
        assert_int_equal(graph->dialect, CS_DIALECT_KERAS);
        cs_graph_free(graph);
    }
}

static void the_usual_head_replaces_the_classifier(void **state) {
    (void)state;
    const struct {
        const char *arch, *below;
    } cases[] = {{"resnet18", "layer4.1.relu_1"},
                 {"resnet50", "layer4.2.relu_2"},
                 {"densenet121", "relu"},
                 {"mobilenet_v2", "features.18.2"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cs_graph *graph;
        assert_ok(build(cases[i].arch, CS_DIALECT_TORCH, 32, 1, &graph));
        assert_int_equal(graph->dialect, CS_DIALECT_TORCH);
        assert_int_equal(graph->preprocess, CS_PREPROCESS_TORCH);
        assert_int_equal(graph->n_layers - graph->head, 2);
        assert_string_equal(graph->layers[graph->head - 1].name, cases[i].below);
        assert_int_equal(graph->layers[graph->head].kind, CS_LAYER_GLOBAL_AVERAGE_POOL);
        cs_graph_free(graph);
    }
}

/* `blocks:K` begins at these layers; the networks have that many blocks. */
static void blocks_are_residuals_and_dense_layers(void **state) {
    (void)state;
    const struct {
        const char *arch;
        int n_blocks;
        const char *fine_tune, *first;
    } cases[] = {{"resnet18", 2 + 2 + 2 + 2, "blocks:1", "layer4.1.conv1"},
                 {"resnet18", 2 + 2 + 2 + 2, "blocks:8", "layer1.0.conv1"},
                 {"resnet50", 3 + 4 + 6 + 3, "blocks:4", "layer3.5.conv1"},
                 {"densenet121", 6 + 12 + 24 + 16, "blocks:1", "features.denseblock4.denselayer16.cat"},
                 {"densenet121", 6 + 12 + 24 + 16, "blocks:16", "features.denseblock4.denselayer1.norm1"},
                 {"densenet169", 6 + 12 + 32 + 32, "blocks:82", "features.denseblock1.denselayer1.norm1"},
                 {"mobilenet_v2", 17, "blocks:1", "features.17.conv.0.0"},
                 {"mobilenet_v2", 17, "blocks:17", "features.1.conv.0.0"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cs_graph *graph;
        int first;
        assert_ok(build(cases[i].arch, CS_DIALECT_TORCH, 32, 1, &graph));
        assert_int_equal(graph->n_blocks, cases[i].n_blocks);
        assert_ok(cs_graph_freeze(graph, cases[i].fine_tune));
        assert_ok(cs_graph_find(graph, cases[i].first, &first));
        for (int k = 0; k < graph->n_layers; k++)
            assert_int_equal(graph->layers[k].trainable, k >= first);
        cs_graph_free(graph);
    }
}

static void wrong_configurations_are_named(void **state) {
    (void)state;
    cs_graph *graph;
    assert_fails(build("resnet18", CS_DIALECT_KERAS, 32, 1, &graph), CS_ERR_ARG, "resnet18 has no dialect keras");
    assert_fails(build("mobilenet", CS_DIALECT_TORCH, 32, 1, &graph), CS_ERR_ARG, "mobilenet has no dialect torch");
    assert_fails(build("resnet18", CS_DIALECT_TORCH, 32, 0.5f, &graph), CS_ERR_ARG, "width multiplier, alpha is 0.5");
    assert_fails(build("resnet50", CS_DIALECT_TORCH, 32, 2, &graph), CS_ERR_ARG, "resnet50 has no width multiplier");
    assert_fails(build("densenet121", CS_DIALECT_TORCH, 32, 0.5f, &graph), CS_ERR_ARG, "no width multiplier");
    assert_fails(build("mobilenet_v2", CS_DIALECT_TORCH, 32, 0, &graph), CS_ERR_ARG, "mobilenet_v2: alpha is 0");
    assert_fails(build("mobilenet_v2", CS_DIALECT_TORCH, 32, NAN, &graph), CS_ERR_ARG, "alpha is nan");
    assert_fails(build("resnet18", CS_DIALECT_TORCH, 70000, 1, &graph), CS_ERR_SHAPE, "layer 'x'");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_are_those_of_torchvision),
        cmocka_unit_test(parameters_are_counted_as_in_torchvision),
        cmocka_unit_test(batch_norms_have_the_settings_of_torchvision),
        cmocka_unit_test(initial_values_are_distributed_as_in_fresh_modules),
        cmocka_unit_test(the_smallest_size_is_that_of_torchvision),
        cmocka_unit_test(keras_is_the_default_where_both_dialects_exist),
        cmocka_unit_test(the_usual_head_replaces_the_classifier),
        cmocka_unit_test(blocks_are_residuals_and_dense_layers),
        cmocka_unit_test(wrong_configurations_are_named),
    };
    return cmocka_run_group_tests(tests, load_models, NULL);
}
