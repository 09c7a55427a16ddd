/* SPDX-License-Identifier: Apache-2.0 */
/* Laws of explanations, which hold for any network: between methods, for gradients, and for changed networks and
 * images. */
#include "explained.h"

#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"
#include "device.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Ends in global average pooling and one dense layer, behind ReLU6. */
static const explained_network pooled = {"pooled", "mobilenet", CS_DIALECT_KERAS, 0.25f, 64, 4, "gap,dense",
                                         NULL,     NULL};
static const explained_network chain = {"chain", "basenet", CS_DIALECT_KERAS, 1, 32, 3, "", NULL, NULL};

static float *maps_times(const explained *e, const char *method, float factor, size_t *count) {
    float *maps = explained_maps(e, method, count);
    for (size_t i = 0; i < *count; i++)
        maps[i] *= factor;
    return maps;
}

static void compare_methods(const char *device, const char *a, float factor, const char *b) {
    explained e;
    size_t count, places;
    explained_open(&e, &pooled, device);
    float *left = maps_times(&e, a, factor, &count), *right = explained_maps(&e, b, &places);
    assert_int_equal(count, places);
    assert_maps_near(left, right, count, 1e-4, a);
    free(left);
    free(right);
    explained_close(&e);
}

/* There each weight W[k,class] is the gradient of the mean, so that <G_k> = W/(HW). Here h*w is 2*2. */
static void grad_cam_is_cam_over_its_places_behind_global_average_pooling(void **state) {
    (void)state;
    for (const char *const *device = test_devices(); *device; device++)
        compare_methods(*device, "grad_cam", 4, "cam");
}

static void hires_cam_is_grad_cam_behind_global_average_pooling(void **state) {
    (void)state;
    for (const char *const *device = test_devices(); *device; device++)
        compare_methods(*device, "hires_cam", 1, "grad_cam");
}

/* The logit of image `i`'s class for all images. */
static double logit_of(const explained *e, const float *images, int i) {
    const int classes = cs_explainer_classes(e->explainer);
    float *logits = calloc((size_t)(EXPLAINED_IMAGES * classes), sizeof *logits);
    assert_non_null(logits);
    assert_ok(cs_explainer_logits(e->explainer, images, EXPLAINED_IMAGES, logits));
    const double logit = (double)logits[i * classes + e->classes[i]];
    free(logits);
    return logit;
}

/* The largest slope of the three channels of a pixel, by differences over a step. */
static double largest_slope(const explained *e, size_t pixel, int image, float step) {
    double most = 0;
    for (size_t c = 0; c < 3; c++) {
        float *value = &e->images[3 * pixel + c];
        const float kept = *value;
        *value = kept + step;
        const double high = logit_of(e, e->images, image);
        *value = kept - step;
        const double low = logit_of(e, e->images, image);
        *value = kept;
        most = fmax(most, fabs(high - low) / (2 * (double)step));
    }
    return most;
}

static void saliency_is_the_slope_of_the_logit_by_finite_differences(void **state) {
    (void)state;
    explained e;
    explained_open(&e, &chain, test_device());
    const size_t places = cs_shape_count(cs_explainer_input(e.explainer)) / 3;
    size_t count;
    float *map = explained_maps(&e, "saliency", &count);
    const double scale = explained_largest(map, count);
    int checked = 0, wrong = 0;
    for (size_t p = 0; p < count; p += 37, checked++) {
        bool right = false;
        for (float step = 0x1p-6f; step >= 0x1p-12f && !right; step /= 4)
            right = fabs(largest_slope(&e, p, (int)(p / places), step) - (double)map[p]) <= 5e-3 * scale;
        wrong += !right;
    }
    /* Where a ReLU or a pool has a corner within a step, the difference is that of two slopes, and rounding makes small
     * steps inexact. A wrong gradient agrees with no step. */
    if (checked < 50 || wrong > 1)
        fail_msg("%d of %d values are not those of finite differences", wrong, checked);
    free(map);
    explained_close(&e);
}

/* Two views of a larger random field, one place of the map apart. */
static void fill_views(const explained *e, const explained_network *network, int stride) {
    const int side = network->size;
    cs_rng rng = cs_rng_at(9, CS_PURPOSE_TEST, 3, 0);
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side + stride; x++)
            for (int c = 0; c < 3; c++) {
                const float value = cs_rng_normal(&rng);
                if (x < side)
                    e->images[(y * side + x) * 3 + c] = value;
                if (x >= stride)
                    e->images[((side + y) * side + x - stride) * 3 + c] = value;
            }
}

