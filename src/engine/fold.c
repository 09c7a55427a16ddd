/* SPDX-License-Identifier: Apache-2.0 */
/* Folds a batch norm into the layer before it: kernel*scale and (bias - mean)*scale + beta, where scale =
 * gamma/sqrt(variance + epsilon). */
#include "engine_impl.h"

#include <math.h>

const cs_param *cs_layer_param(const cs_graph *graph, int layer, cs_param_role role) {
    const cs_layer *of = &graph->layers[layer];
    for (int i = 0; i < of->n_params; i++) {
        const cs_param *param = &graph->params[of->first_param + i];
        if (param->role == role)
            return param;
    }
    return NULL;
}

void cs_fold(const cs_graph *graph, const cs_params *params, const cs_param *bias, int batch_norm, size_t channels,
             float *scale, float *shift) {
    for (size_t c = 0; c < channels; c++) {
        scale[c] = 1;
        shift[c] = bias ? params->data[bias->offset + c] : 0;
    }
    if (batch_norm < 0)
        return;
    const cs_param *gamma = cs_layer_param(graph, batch_norm, CS_PARAM_GAMMA);
    const float *beta = params->data + cs_layer_param(graph, batch_norm, CS_PARAM_BETA)->offset;
    const float *mean = params->data + cs_layer_param(graph, batch_norm, CS_PARAM_MOVING_MEAN)->offset;
    const float *variance = params->data + cs_layer_param(graph, batch_norm, CS_PARAM_MOVING_VARIANCE)->offset;
    double epsilon = (double)graph->layers[batch_norm].epsilon;
    for (size_t c = 0; c < channels; c++) {
        double factor = 1 / sqrt((double)variance[c] + epsilon);
        if (gamma)
            factor *= (double)params->data[gamma->offset + c];
        scale[c] = (float)factor;
        shift[c] = (float)(((double)shift[c] - (double)mean[c]) * factor + (double)beta[c]);
    }
}
