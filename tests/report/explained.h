/* SPDX-License-Identifier: Apache-2.0 */
/* A network with random parameters and images, and an explainer of it, for the tests of explanations. */
#ifndef CNNSWEEP_TESTS_EXPLAINED_H
#define CNNSWEEP_TESTS_EXPLAINED_H

#include "test.h"

#include "cnnsweep/explain.h"
#include "cnnsweep/zoo.h"

#include <stdio.h>

enum { EXPLAINED_IMAGES = 3, EXPLAINED_BATCH = 2 /* so that one batch is full and one is not */ };

typedef struct explained_network {
    const char *name, *arch;
    cs_dialect dialect;
    float alpha;
    int size, classes;
    const char *head;               /* "" : the architecture's */
    const char *layer;              /* NULL: the default */
    void (*build)(cs_graph *graph); /* of a network that is no architecture; else NULL */
} explained_network;

typedef struct explained {
    cs_graph *graph;
    cs_params *params;
    cs_engine *engine;
    cs_explainer *explainer;
    float *images; /* [EXPLAINED_IMAGES,H,W,3] */
    int32_t classes[EXPLAINED_IMAGES];
} explained;

void explained_open(explained *e, const explained_network *network, const char *device);
/* Opens the explainer anew, after the parameters or the graph have changed. */
void explained_reopen(explained *e, const char *layer, const cs_explain_settings *settings);
void explained_close(explained *e);

/* The raw maps of all images by a method; free them. */
float *explained_maps(const explained *e, const char *method, size_t *count);
/* Fails unless every |got - want| is at most `tolerance` of the largest |want|. */
void assert_maps_near(const float *got, const float *want, size_t count, double tolerance, const char *what);
double explained_largest(const float *values, size_t count);

#endif
