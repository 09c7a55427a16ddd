/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the report room. */
#ifndef CNNSWEEP_CLASSIFICATION_REPORT_H
#define CNNSWEEP_CLASSIFICATION_REPORT_H

#include "cnnsweep/metrics.h"

#include <stdio.h>

/* The text of sklearn's classification_report(digits=2), to the character, then the confusion matrix. `names` has one
 * name a class; `test` has CS_NEEDS_CONFUSION. */
void cs_classification_report(const cs_evaluation *test, const char *const *names, FILE *out);

#endif
