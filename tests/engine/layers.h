/* SPDX-License-Identifier: Apache-2.0 */
/* Layers by name, as expressions, so that a builder of cases.c reads like the network that it makes. */
#ifndef CNNSWEEP_TESTS_ENGINE_LAYERS_H
#define CNNSWEEP_TESTS_ENGINE_LAYERS_H

#include "test.h"

#include "cnnsweep/graph.h"

static inline int input(cs_graph *g, int h, int w, int c) {
    int out;
    assert_ok(cs_graph_input(g, "input", h, w, c, &out));
    return out;
}

static inline int conv(cs_graph *g, const char *name, int in, cs_conv_args args) {
    int out;
    assert_ok(cs_graph_conv2d(g, name, in, args, &out));
    return out;
}

static inline int depthwise(cs_graph *g, const char *name, int in, cs_conv_args args) {
    int out;
    assert_ok(cs_graph_depthwise_conv2d(g, name, in, args, &out));
    return out;
}

/* A high momentum would hide an error in the moving statistics. */
static inline int norm(cs_graph *g, const char *name, int in, bool scale) {
    int out;
    assert_ok(cs_graph_batch_norm(g, name, in, 1e-3f, 0.75f, scale, &out));
    return out;
}

static inline int separable(cs_graph *g, const char *name, int in, cs_conv_args args) {
    int out;
    assert_ok(cs_graph_separable_conv2d(g, name, in, args, &out));
    return out;
}

static inline int activation(cs_graph *g, const char *name, int in, cs_activation kind) {
    int out;
    assert_ok(cs_graph_activation(g, name, in, kind, &out));
    return out;
}

static inline int zero_pad(cs_graph *g, const char *name, int in, int top, int bottom, int left, int right) {
    int out;
    assert_ok(cs_graph_zero_pad(g, name, in, top, bottom, left, right, &out));
    return out;
}

static inline int add(cs_graph *g, const char *name, int a, int b) {
    int out;
    assert_ok(cs_graph_add(g, name, a, b, &out));
    return out;
}

static inline int multiply(cs_graph *g, const char *name, int image, int gate) {
    int out;
    assert_ok(cs_graph_multiply(g, name, image, gate, &out));
    return out;
}

static inline int average(cs_graph *g, const char *name, int in, bool keep_dims) {
    int out;
    assert_ok(cs_graph_global_average_pool(g, name, in, keep_dims, &out));
    return out;
}

static inline int reshape(cs_graph *g, const char *name, int in) {
    int out;
    assert_ok(cs_graph_reshape(g, name, in, &out));
    return out;
}

static inline int dropout(cs_graph *g, const char *name, int in, bool per_row) {
    int out;
    assert_ok(cs_graph_dropout(g, name, in, 0.4f, per_row, &out));
    return out;
}

static inline int dense(cs_graph *g, const char *name, int in, int units, cs_activation kind) {
    int out;
    assert_ok(cs_graph_dense(g, name, in, units, kind, &out));
    return out;
}

#endif
