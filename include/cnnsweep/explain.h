/* SPDX-License-Identifier: Apache-2.0 */
/* Explanations: maps that say which places of an image spoke for a class.
 *
 * A method is a row of the table in src/report/explain/methods.c. All methods use logits, never probabilities. That of
 * class 1 of a binary head is its one logit z, and that of class 0 is -z. A gradient is that of the class's logit.
 *
 * An explainer has one network and one of its layers. The layer's output for an image is A [h,w,C]: C channels at
 * h*w places. The gradient with respect to it is G [h,w,C]; <.> is the mean over places, sum(.) the sum over them. The
 * raw maps are, before anything is clipped or scaled:
 *
 *     cam               sum_k W[k,class] A_k; for a layer that only a global average pool and a dense layer follow
 *                       (Zhou et al. 2016, arXiv:1512.04150)
 *     grad_cam          sum_k <G_k> A_k (Selvaraju et al. 2017, arXiv:1610.02391)
 *     grad_cam_pp       sum_k w_k A_k with w_k = sum(max(G_k,0) a_k), a = G^2 / (2 G^2 + sum(A) G^3 + 1e-6), 0 where G
 *                       is 0 (Chattopadhay et al. 2018, arXiv:1710.11063)
 *     hires_cam         sum_k G_k A_k (Draelos and Carin 2020, arXiv:2011.08891)
 *     xgrad_cam         sum_k w_k A_k with w_k = sum(G_k A_k) / (sum(A_k) + 1e-7) (Fu et al. 2020, arXiv:2008.02312)
 *     layer_cam         sum_k max(G_k,0) A_k (Jiang et al. 2021)
 *     eigen_cam         A, minus the mean of each channel, times its first right singular vector; of the two signs the
 *                       one whose map is larger where the layer's output is. The class does not matter (Muhammad and
 *                       Yeasin 2020, arXiv:2008.00299)
 *     score_cam         sum_k w_k A_k, w the softmax over channels of the logits of the input times A_k, which is
 *                       resized to the input and scaled to 0..1 (Wang et al. 2020, arXiv:1910.01279)
 *
 * and, for the input x [H,W,C], as the network gets it after preprocessing:
 *
 *     saliency              max over channels of |G| (Simonyan et al. 2013, arXiv:1312.6034)
 *     smooth_grad           the same of the mean G of inputs with noise (Smilkov et al. 2017, arXiv:1706.03825)
 *     integrated_gradients  sum over channels of x times the mean G on the line from 0 to x; the sum over all places is
 *                           the logit of x minus that of 0 (Sundararajan et al. 2017, arXiv:1703.01365)
 *     guided_backprop       G [H,W,C] of guided backpropagation (cs_program_spec.guided)
 *     guided_grad_cam       that times max(grad_cam,0), which is resized to the input
 *     occlusion             by how much the logit falls if a square of the input is 0, as the mean over the squares
 *                           that cover a place (Zeiler and Fergus 2013, arXiv:1311.2901)
 *
 * To add a method: a function and a row in src/report/explain/methods.c. */
#ifndef CNNSWEEP_EXPLAIN_H
#define CNNSWEEP_EXPLAIN_H

#include "cnnsweep/colormap.h"
#include "cnnsweep/engine.h"
#include "cnnsweep/image.h"

typedef struct cs_explainer cs_explainer;

/* The resolution of a raw map, and its channels. */
typedef enum cs_map_kind {
    CS_MAP_LAYER, /* [h,w], that of the layer */
    CS_MAP_INPUT, /* [H,W], that of the input */
    CS_MAP_COLOUR /* [H,W,C], a value for each value of the input; it may be negative */
} cs_map_kind;

typedef struct cs_explain_method {
    const char *name, *doc;
    cs_map_kind kind;
    bool guided; /* uses guided backpropagation */
    cs_status (*make)(cs_explainer *explainer, const float *images, const int32_t *classes, int n, float *maps);
} cs_explain_method;

const cs_explain_method *cs_explain_methods(size_t *count);
/* An unknown name is CS_ERR_NOT_FOUND with "did you mean". */
CS_MUST_CHECK cs_status cs_explain_method_find(const char *name, const cs_explain_method **out);

