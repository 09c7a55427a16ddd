/* SPDX-License-Identifier: Apache-2.0 */
/* One table of small networks for every test of the engines: against finite differences, torch, and each other.
 *
 * To add a case: a row in cases.c and, where no builder there fits, a builder. Every layer kind and option an engine
 * can meet must be in a row; a layer under test has a trainable layer below it, so that its input's gradient counts. */
#ifndef CNNSWEEP_TESTS_ENGINE_CASES_H
#define CNNSWEEP_TESTS_ENGINE_CASES_H

#include "cnnsweep/graph.h"

typedef struct engine_case engine_case;
struct engine_case {
    const char *name;
    void (*build)(cs_graph *graph, const engine_case *row);
    int h, w, c;           /* what the layer under test sees; for whole networks, the input */
    cs_conv_args args;     /* of the layer under test; a pool takes kernel_h, stride and padding from it */
    int batch, rows;       /* compiled for, run on */
    const char *fine_tune; /* as cs_graph_freeze; NULL: all */
    const char *frozen;    /* one more layer to freeze, though it lies above trainable ones */
    const char *cut;       /* layers before this one are an inference trunk, a program of its own; NULL: one program */
};

extern const engine_case engine_cases[];
extern const size_t n_engine_cases;

#endif
