/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the weights room: finds the parameter of a network that each tensor of a file belongs to. */
#ifndef CS_WEIGHTS_MATCH_H
#define CS_WEIGHTS_MATCH_H

#include "tensor.h"

/* Sets params[i] to the index of the parameter that tensor i of `file` belongs to, or -1. Two tensors for one parameter
 * are CS_ERR_FORMAT naming both. */
CS_MUST_CHECK cs_status cs_match(const char *file, const cs_graph *graph, const cs_tensor_list *tensors, int *params);
/* Whether a tensor belongs to the framework and not to the network; such tensors are skipped silently. */
bool cs_match_ignores(const cs_graph *graph, const cs_tensor *tensor);

#endif
