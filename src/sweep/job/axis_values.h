/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: an axis of the space as a parameter with a value, which methods that learn suggest. The
 * positions of listed values are choices; ranges and ranges with a step are numbers. */
#ifndef CNNSWEEP_AXIS_VALUES_H
#define CNNSWEEP_AXIS_VALUES_H

#include "parzen.h"
#include "space.h"

/* The values that the axis can have. */
cs_domain cs_axis_domain(const cs_space *space, const cs_axis *axis);
/* The value that a row [n_options] has of the axis; NaN: it has none. */
double cs_axis_value(const cs_space *space, const cs_axis *axis, const double *row);

/* The value of the axis with this index. */
typedef double cs_axis_suggest(void *context, int axis);
/* Writes the row [n_options] that has the suggested values. Only axes whose conditions hold are asked for a value.
 * `cell` [n_options] is working memory. */
void cs_axis_compose(const cs_space *space, cs_axis_suggest *suggest, void *context, double *row, int *cell);

#endif
