/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the report room: the classification report. */
#ifndef CNNSWEEP_CLASSIFICATION_REPORT_H
#define CNNSWEEP_CLASSIFICATION_REPORT_H

#include "cnnsweep/metrics.h"

#include <stdio.h>

/* Prints the text of sklearn's classification_report(digits=2), equal in every character, and then the confusion
 * matrix. `names` has a name for each class; `test` must have CS_NEEDS_CONFUSION. */
void cs_classification_report(const cs_evaluation *test, const char *const *names, FILE *out);

#endif
