/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/weights: which parameter of a network each tensor of a file is meant for. */
#ifndef CS_WEIGHTS_MATCH_H
#define CS_WEIGHTS_MATCH_H

#include "tensor.h"

/* params[i]: index of the parameter that tensor i of `file` is meant for, or -1. Two tensors for one parameter are
 * CS_ERR_FORMAT naming both. */
CS_MUST_CHECK cs_status cs_match(const char *file, const cs_graph *graph, const cs_tensor_list *tensors, int *params);
/* Tensors that belong to the framework, not to the network, and are passed over in silence. */
bool cs_match_ignores(const cs_graph *graph, const cs_tensor *tensor);

#endif
