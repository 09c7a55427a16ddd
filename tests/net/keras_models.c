/* SPDX-License-Identifier: Apache-2.0 */
#include "keras_models.h"

#include "test.h"

#include <string.h>

static void read_model(keras_golden *golden, const char *line) {
    keras_model *model = &golden->models[golden->n_models++];
    cs_model_config *config = &model->config;
    cs_model_config_init(config);
    assert_true(golden->n_models <= KERAS_MODELS_MAX);
    char head[CS_NAME_MAX];
    int pretrained;
    assert_int_equal(sscanf(line, "model %63s %f %d %d %d %63s %d", config->arch, &config->alpha, &config->input_h,
                            &config->input_w, &config->classes, head, &pretrained),
                     7);
    snprintf(config->head, sizeof config->head, "%s", strcmp(head, "-") == 0 ? "" : head);
    config->pretrained = pretrained;
    config->dropout = 0.5f; /* the rate of the dropout in cnn4's head */
}

static void read_layer(keras_model *model, const char *line) {
    keras_layer *layer = &model->layers[model->n_layers++];
    char shape[64];
    assert_true(model->n_layers <= KERAS_LAYERS_MAX);
    double *n = layer->numbers;
    int read = sscanf(line, "layer %63s %63s %63s %63s %zu %lf %lf %lf %lf", layer->name, layer->class_name,
                      layer->activation, shape, &layer->params, n, n + 1, n + 2, n + 3);
    assert_in_range(read, 5, 9);
    layer->n_numbers = read - 5;
    layer->rank = sscanf(shape, "%dx%dx%d", &layer->dims[0], &layer->dims[1], &layer->dims[2]);
}

static void read_line(keras_golden *golden, const char *line) {
    char kind[16];
    assert_int_equal(sscanf(line, "%15s", kind), 1);
    keras_model *model = golden->n_models ? &golden->models[golden->n_models - 1] : NULL;
    if (strcmp(kind, "same") == 0) {
        keras_same *s = &golden->same[golden->n_same++];
        assert_true(golden->n_same <= KERAS_CASES_MAX);
        assert_int_equal(
            sscanf(line, "same %d %d %d %d %d %d", &s->in, &s->kernel, &s->stride, &s->out, &s->before, &s->after), 6);
    } else if (strcmp(kind, "model") == 0) {
        read_model(golden, line);
    } else if (strcmp(kind, "norm") == 0) {
        assert_int_equal(sscanf(line, "norm %lf %lf %d", &model->epsilon, &model->momentum, &model->scale), 3);
    } else if (strcmp(kind, "layer") == 0) {
        read_layer(model, line);
    } else if (strcmp(kind, "totals") == 0) {
        cs_param_counts *t = &model->totals;
        assert_int_equal(sscanf(line, "totals %zu %zu %zu", &t->total, &t->trainable, &t->non_trainable), 3);
    } else {
        keras_fine_tune *f = &model->fine_tunes[model->n_fine_tunes++];
        assert_true(model->n_fine_tunes <= KERAS_CASES_MAX);
        assert_int_equal(sscanf(line, "finetune %d %zu", &f->n, &f->trainable), 2);
    }
}

const keras_golden *keras_golden_load(void) {
    static keras_golden golden;
    if (golden.n_models)
        return &golden;
    const char *path = CS_TEST_SOURCE "/tests/net/golden/keras_models.txt";
    char line[256];
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("cannot open %s", path);
    while (fgets(line, sizeof line, file))
        read_line(&golden, line);
    fclose(file);
    return &golden;
}
