/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/net/zoo: layers of torchvision's networks. Their names are the node names of
 * torchvision.models.feature_extraction: the module's, which is also that of its weights, and for a module or a
 * function called again "relu_1". */
#ifndef CS_NET_ZOO_TORCH_MODULE_H
#define CS_NET_ZOO_TORCH_MODULE_H

#include "cnnsweep/graph.h"

typedef struct cs_torch_module {
    cs_graph *graph;
    cs_initializer initializer;       /* of its convolutions */
    char prefix[7 * CS_NAME_MAX / 8]; /* "layer1.0"; "": the whole network */
    char layer[CS_NAME_MAX];          /* the last name made */
} cs_torch_module;

/* "layer1.0.<part>"; valid until the next call. */
const char *cs_torch_name(cs_torch_module *module, const char *part);

/* Without a bias, padded with kernel/2 on every side; *x goes in and comes out as the new layer. */
CS_MUST_CHECK cs_status cs_torch_conv(cs_torch_module *module, const char *part, int filters, int kernel, int stride,
                                      int *x);
CS_MUST_CHECK cs_status cs_torch_depthwise(cs_torch_module *module, const char *part, int stride, int *x);
CS_MUST_CHECK cs_status cs_torch_norm(cs_torch_module *module, const char *part, int *x);
CS_MUST_CHECK cs_status cs_torch_activation(cs_torch_module *module, const char *part, cs_activation activation,
                                            int *x);

/* The beginning of ResNet and DenseNet: a 7x7 convolution and a max-pool, stride 2 both. */
typedef struct cs_torch_stem {
    const char *conv, *norm, *relu, *pool;
} cs_torch_stem;
CS_MUST_CHECK cs_status cs_torch_add_stem(cs_torch_module *module, cs_torch_stem names, int *x);

/* The end of a published classifier: nn.Linear whose weights begin as `initializer` says. */
CS_MUST_CHECK cs_status cs_torch_linear(cs_graph *graph, const char *name, cs_initializer initializer, int classes,
                                        int *x);

#endif
