/* SPDX-License-Identifier: Apache-2.0 */
#include "golden_forward.h"

#include "device.h"
#include "test.h"

#include "cnnsweep/engine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST = 8 };

/* The contents of a line. */
typedef struct forward_case {
    cs_model_config config;
    double gain;
    size_t count;
    double sum, norm, first[FIRST];
} forward_case;

uint32_t golden_key(const char *name) {
    uint32_t key = 2166136261u;
    for (; *name; name++)
        key = (key ^ (uint8_t)*name) * 16777619u;
    return key;
}

double golden_uniform(uint32_t key, size_t index) {
    uint32_t x = key + (uint32_t)index * 0x9E3779B9u;
    x = (x ^ (x >> 16)) * 0x85EBCA6Bu;
    x = (x ^ (x >> 13)) * 0xC2B2AE35u;
    x ^= x >> 16;
    return (x >> 8) / 8388608.0 - 1;
}

static double fan_in(const cs_graph *graph, const cs_param *param) {
    cs_layer_kind kind = graph->layers[param->layer].kind;
    bool depthwise =
        kind == CS_LAYER_DEPTHWISE_CONV2D || (kind == CS_LAYER_SEPARABLE_CONV2D && param->role == CS_PARAM_KERNEL);
    return (double)param->count / (depthwise ? param->dims[2] : param->dims[param->rank - 1]);
}

static double value(const cs_graph *graph, const cs_param *param, double u, double gain) {
    switch (param->role) {
    case CS_PARAM_KERNEL:
    case CS_PARAM_POINTWISE_KERNEL:
        return u * sqrt(6 / fan_in(graph, param));
    case CS_PARAM_GAMMA:
        return gain * (1 + u / 4);
    case CS_PARAM_MOVING_VARIANCE:
    case CS_PARAM_VARIANCE:
        return 1 + u / 2;
    default:
        return u / 4;
    }
}

void golden_fill_params(cs_params *params, double gain) {
    const cs_graph *graph = params->graph;
    for (int p = 0; p < graph->n_params; p++) {
        const cs_param *param = &graph->params[p];
        char name[2 * CS_NAME_MAX];
        snprintf(name, sizeof name, "%s/%s", graph->layers[param->layer].name, cs_param_role_name(param->role));
        uint32_t key = golden_key(name);
        float *values = cs_params_at(params, param);
        for (size_t i = 0; i < param->count; i++)
            values[i] = (float)value(graph, param, golden_uniform(key, i), gain);
    }
}

float *golden_images(const cs_graph *graph, int rows) {
    cs_shape shape = graph->layers[0].out;
    cs_preprocess preprocess = cs_preprocess_of(graph->preprocess);
    float *images = malloc((size_t)rows * cs_shape_count(shape) * sizeof *images), *at = images;
    assert_non_null(images);
    for (int row = 0; row < rows; row++)
        for (int h = 0; h < shape.h; h++)
            for (int w = 0; w < shape.w; w++)
                for (int c = 0; c < 3; c++, at++) {
                    int pixel = (7 * h + 13 * w + 29 * (preprocess.bgr ? 2 - c : c) + 41 * row) % 256;
                    *at = (float)pixel * preprocess.multiply[c] + preprocess.add[c];
                }
    return images;
}

/* Returns the values of the last layer; the caller frees them. */
static float *forward(const cs_graph *graph, const cs_params *params, const char *device) {
    cs_engine *engine;
    cs_segment *segment;
    cs_program *program;
    float *image = golden_images(graph, 1),
          *out = malloc(cs_shape_count(graph->layers[graph->n_layers - 1].out) * sizeof *out);
    assert_non_null(out);
    const cs_engine_options options = test_engine_options(device, 1);
    assert_ok(cs_engine_open(device, &options, &engine));
    assert_ok(cs_segment_create(graph, 0, graph->n_layers, &segment));
    assert_ok(cs_program_compile(engine, &(cs_program_spec){.segment = segment, .batch = 1, .mode = CS_MODE_INFER},
                                 &program));
    assert_ok(cs_program_load(program, CS_ARRAY_VALUE, params));
    assert_ok(cs_program_set_input(program, 0, image, 1));
    assert_ok(cs_program_forward(program, 1));
    assert_ok(cs_program_get_output(program, 0, out, 1));
    cs_program_free(program);
    cs_segment_free(segment);
    cs_engine_close(engine);
    free(image);
    return out;
}

/* The error is compared with `scale`. */
static void assert_close(const forward_case *want, const char *device, const char *what, double got, double expected,
                         double scale) {
    if (!(fabs(got - expected) < 1e-4 * scale))
        fail_msg("%s %d x %d on %s: %s is %.9g, the golden file has %.9g", want->config.arch, want->config.input_h,
                 want->config.input_w, device, what, got, expected);
}

static void check_case(const forward_case *want, const char *device) {
    cs_graph *graph;
    cs_params *params;
    double sum = 0, squares = 0;
    assert_ok(cs_model_build(&want->config, &graph));
    assert_int_equal(cs_shape_count(graph->layers[graph->n_layers - 1].out), want->count);
    assert_ok(cs_params_create(graph, &params));
    golden_fill_params(params, want->gain);
    float *out = forward(graph, params, device);
    for (size_t i = 0; i < want->count; i++) {
        sum += (double)out[i];
        squares += (double)out[i] * (double)out[i];
    }
    double rms = want->norm / sqrt((double)want->count);
    for (int i = 0; i < FIRST; i++)
        assert_close(want, device, "one of the first values", (double)out[i], want->first[i], rms);
    assert_close(want, device, "the sum", sum, want->sum, want->norm * sqrt((double)want->count));
    assert_close(want, device, "the norm", sqrt(squares), want->norm, want->norm);
    free(out);
    cs_params_free(params);
    cs_graph_free(graph);
}

/* Reads a line. "forward": the network up to the head; "logits": with the published classifier, for as many classes as
 * the line has values; "pretrained": up to the head, as it is built for the published weights. */
static void read_case(const char *line, cs_dialect dialect, forward_case *out) {
    cs_model_config *config = &out->config;
    char kind[16];
    double *first = out->first;
    cs_model_config_init(config);
    config->dialect = dialect;
    assert_int_equal(sscanf(line, "%15s %63s %f %d %d %lf %zu %lf %lf %lf %lf %lf %lf %lf %lf %lf %lf", kind,
                            config->arch, &config->alpha, &config->input_h, &config->input_w, &out->gain, &out->count,
                            &out->sum, &out->norm, first, first + 1, first + 2, first + 3, first + 4, first + 5,
                            first + 6, first + 7),
                     9 + FIRST);
    config->pretrained = strcmp(kind, "pretrained") == 0;
    if (strcmp(kind, "logits") == 0) {
        config->classes = (int)out->count;
        snprintf(config->head, sizeof config->head, "top");
    }
}

void golden_check_forward(const char *file, cs_dialect dialect, const char *device) {
    char path[256], line[512];
    int checked = 0;
    snprintf(path, sizeof path, "%s/tests/net/golden/%s", test_source(), file);
    FILE *lines = fopen(path, "r");
    if (!lines)
        fail_msg("cannot open %s", path);
    for (; fgets(line, sizeof line, lines); checked++) {
        forward_case want;
        read_case(line, dialect, &want);
        check_case(&want, device);
    }
    fclose(lines);
    assert_true(checked > 0);
}
