/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/net/zoo: width multipliers. */
#ifndef CS_NET_ZOO_WIDTH_H
#define CS_NET_ZOO_WIDTH_H

#include "cnnsweep/graph.h"

/* For architectures without a width multiplier: alpha must be 1. */
CS_MUST_CHECK cs_status cs_width_refuse(const cs_graph *graph, float alpha);

/* For those with one: not absurd, and one filter is left of 32; `published` is the hint. */
CS_MUST_CHECK cs_status cs_width_check(const cs_graph *graph, float alpha, const char *published);

/* The nearest multiple of 8, but not more than 10 % below `filters`. */
int cs_width_divisible(double filters);

#endif
