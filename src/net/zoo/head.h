/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/net/zoo: adds the layers on top of an architecture. */
#ifndef CS_NET_ZOO_HEAD_H
#define CS_NET_ZOO_HEAD_H

#include "cnnsweep/zoo.h"

/* Adds the layers of config->head (see zoo.h), or of the entry's default head if that is empty, after layer `top`. They
 * get Keras' automatic names ("dense", then "dense_1"). */
CS_MUST_CHECK cs_status cs_head_add(cs_graph *graph, const cs_model_config *config, const cs_zoo_entry *entry, int top);

#endif