/* 0 stands for the default. */
typedef struct cs_explain_settings {
    int steps;    /* integrated_gradients: points on the line, in the middles of equal parts; 50 */
    int samples;  /* smooth_grad: inputs with noise; 50 */
    double noise; /* smooth_grad: standard deviation, relative to the largest minus the least value of an image; 0.15 */
    int patch;    /* occlusion: the side of a square in pixels; an eighth of the input's shorter side */
    int stride;   /* occlusion: from one square to the next; half a patch */
    uint64_t seed; /* smooth_grad: of the noise of image i of a call, whatever the batch */
} cs_explain_settings;

/* All pointers are borrowed and must live as long as the explainer. */
typedef struct cs_explain_spec {
    cs_engine *engine;
    const cs_graph *graph;   /* of which is frozen does not matter: nothing is trained, and nothing dropped */
    const cs_params *params; /* of the graph */
    const char *layer;       /* NULL: the last, but for paddings, whose output is larger than 1x1 */
    int batch;               /* images that are explained at a time; more of them need more memory */
    cs_explain_settings settings;
} cs_explain_spec;

/* An unknown layer is CS_ERR_NOT_FOUND with "did you mean"; one without places, or on which no logit depends, is
 * CS_ERR_SHAPE. Programs are compiled when a method first needs them. */
CS_MUST_CHECK cs_status cs_explainer_open(const cs_explain_spec *spec, cs_explainer **out);
void cs_explainer_close(cs_explainer *explainer); /* NULL-safe; to be called before the engine is closed */

const char *cs_explainer_layer(const cs_explainer *explainer); /* its name */
cs_shape cs_explainer_input(const cs_explainer *explainer);    /* [H,W,C] */
int cs_explainer_classes(const cs_explainer *explainer);
/* The shape of a raw map; c is 1 unless its kind is CS_MAP_COLOUR. */
cs_shape cs_explainer_shape(const cs_explainer *explainer, const cs_explain_method *method);

/* The logits [n,K] of images [n,H,W,C]; n may be above the batch. Those of a binary head are -z/2 and z/2, whose
 * softmax has its probabilities. */
CS_MUST_CHECK cs_status cs_explainer_logits(cs_explainer *explainer, const float *images, int n, float *logits);
/* The raw maps [n] of images [n,H,W,C], one for the given class of each image; n may be above the batch. */
CS_MUST_CHECK cs_status cs_explain(cs_explainer *explainer, const cs_explain_method *method, const float *images,
                                   const int32_t *classes, int n, float *maps);

/* What is shown of a raw map, from 0 to 1, in `heat` [h,w]: max(.,0), of several channels the largest absolute value;
 * scaled to (v - least)/(largest - least + 1e-7), resized bilinearly as OpenCV does, and scaled again. A map without
 * positive values gives 0. */
CS_MUST_CHECK cs_status cs_explain_heat(const float *map, cs_shape shape, int h, int w, float *heat);

/* Draws a heat [h,w] into an image of its size. */
void cs_heat_draw(const float *heat, cs_colormap map, cs_image *image);
/* Draws a heat over a picture [h,w,3]: (1 - share)*heat + share*picture, divided by its largest value. `image` has the
 * size. */
void cs_heat_overlay(const float *heat, cs_colormap map, const uint8_t *picture, double share, cs_image *image);
/* Draws a raw map of kind CS_MAP_COLOUR with three channels into an image of its size: minus its mean, divided by its
 * standard deviation + 1e-5, times 0.1, plus 0.5, clipped to 0..1. `bgr`: its first channel is blue. */
void cs_colour_map_draw(const float *map, bool bgr, cs_image *image);

/* How far a network's confidence follows a map: the means over images. Confidence is the probability of the class. */
typedef struct cs_faithfulness {
    /* ROAD, remove and debias (Rong et al. 2022, arXiv:2202.00449): the mean over nine shares, from a tenth to nine
     * tenths, of half the confidence when the least relevant pixels are removed, minus half that when the most relevant
     * are. Removed pixels become weighted means of their neighbours, with a little noise; of pixels with the same heat
     * it is random which are removed first. 0 for a map at random. */
    double road;
    double drop;     /* by how much confidence falls if the input is multiplied by the map, 0 if it rises */
    double increase; /* the share of images whose confidence then rises */
} cs_faithfulness;

/* `heats` [n,H,W] are those of cs_explain_heat at the input's size. Without `road` that number is NaN, and the others
 * cost two forward passes an image. */
CS_MUST_CHECK cs_status cs_explain_faithfulness(cs_explainer *explainer, const float *images, const int32_t *classes,
                                                const float *heats, int n, bool road, cs_faithfulness *out);

#endif
