/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the report room: the programs that explanations run. A call explains at most a batch of images. */
#ifndef CNNSWEEP_EXPLAINER_H
#define CNNSWEEP_EXPLAINER_H

#include "cnnsweep/explain.h"

/* A compiled part of the network; `program` is NULL before it is first used. */
typedef struct cs_part {
    cs_segment *segment;
    cs_program *program;
} cs_part;

struct cs_explainer {
    cs_explain_spec spec;
    cs_graph graph;   /* the spec's, with layers of its own: all frozen, and none drops */
    cs_layer *layers; /* [n_layers] */
    int layer, input; /* indexes of the layer and of the network's input */
    int first;        /* the number in its call of the first image that a method gets */
    bool guided_said; /* the log says which activations are not guided */
    cs_part below;    /* INFER, up to the layer */
    cs_part above;    /* TRAIN, what follows it, with the layer's gradient */
    cs_part scores;   /* INFER, the whole network */
    cs_part slopes;   /* TRAIN, the whole network, with the input's gradient */
    cs_part guided;   /* the same, guided */
    /* [batch,h,w,C], the layer's output and the gradient with respect to it */
    float *activations, *gradients;
    float *inputs; /* [batch,H,W,C], what methods make of the images */
    float *starts; /* [batch,outputs], the gradient from which backward starts */
};

int cs_explainer_outputs(const cs_explainer *explainer); /* logits, 1 for a binary head */

/* Sets `activations` and, unless `classes` is NULL, `gradients`. */
CS_MUST_CHECK cs_status cs_explainer_run_layer(cs_explainer *explainer, const float *images, const int32_t *classes,
                                               int n);
/* The gradients [n,H,W,C] of the classes' logits with respect to the inputs. */
CS_MUST_CHECK cs_status cs_explainer_run_slopes(cs_explainer *explainer, const float *images, const int32_t *classes,
                                                int n, bool guided, float *out);
/* The outputs [n,outputs] of the network. */
CS_MUST_CHECK cs_status cs_explainer_run_scores(cs_explainer *explainer, const float *images, int n, float *out);
/* The logit of a class in one row of outputs. */
double cs_explainer_logit(const cs_explainer *explainer, const float *outputs, int32_t class);

#endif
