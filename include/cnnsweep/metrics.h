/* Classification metrics from (label, prediction) pairs, as sklearn.metrics defines them (zero_division = 0). */
#ifndef CNNSWEEP_METRICS_H
#define CNNSWEEP_METRICS_H

#include "cnnsweep/status.h"

#include <stdint.h>
#include <stdio.h>

typedef struct cs_confusion {
    int classes;
    int64_t *counts; /* [classes,classes], row = true class, column = predicted */
} cs_confusion;
CS_MUST_CHECK cs_status cs_confusion_create(int classes, cs_confusion **out);
void cs_confusion_free(cs_confusion *confusion); /* NULL-safe */
void cs_confusion_reset(cs_confusion *confusion);
void cs_confusion_add(cs_confusion *confusion, int32_t label, int32_t predicted);

typedef struct cs_class_scores {
    double precision, recall, f1;
    int64_t support;
} cs_class_scores;
double cs_confusion_accuracy(const cs_confusion *confusion);
cs_class_scores cs_confusion_class(const cs_confusion *confusion, int class_index);
cs_class_scores cs_confusion_macro(const cs_confusion *confusion);
cs_class_scores cs_confusion_weighted(const cs_confusion *confusion);

/* The text of sklearn's classification_report(digits=2), to the character, then the confusion matrix. `names` has one
 * name a class. */
void cs_confusion_report(const cs_confusion *confusion, const char *const *names, FILE *out);

#endif