/* Two convolutions of stride 2 without padding, 39x39 to 8x8. */
static void build_strided(cs_graph *graph) {
    const cs_conv_args first = {12, 5, 5, 2, CS_PADDING_VALID, true, CS_ACT_RELU6, 0};
    const cs_conv_args second = {16, 3, 3, 2, CS_PADDING_VALID, true, CS_ACT_RELU, 0};
    int x;
    assert_ok(cs_graph_input(graph, "input", 39, 39, 3, &x));
    assert_ok(cs_graph_conv2d(graph, "first", x, first, &x));
    assert_ok(cs_graph_conv2d(graph, "second", x, second, &x));
    assert_ok(cs_graph_global_average_pool(graph, "mean", x, false, &x));
    assert_ok(cs_graph_dense(graph, "logits", x, 3, CS_ACT_SOFTMAX, &x));
}

/* The convolutions of the network have no padding, so that all places are in the interior. Behind global average
 * pooling the weights of the channels are those of the class, and do not change with the image. */
static void an_image_that_moves_by_a_stride_moves_the_map_by_a_place(void **state) {
    static const explained_network network = {"moved", "strided", CS_DIALECT_KERAS, 1, 39, 3, "", NULL, build_strided};
    static const char *const methods[] = {"cam", "grad_cam", "hires_cam", "layer_cam"};
    enum { STRIDE = 4 };
    explained e;
    (void)state;
    explained_open(&e, &network, test_device());
    fill_views(&e, &network, STRIDE);
    e.classes[1] = e.classes[0];
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
        size_t count;
        float *maps = explained_maps(&e, methods[m], &count);
        const size_t places = count / EXPLAINED_IMAGES, side = (size_t)lround(sqrt((double)places));
        assert_int_equal(side, 8);
        for (size_t y = 0; y < side; y++)
            assert_maps_near(maps + places + y * side, maps + y * side + 1, side - 1, 1e-4, methods[m]);
        free(maps);
    }
    explained_close(&e);
}

/* The kernel of the last layer [C,K]. */
static float *last_kernel(const explained *e, size_t *inputs, size_t *outputs) {
    const cs_layer *last = &e->graph->layers[e->graph->n_layers - 1];
    for (int p = last->first_param; p < last->first_param + last->n_params; p++)
        if (e->graph->params[p].role == CS_PARAM_KERNEL) {
            *inputs = (size_t)e->graph->params[p].dims[0];
            *outputs = (size_t)e->graph->params[p].dims[1];
            return cs_params_at(e->params, &e->graph->params[p]);
        }
    fail_msg("%s has no kernel", last->name);
    return NULL;
}

/* Methods that look at how the logit depends on the image find nothing. */
static void a_class_whose_weights_are_zero_has_maps_of_zero(void **state) {
    static const char *const methods[] = {"cam",       "grad_cam",    "grad_cam_pp",     "hires_cam",
                                          "xgrad_cam", "layer_cam",   "guided_backprop", "guided_grad_cam",
                                          "saliency",  "smooth_grad", "occlusion",       "integrated_gradients"};
    explained e;
    size_t inputs = 0, outputs = 0, count;
    (void)state;
    explained_open(&e, &pooled, test_device());
    float *kernel = last_kernel(&e, &inputs, &outputs);
    for (size_t k = 0; k < inputs; k++)
        kernel[k * outputs + 1] = 0;
    explained_reopen(&e, NULL, &(cs_explain_settings){.steps = 2, .samples = 2, .patch = 32, .stride = 32});
    for (int i = 0; i < EXPLAINED_IMAGES; i++)
        e.classes[i] = i == 1 ? 0 : 1;
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
        float *maps = explained_maps(&e, methods[m], &count);
        const size_t one = count / EXPLAINED_IMAGES;
        if (explained_largest(maps, one) > 0 || explained_largest(maps + 2 * one, one) > 0)
            fail_msg("%s: the map of a class without weights is not 0", methods[m]);
        if (!(explained_largest(maps + one, one) > 0))
            fail_msg("%s: the map of another class is 0", methods[m]);
        free(maps);
    }
    explained_close(&e);
}

