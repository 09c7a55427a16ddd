/* SPDX-License-Identifier: Apache-2.0 */
/* The factors of the learning rate by part of a network. */
#include "test.h"

#include "cnnsweep/zoo.h"

#include <math.h>
#include <stdio.h>

static cs_graph *build(const char *arch, cs_dialect dialect) {
    cs_model_config config;
    cs_graph *graph;
    cs_model_config_init(&config);
    snprintf(config.arch, sizeof config.arch, "%s", arch);
    config.dialect = dialect;
    config.input_h = config.input_w = 32;
    config.classes = 3;
    assert_ok(cs_model_build(&config, &graph));
    return graph;
}

static double factor_of(const cs_graph *graph, const char *layer) {
    int i;
    assert_ok(cs_graph_find(graph, layer, &i));
    return graph->layers[i].lr_factor;
}

/* timm's param_groups_layer_decay(resnet18, layer_decay=0.75): its groups are the stem, layer1.0 to layer4.1, and fc,
 * our dense, and group i of 0 to 9 has the scale 0.75^(9-i). */
static void decay_gives_the_scales_of_timm(void **state) {
    static const struct {
        const char *layer;
        int power;
    } expected[] = {{"conv1", 9},
                    {"bn1", 9},
                    {"layer1.0.conv1", 8},
                    {"layer1.1.bn2", 7},
                    {"layer2.0.conv2", 6},
                    {"layer2.1.bn1", 5},
                    {"layer3.0.bn2", 4},
                    {"layer3.1.conv2", 3},
                    {"layer4.0.conv1", 2},
                    {"layer4.1.bn2", 1},
                    {"dense", 0},
                    {"layer4.0.downsample.0", 2},
                    {"layer3.0.downsample.1", 4}};
    cs_graph *graph = build("resnet18", CS_DIALECT_TORCH);
    (void)state;
    assert_ok(cs_graph_set_lr_factors(graph, "decay:0.75"));
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_true(fabs(factor_of(graph, expected[i].layer) - pow(0.75, expected[i].power)) < 1e-12);
    cs_graph_free(graph);
}

static void names_stand_for_parts_of_the_network(void **state) {
    static const struct {
        const char *text;
        double stem, third_block, last_block, head;
    } cases[] = {{"none", 1, 1, 1, 1},
                 {"", 1, 1, 1, 1},
                 {"head:10", 1, 1, 1, 10},
                 {"blocks:0.1", 0.1, 0.1, 0.1, 1},
                 {"3:0.5", 1, 0.5, 1, 1},
                 {"layer2:0.25", 1, 0.25, 1, 1},
                 {"layer2.0:0", 1, 0, 1, 1},
                 {"layer2.0.conv1:2", 1, 2, 1, 1},
                 {"layer2.0.conv2:2", 1, 1, 1, 1},
                 {"conv1:2,layer4:3", 2, 1, 3, 1},
                 {"head:3,blocks:2,layer4.1:7", 2, 2, 7, 3},
                 {"layer4.1:7,blocks:2", 2, 2, 2, 1},
                 {"decay:0.5,layer2:1", 0.001953125, 1, 0.5, 1}};
    cs_graph *graph = build("resnet18", CS_DIALECT_TORCH);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_ok(cs_graph_set_lr_factors(graph, cases[i].text));
        assert_true(factor_of(graph, "conv1") == cases[i].stem);
        assert_true(factor_of(graph, "layer2.0.conv1") == cases[i].third_block);
        assert_true(factor_of(graph, "layer4.1.conv2") == cases[i].last_block);
        assert_true(factor_of(graph, "dense") == cases[i].head);
    }
    cs_graph_free(graph);
}

static void keras_blocks_are_named_by_the_beginning_of_their_layers(void **state) {
    cs_graph *graph = build("resnet50", CS_DIALECT_KERAS);
    (void)state;
    assert_ok(cs_graph_set_lr_factors(graph, "conv4:0.5,conv4_block2:0.25"));
    assert_true(factor_of(graph, "conv4_block1_1_conv") == 0.5 && factor_of(graph, "conv4_block2_1_conv") == 0.25);
    assert_true(factor_of(graph, "conv5_block1_1_conv") == 1);
    cs_graph_free(graph);
}

static void an_unknown_name_is_refused_with_the_nearest(void **state) {
    cs_graph *graph = build("resnet18", CS_DIALECT_TORCH);
    (void)state;
    assert_fails(cs_graph_set_lr_factors(graph, "haed:1"), CS_ERR_NOT_FOUND, "did you mean 'head'");
    assert_fails(cs_graph_set_lr_factors(graph, "layer4.1.conv3:1"), CS_ERR_NOT_FOUND, "did you mean 'layer4.1.conv");
    assert_fails(cs_graph_set_lr_factors(graph, "9:1"), CS_ERR_NOT_FOUND, "no layers '9'");
    assert_fails(cs_graph_set_lr_factors(graph, "layer:1"), CS_ERR_NOT_FOUND, "no layers 'layer'");
    assert_fails(cs_graph_set_lr_factors(graph, "0:1"), CS_ERR_NOT_FOUND, "no layers '0'");
    cs_graph_free(graph);
}

static void what_is_no_factor_is_refused(void **state) {
    static const char *const bad[] = {"1",       "head",      "head:",    ":1",          "head:1,",
                                      "head:-1", "head:x",    "head:1e7", "head:1x",     "head:nan",
                                      "decay:0", "decay:1.5", ",",        "head:1,,x:1", "head:1 2"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(cs_lr_factors_check(bad[i]), CS_ERR_ARG, "train.lr_mult");
    assert_ok(cs_lr_factors_check("no.such:layer:0.5"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decay_gives_the_scales_of_timm),
        cmocka_unit_test(names_stand_for_parts_of_the_network),
        cmocka_unit_test(keras_blocks_are_named_by_the_beginning_of_their_layers),
        cmocka_unit_test(an_unknown_name_is_refused_with_the_nearest),
        cmocka_unit_test(what_is_no_factor_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
