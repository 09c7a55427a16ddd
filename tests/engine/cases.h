/* SPDX-License-Identifier: Apache-2.0 */
/* A table of small networks for all tests of the engines, which compare gradients with finite differences, engines with
 * torch, and engines with each other.
 *
 * To add a case, add a row in cases.c and, if no builder there fits, a builder. Every layer kind and option of an
 * engine must be in a row. A layer under test must follow a trainable layer, so that the gradient of its input is
 * tested. */
#ifndef CNNSWEEP_TESTS_ENGINE_CASES_H
#define CNNSWEEP_TESTS_ENGINE_CASES_H

#include "cnnsweep/graph.h"

typedef struct engine_case engine_case;
struct engine_case {
    const char *name;
    void (*build)(cs_graph *graph, const engine_case *row);
    int h, w, c;           /* input of the layer under test; for whole networks, the network's input */
    cs_conv_args args;     /* arguments of the layer under test; a pool uses kernel_h, stride and padding */
    int batch, rows;       /* batch size of the program, and rows on which it runs */
    const char *fine_tune; /* argument of cs_graph_freeze; NULL: all layers are trainable */
    const char *frozen;    /* another layer to freeze, even after trainable layers */
    const char *cut; /* layers before this one are an inference program of their own, the trunk; NULL: one program */
};

extern const engine_case engine_cases[];
extern const size_t n_engine_cases;

#endif
