/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the report room: the classification report. */
#ifndef CNNSWEEP_CLASSIFICATION_REPORT_H
#define CNNSWEEP_CLASSIFICATION_REPORT_H

#include "cnnsweep/metrics.h"

#include <stdio.h>

/* Prints the text of classification_report(digits=2) of sklearn 1.9, equal in every character, and then the confusion
 * matrix. `names` has a name for each class; the evaluation must have CS_NEEDS_CONFUSION. */
void cs_classification_report(const cs_evaluation *evaluation, const char *const *names, FILE *out);
/* Prints the 95 % intervals of accuracy (Wilson's) and of what was resampled. */
void cs_intervals_print(const cs_evaluation *evaluation, const cs_bootstrap *bootstrap, FILE *out);

#endif
