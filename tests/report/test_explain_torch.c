/* SPDX-License-Identifier: Apache-2.0 */
/* Compares all maps with those that explain_torch.py makes with PyTorch's autograd in double, for three networks: one
 * with ReLU6, one with skip connections, one of convolutions with biases. The test writes the network, its parameters
 * and the maps to files, which the script reads. */
#include "explained.h"

#include "cnnsweep/file.h"
#include "cnnsweep/random.h"
#include "device.h"

#include <stdlib.h>
#include <sys/wait.h>

enum { NO_TORCH = 77 };

static const cs_explain_settings settings = {.steps = 6, .samples = 3, .noise = 0.1, .patch = 13, .stride = 11};

static const explained_network networks[] = {
    {"mobilenet", "mobilenet", CS_DIALECT_KERAS, 0.25f, 32, 4, "", "conv_pw_5_relu", NULL},
    {"mobilenet_default", "mobilenet", CS_DIALECT_KERAS, 0.25f, 64, 4, "gap,dense", NULL, NULL},
    {"resnet18", "resnet18", CS_DIALECT_TORCH, 1, 32, 3, "", "layer1.1.relu", NULL},
    {"binary", "basenet", CS_DIALECT_KERAS, 1, 32, 2, "", NULL, NULL},
};

/* Numbers are in a second file, as floats. */
typedef struct output {
    FILE *text, *floats;
    size_t at;
} output;

static void write_tensor(output *out, const char *name, const float *values, size_t count) {
    fprintf(out->text, "tensor %s %zu %zu\n", name, out->at, count);
    assert_int_equal(fwrite(values, sizeof *values, count, out->floats), count);
    out->at += count;
}

static void write_graph(FILE *out, const cs_graph *graph) {
    for (int l = 0; l < graph->n_layers; l++) {
        const cs_layer *layer = &graph->layers[l];
        const cs_window *w = &layer->window;
        fprintf(out, "layer %s %s %s 0 %.9g %.9g %d %d 0 0 0 %.9g %.9g %.9g %d %d %d %d %d %d %d %d", layer->name,
                cs_layer_kind_name(layer->kind),
                layer->activation == CS_ACT_BINARY ? "binary" : cs_activation_name(layer->activation),
                (double)layer->epsilon, (double)layer->momentum, layer->unbiased, layer->out.flat,
                (double)layer->factor[0], (double)layer->factor[1], (double)layer->factor[2], w->kernel_h, w->kernel_w,
                w->stride_h, w->stride_w, w->pad_top, w->pad_bottom, w->pad_left, w->pad_right);
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

/* The noise of smooth_grad, with a deviation of 1. */
static void write_noise(output *out, const explained *e) {
    const size_t pixels = cs_shape_count(cs_explainer_input(e->explainer));
    const size_t all = (size_t)settings.samples * EXPLAINED_IMAGES * pixels;
    float *noise = calloc(all, sizeof *noise);
    assert_non_null(noise);
    for (int k = 0, at = 0; k < settings.samples; k++)
        for (int i = 0; i < EXPLAINED_IMAGES; i++) {
            cs_rng rng = cs_rng_at(settings.seed, CS_PURPOSE_EXPLAIN, (uint32_t)k, (uint32_t)i);
            for (size_t p = 0; p < pixels; p++)
                noise[at++] = cs_rng_normal(&rng);
        }
    write_tensor(out, "noise", noise, all);
    free(noise);
}

static bool is_global_pooled(const explained *e) {
    int layer;
    assert_ok(cs_graph_find(e->graph, cs_explainer_layer(e->explainer), &layer));
    for (int l = layer + 1; l < e->graph->n_layers; l++)
        if (e->graph->layers[l].inputs[0] == layer)
            return e->graph->layers[l].kind == CS_LAYER_GLOBAL_AVERAGE_POOL;
    return false;
}

static void write_maps(output *out, const explained *e) {
    size_t n, count;
    const cs_explain_method *methods = cs_explain_methods(&n);
    for (size_t i = 0; i < n; i++) {
        char name[64];
        if (methods[i].make == methods[0].make && !is_global_pooled(e)) /* cam */
            continue;
        float *maps = explained_maps(e, methods[i].name, &count);
        snprintf(name, sizeof name, "map_%s", methods[i].name);
        write_tensor(out, name, maps, count);
        free(maps);
    }
}

static void write_network(output *out, const explained_network *network) {
    explained e;
    explained_open(&e, network, test_device());
    explained_reopen(&e, network->layer, &settings);
    const cs_shape input = cs_explainer_input(e.explainer);
    const int n = EXPLAINED_IMAGES, classes = cs_explainer_classes(e.explainer);
    float *logits = calloc((size_t)(n * classes), sizeof *logits);
    assert_non_null(logits);
    fprintf(out->text, "case %s %d\nshape %d %d %d\n", network->name, n, input.h, input.w, input.c);
    fprintf(out->text, "explained %s %d %d %.9g %d %d\n", cs_explainer_layer(e.explainer), settings.steps,
            settings.samples, settings.noise, settings.patch, settings.stride);
    write_graph(out->text, e.graph);
    fprintf(out->text, "labels %d %d %d\n", (int)e.classes[0], (int)e.classes[1], (int)e.classes[2]);
    write_tensor(out, "input", e.images, (size_t)n * cs_shape_count(input));
    write_tensor(out, "initial", e.params->data, e.graph->n_values);
    assert_ok(cs_explainer_logits(e.explainer, e.images, n, logits));
    write_tensor(out, "logits", logits, (size_t)(n * classes));
    write_noise(out, &e);
    write_maps(out, &e);
    fprintf(out->text, "end\n");
    free(logits);
    explained_close(&e);
}

static void all_maps_equal_those_of_torch(void **state) {
    char text[CS_PATH_MAX], floats[CS_PATH_MAX], command[3 * CS_PATH_MAX];
    (void)state;
    snprintf(text, sizeof text, "%s/maps.txt", test_scratch());
    snprintf(floats, sizeof floats, "%s/maps.f32", test_scratch());
    output out = {fopen(text, "w"), fopen(floats, "wb"), 0};
    assert_true(out.text && out.floats);
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
        write_network(&out, &networks[i]);
    assert_int_equal(fclose(out.text), 0);
    assert_int_equal(fclose(out.floats), 0);
    snprintf(command, sizeof command, "/usr/bin/python3 '%s/tests/report/explain_torch.py' '%s' '%s'", test_source(),
             text, floats);
    int status = system(command);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NO_TORCH)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_maps_equal_those_of_torch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
