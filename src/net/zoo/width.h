/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/net/zoo: width multipliers. */
#ifndef CS_NET_ZOO_WIDTH_H
#define CS_NET_ZOO_WIDTH_H

#include "cnnsweep/graph.h"

/* For architectures without a width multiplier: fails unless alpha is 1. */
CS_MUST_CHECK cs_status cs_width_refuse(const cs_graph *graph, float alpha);

/* For architectures with a width multiplier: fails unless alpha is in a sensible range, in which at least one of 32
 * filters is left. `published` is for the hint. */
CS_MUST_CHECK cs_status cs_width_check(const cs_graph *graph, float alpha, const char *published);

/* Returns the multiple of 8 that is nearest to `filters`, at least 8 and not more than 10 % below it. */
int cs_width_divisible(double filters);

#endif