/* Sundararajan et al. 2017: completeness, the more steps the closer. */
static void integrated_gradients_add_up_to_the_change_of_the_logit(void **state) {
    explained e;
    size_t count;
    (void)state;
    explained_open(&e, &chain, test_device());
    explained_reopen(&e, NULL, &(cs_explain_settings){.steps = 200});
    float *maps = explained_maps(&e, "integrated_gradients", &count);
    const size_t places = count / EXPLAINED_IMAGES;
    float *none = calloc(3 * count, sizeof *none);
    assert_non_null(none);
    for (int i = 0; i < EXPLAINED_IMAGES; i++) {
        const double change = logit_of(&e, e.images, i) - logit_of(&e, none, i);
        double sum = 0, sizes = 0;
        for (size_t p = 0; p < places; p++) {
            sum += (double)maps[(size_t)i * places + p];
            sizes += fabs((double)maps[(size_t)i * places + p]);
        }
        if (fabs(sum - change) > 1e-3 * sizes)
            fail_msg("image %d: attributions add up to %.6g, the logit changes by %.6g", i, sum, change);
    }
    free(none);
    free(maps);
    explained_close(&e);
}

static int by_value(const void *a, const void *b) {
    const float *const *x = a, *const *y = b;
    return **x < **y ? -1 : **x > **y;
}

static double *ranks_of(const float *values, size_t n) {
    const float **order = malloc(n * sizeof *order);
    double *ranks = malloc(n * sizeof *ranks);
    assert_true(order && ranks);
    for (size_t i = 0; i < n; i++)
        order[i] = &values[i];
    qsort(order, n, sizeof *order, by_value);
    for (size_t i = 0; i < n; i++)
        ranks[order[i] - values] = (double)i;
    free(order);
    return ranks;
}

/* Spearman's; equal values are rare here. */
static double rank_correlation(const float *a, const float *b, size_t n) {
    double *x = ranks_of(a, n), *y = ranks_of(b, n), sum = 0;
    const double middle = ((double)n - 1) / 2;
    for (size_t i = 0; i < n; i++)
        sum += (x[i] - middle) * (y[i] - middle);
    free(x);
    free(y);
    return sum * 12 / ((double)n * ((double)n * (double)n - 1));
}

/* Adebayo et al. 2018, arXiv:1810.03292: a map that does not change when the network's parameters become others would
 * show the image, not the network. */
static void maps_of_a_network_with_other_parameters_are_others(void **state) {
    static const char *const methods[] = {
        "grad_cam", "hires_cam", "layer_cam", "saliency", "integrated_gradients", "occlusion", "guided_backprop"};
    explained e;
    size_t count;
    float *before[sizeof methods / sizeof *methods];
    (void)state;
    explained_open(&e, &chain, test_device());
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++)
        before[m] = explained_maps(&e, methods[m], &count);
    cs_params_init(e.params, 77);
    explained_reopen(&e, NULL, NULL);
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
        float *after = explained_maps(&e, methods[m], &count);
        const double correlation = rank_correlation(before[m], after, count);
        print_message("%s: the rank correlation of the maps of another network is %.3f\n", methods[m], correlation);
        if (!(fabs(correlation) < 0.7))
            fail_msg("%s: the rank correlation is %.3f", methods[m], correlation);
        free(before[m]);
        free(after);
    }
    explained_close(&e);
}

static void the_batch_changes_no_map(void **state) {
    size_t n, count;
    const cs_explain_method *methods = cs_explain_methods(&n);
    explained e;
    (void)state;
    explained_open(&e, &pooled, test_device());
    explained_reopen(&e, NULL, &(cs_explain_settings){.steps = 2, .samples = 2, .patch = 32, .stride = 32});
    for (size_t m = 0; m < n; m++) {
        float *all = explained_maps(&e, methods[m].name, &count), *last;
        const size_t pixels = cs_shape_count(cs_explainer_input(e.explainer)), one = count / EXPLAINED_IMAGES;
        if (strcmp(methods[m].name, "smooth_grad") != 0) { /* its noise is that of the image's number */
            assert_ok(cs_alloc(one, sizeof *last, "map", &last));
            assert_ok(cs_explain(e.explainer, &methods[m], e.images + 2 * pixels, e.classes + 2, 1, last));
            assert_maps_near(last, all + 2 * one, one, 1e-5, methods[m].name);
            free(last);
        }
        free(all);
    }
    explained_close(&e);
}

