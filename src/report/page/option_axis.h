/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/report/page: a swept option as an axis of a chart. */
#ifndef CNNSWEEP_OPTION_AXIS_H
#define CNNSWEEP_OPTION_AXIS_H

#include "page_impl.h"

typedef struct cs_option_axis {
    const cs_page_option *option; /* borrowed */
    bool is_numeric;              /* all its values are finite numbers */
    cs_scale scale;               /* logarithmic if they span a factor of 30 or more */
    double *at;                   /* [option->n] the place of each value: the number, or its index */
} cs_option_axis;

CS_MUST_CHECK cs_status cs_option_axis_open(const cs_page_option *option, cs_option_axis *out);
void cs_option_axis_close(cs_option_axis *axis);

#endif
