/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/net/zoo: layers of torchvision's networks. Their names are the node names of
 * torchvision.models.feature_extraction: the name of the module, which its weights have too. A module or function that
 * is called a second time gets a number, as in "relu_1". */
#ifndef CS_NET_ZOO_TORCH_MODULE_H
#define CS_NET_ZOO_TORCH_MODULE_H

#include "cnnsweep/graph.h"

typedef struct cs_torch_module {
    cs_graph *graph;
    cs_initializer initializer;       /* for the module's convolutions */
    char prefix[7 * CS_NAME_MAX / 8]; /* such as "layer1.0"; "": the whole network */
    char layer[CS_NAME_MAX];          /* the name that cs_torch_name returned last */
} cs_torch_module;

/* Returns "layer1.0.<part>"; valid until the next call. */
const char *cs_torch_name(cs_torch_module *module, const char *part);

/* These add a layer after *x, which becomes the new layer. Convolutions have no bias and are padded with kernel/2 on
 * every side. */
CS_MUST_CHECK cs_status cs_torch_conv(cs_torch_module *module, const char *part, int filters, int kernel, int stride,
                                      int *x);
CS_MUST_CHECK cs_status cs_torch_depthwise(cs_torch_module *module, const char *part, int stride, int *x);
CS_MUST_CHECK cs_status cs_torch_norm(cs_torch_module *module, const char *part, int *x);
CS_MUST_CHECK cs_status cs_torch_activation(cs_torch_module *module, const char *part, cs_activation activation,
                                            int *x);

/* The first layers of ResNet and DenseNet: a 7x7 convolution and a max-pool, both with stride 2. */
typedef struct cs_torch_stem {
    const char *conv, *norm, *relu, *pool;
} cs_torch_stem;
CS_MUST_CHECK cs_status cs_torch_add_stem(cs_torch_module *module, cs_torch_stem names, int *x);

/* Adds the last layer of a published classifier: an nn.Linear with weights by `initializer`. */
CS_MUST_CHECK cs_status cs_torch_linear(cs_graph *graph, const char *name, cs_initializer initializer, int classes,
                                        int *x);

#endif
