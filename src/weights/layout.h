/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/weights: the order of the values of a parameter in a file, which may be another than that of the
 * network. */
#ifndef CS_WEIGHTS_LAYOUT_H
#define CS_WEIGHTS_LAYOUT_H

#include "tensor.h"

/* How a parameter lies in a file: axis a of the file is axis axes[a] of the parameter. */
typedef struct cs_layout {
    int rank;
    int axes[4];
    int dims[4]; /* in the file */
} cs_layout;
cs_layout cs_layout_of(const cs_graph *graph, const cs_param *param, cs_naming naming);
/* Copies between the two orders; `param` is the parameter's own. */
void cs_layout_from_file(const cs_layout *layout, const float *file, float *param);
void cs_layout_to_file(const cs_layout *layout, const float *param, float *file);

#endif
