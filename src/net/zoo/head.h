/* Private to src/net/zoo: the layers on top of an architecture. */
#ifndef CS_NET_ZOO_HEAD_H
#define CS_NET_ZOO_HEAD_H

#include "cnnsweep/graph.h"

/* Adds the layers of `head` ("gap,dense", "flatten,dense:50:relu,dense") behind layer `top`: gap, flatten,
 * dense:UNITS[:ACTIVATION], and as the last one `dense` with `classes` units and softmax. Names are Keras' automatic
 * ones ("dense", then "dense_1"). */
CS_MUST_CHECK cs_status cs_head_add(cs_graph *graph, const char *head, int classes, int top);

#endif
