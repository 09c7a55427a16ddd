/* SPDX-License-Identifier: Apache-2.0 */
/* Where the ticks of an axis are, and what their texts are: the one place that decides this for all charts. */
#ifndef CNNSWEEP_CHARTS_TICKS_H
#define CNNSWEEP_CHARTS_TICKS_H

#include "cnnsweep/charts.h"

enum { CS_TICKS_MAX = 24, CS_TICK_TEXT = 32 };

typedef struct cs_range {
    double low, high; /* low > high: no values yet */
} cs_range;

/* The empty range, and the range extended to a value that the scale can show; others are passed over. */
cs_range cs_range_empty(void);
void cs_range_add(cs_range *range, cs_scale scale, double value);

typedef struct cs_ticks {
    double low, high; /* the ends of the axis: low < high */
    double at[CS_TICKS_MAX];
    int n;        /* at least 1 */
    int decimals; /* of the texts; -1: powers of ten */
} cs_ticks;

/* What becomes of a range that was found from values. */
typedef enum cs_fit {
    CS_FIT_TIGHT, /* it is the axis */
    CS_FIT_ROUND  /* it is extended to the next ticks; on a logarithmic axis, a little */
} cs_fit;

/* Chooses at most `most` ticks (at least 2, at most CS_TICKS_MAX): multiples of 1, 2 or 5 times a power of ten. On a
 * logarithmic axis they are powers of ten, or also 2 and 5 times these, where the range is large enough. */
void cs_ticks_find(const cs_axis *axis, cs_range found, cs_fit fit, int most, cs_ticks *out);
/* Writes the text of the i-th tick into `out` [CS_TICK_TEXT]. */
void cs_ticks_text(const cs_ticks *ticks, int i, char *out);

#endif
