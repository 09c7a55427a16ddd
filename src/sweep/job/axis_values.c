/* SPDX-License-Identifier: Apache-2.0 */
#include "axis_values.h"
#include "cnnsweep/random.h"

#include <math.h>

cs_domain cs_axis_domain(const cs_space *space, const cs_axis *axis) {
    const cs_range *range = &space->ranges[axis->first];
    if (range->step > 0)
        return (cs_domain){.low = range->low, .high = range->low + (axis->n - 1) * range->step, .step = range->step};
    if (axis->n > 0)
        return (cs_domain){.choices = axis->n};
    return (cs_domain){.low = range->low,
                       .high = range->high,
                       .step = cs_range_is_whole(range) ? 1 : 0,
                       .log = range->kind == CS_RANGE_LOG_UNIFORM || range->kind == CS_RANGE_LOG_INT};
}

static bool is_at(const cs_axis *axis, int position, const double *row) {
    for (int i = 0; i < axis->n_options; i++)
        if (row[axis->first + i] != axis->values[position * axis->n_options + i])
            return false;
    return true;
}

double cs_axis_value(const cs_space *space, const cs_axis *axis, const double *row) {
    const cs_range *range = &space->ranges[axis->first];
    if (axis->n == 0)
        return row[axis->first];
    for (int p = 0; p < axis->n; p++)
        if (is_at(axis, p, row))
            return range->step > 0 ? range->low + p * range->step : p;
    return (double)NAN;
}

/* Writes a value of the axis into the row, and into the cell that conditions look at. */
static void put(const cs_space *space, const cs_axis *axis, double value, double *row, int *cell) {
    const cs_range *range = &space->ranges[axis->first];
    if (axis->n == 0) {
        row[axis->first] = cs_range_is_whole(range) ? value : (float)value; /* as the option holds it */
        cell[axis->first] = 0;
        return;
    }
    int position = (int)lround(range->step > 0 ? (value - range->low) / range->step : value);
    for (int i = 0; i < axis->n_options; i++)
        row[axis->first + i] = cell[axis->first + i] = axis->values[position * axis->n_options + i];
}

void cs_axis_compose(const cs_space *space, cs_axis_suggest *suggest, void *context, double *row, int *cell) {
    for (int i = 0; i < space->n_options; i++) {
        row[i] = (double)NAN;
        cell[i] = CS_NO_VALUE;
    }
    for (int k = 0; k < space->n_axes; k++) {
        const cs_axis *axis = &space->axes[space->order[k]];
        if (cs_match_holds(&axis->when, cell))
            put(space, axis, suggest(context, space->order[k]), row, cell);
    }
}