static void layers_are_found_by_name_and_by_default(void **state) {
    explained e;
    (void)state;
    explained_open(&e, &pooled, test_device());
    assert_string_equal(cs_explainer_layer(e.explainer), "conv_pw_13_relu");
    cs_explain_spec spec = {.engine = e.engine, .graph = e.graph, .params = e.params, .batch = 1};
    cs_explainer *none = NULL;
    spec.layer = "conv_pw_13_rel";
    assert_fails(cs_explainer_open(&spec, &none), CS_ERR_NOT_FOUND, "conv_pw_13_relu");
    spec.layer = e.graph->layers[0].name;
    assert_fails(cs_explainer_open(&spec, &none), CS_ERR_SHAPE, "the input");
    spec.layer = e.graph->layers[e.graph->n_layers - 1].name;
    assert_fails(cs_explainer_open(&spec, &none), CS_ERR_SHAPE, "no map");
    explained_close(&e);
}

/* In a MobileNet of 50 px the last convolutions have one place each, and a padding comes before them. */
static void the_default_layer_is_no_padding(void **state) {
    static const explained_network network = {"small", "mobilenet", CS_DIALECT_KERAS, 0.25f, 50, 4, "gap,dense",
                                              NULL,    NULL};
    explained e;
    (void)state;
    explained_open(&e, &network, test_device());
    assert_string_equal(cs_explainer_layer(e.explainer), "conv_pw_11_relu");
    explained_close(&e);
}

static void cam_needs_global_average_pooling(void **state) {
    const cs_explain_method *method;
    float map[64];
    explained e;
    (void)state;
    assert_fails(cs_explain_method_find("grad_camm", &method), CS_ERR_NOT_FOUND, "grad_cam");
    explained_open(&e, &chain, test_device());
    assert_ok(cs_explain_method_find("cam", &method));
    assert_fails(cs_explain(e.explainer, method, e.images, e.classes, 1, map), CS_ERR_UNSUPPORTED, "grad_cam");
    explained_close(&e);
}

/* ROAD of the exact map of a network that looks at one corner is high; of the opposite map it is its negative. */
static void road_is_high_for_what_a_network_looks_at_and_negative_for_the_opposite(void **state) {
    explained e;
    size_t count;
    cs_faithfulness right, wrong;
    (void)state;
    explained_open(&e, &chain, test_device());
    float *maps = explained_maps(&e, "occlusion", &count), *heats = calloc(count, sizeof *heats);
    const cs_shape input = cs_explainer_input(e.explainer);
    const size_t places = count / EXPLAINED_IMAGES;
    assert_non_null(heats);
    for (size_t i = 0; i < EXPLAINED_IMAGES; i++)
        assert_ok(cs_explain_heat(maps + i * places, (cs_shape){input.h, input.w, 1, false}, input.h, input.w,
                                  heats + i * places));
    assert_ok(cs_explain_faithfulness(e.explainer, e.images, e.classes, heats, EXPLAINED_IMAGES, true, &right));
    for (size_t p = 0; p < count; p++)
        heats[p] = 1 - heats[p];
    assert_ok(cs_explain_faithfulness(e.explainer, e.images, e.classes, heats, EXPLAINED_IMAGES, true, &wrong));
    print_message("ROAD %.4f, of the opposite map %.4f\n", right.road, wrong.road);
    assert_true(right.road > 0.02 && wrong.road < -0.02);
    assert_true(right.drop >= 0 && right.drop <= 1 && right.increase >= 0 && right.increase <= 1);
    free(maps);
    free(heats);
    explained_close(&e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grad_cam_is_cam_over_its_places_behind_global_average_pooling),
        cmocka_unit_test(hires_cam_is_grad_cam_behind_global_average_pooling),
        cmocka_unit_test(saliency_is_the_slope_of_the_logit_by_finite_differences),
        cmocka_unit_test(an_image_that_moves_by_a_stride_moves_the_map_by_a_place),
        cmocka_unit_test(a_class_whose_weights_are_zero_has_maps_of_zero),
        cmocka_unit_test(integrated_gradients_add_up_to_the_change_of_the_logit),
        cmocka_unit_test(maps_of_a_network_with_other_parameters_are_others),
        cmocka_unit_test(the_batch_changes_no_map),
        cmocka_unit_test(layers_are_found_by_name_and_by_default),
        cmocka_unit_test(the_default_layer_is_no_padding),
        cmocka_unit_test(cam_needs_global_average_pooling),
        cmocka_unit_test(road_is_high_for_what_a_network_looks_at_and_negative_for_the_opposite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
