/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the report room: the functions of the methods. Each makes the raw maps of at most a batch of images. */
#ifndef CNNSWEEP_MAKERS_H
#define CNNSWEEP_MAKERS_H

#include "explainer.h"

typedef cs_status cs_map_maker(cs_explainer *explainer, const float *images, const int32_t *classes, int n,
                               float *maps);
cs_map_maker cs_make_cam, cs_make_grad_cam, cs_make_grad_cam_pp, cs_make_hires_cam, cs_make_xgrad_cam,
    cs_make_layer_cam, cs_make_eigen_cam, cs_make_score_cam, cs_make_guided_backprop, cs_make_guided_grad_cam,
    cs_make_saliency, cs_make_smooth_grad, cs_make_integrated_gradients, cs_make_occlusion;

#endif
