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

/* The mean and the sample standard deviation (n - 1; NaN for a single trial) of the sweep's metric over the trials that
 * have value `value` of an option, and, unless `other` is -1, `other_value` of another one. Returns their number. */
int cs_option_mean(const cs_page *page, int option, int value, int other, int other_value, double *mean, double *sd);

/* What the trials of each value have of the sweep's metric. Trials that did not finish do not count. */
typedef struct cs_option_means {
    double *at, *mean, *sd; /* [n] ascending places; sd is NaN for a single trial */
    int n;
} cs_option_means;
CS_MUST_CHECK cs_status cs_option_means_make(const cs_page *page, int option, cs_option_means *out);
void cs_option_means_free(cs_option_means *means);

#endif
