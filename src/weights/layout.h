/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the weights room: the order of a parameter's values in a file, which may differ from their order in the
 * network. */
#ifndef CS_WEIGHTS_LAYOUT_H
#define CS_WEIGHTS_LAYOUT_H

#include "tensor.h"

/* The layout of a parameter in a file: axis a in the file is axis axes[a] of the parameter. */
typedef struct cs_layout {
    int rank;
    int axes[4];
    int dims[4]; /* sizes of the axes in the file */
} cs_layout;
cs_layout cs_layout_of(const cs_graph *graph, const cs_param *param, cs_naming naming);
/* Copy the values from one order to the other; `param` has the network's order. */
void cs_layout_from_file(const cs_layout *layout, const float *file, float *param);
void cs_layout_to_file(const cs_layout *layout, const float *param, float *file);

#endif
