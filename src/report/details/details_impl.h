/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the floor of trial details: the parts that cs_trial_details_make puts together. */
#ifndef CNNSWEEP_DETAILS_IMPL_H
#define CNNSWEEP_DETAILS_IMPL_H

#include "cnnsweep/trial_details.h"

#include <stdbool.h>

/* A text as cs_text_printable writes it, in memory of its own. */
CS_MUST_CHECK cs_status cs_details_text(const char *text, char **out);

/* The predicted class of a row: the first of its largest logits. */
int cs_details_predicted(const cs_evaluation *evaluation, int64_t row);

/* The next two need the probabilities of the evaluation. The first fills the areas of the classes and of all together,
 * and the curves; the second the reliability diagram and the images. */
CS_MUST_CHECK cs_status cs_details_add_curves(const cs_evaluation *evaluation, cs_trial_details *details);
CS_MUST_CHECK cs_status cs_details_add_rows(const cs_evaluation *evaluation, const cs_dataset *dataset,
                                            cs_trial_details *details);
/* Makes all that needs logits NaN. */
void cs_details_leave_scores(cs_trial_details *details);
/* The confusion matrix or its cells, and the most confused pairs. */
CS_MUST_CHECK cs_status cs_details_add_confusion(const cs_evaluation *evaluation, cs_trial_details *details);

/* Sets x and y of a point from its counts. */
void cs_curve_place(const cs_score_curve *curve, bool is_roc, cs_curve_point *point);
/* Keeps at most CS_DETAILS_POINTS of the points [n], the first and the last among them, such that the line through them
 * is near to all others. Returns how many are kept, at the beginning. */
int64_t cs_curve_thin(cs_curve_point *points, int64_t n);

/* The numbers of a struct, by which the JSON is written and read. To add one: a member in trial_details.h and a row in
 * fields.c. */
typedef enum cs_field_type { CS_FIELD_COUNT, CS_FIELD_CLASS, CS_FIELD_NUMBER, CS_FIELD_INTERVAL } cs_field_type;
typedef struct cs_field {
    const char *name;
    cs_field_type type; /* int64_t >= 0; int, the index of a class; double; cs_interval, in JSON two numbers */
    size_t offset;
} cs_field;
typedef struct cs_fields {
    const cs_field *rows;
    size_t n;
} cs_fields;
extern const cs_fields cs_details_fields, cs_details_score_fields; /* of cs_trial_details; the latter need logits */
extern const cs_fields cs_details_class_fields, cs_details_bin_fields, cs_details_image_fields, cs_details_curve_fields;

/* The lists of curves and of images, by their names. */
typedef struct cs_curve_list {
    const char *name;
    bool is_roc;
    size_t n, curves; /* offsets in cs_trial_details */
} cs_curve_list;
typedef struct cs_image_list {
    const char *name;
    size_t images; /* offset in cs_trial_details */
} cs_image_list;
enum { CS_CURVE_LISTS = 2, CS_IMAGE_LISTS = 3, CS_DETAILS_VERSION = 1 };
extern const cs_curve_list cs_details_curve_lists[CS_CURVE_LISTS];
extern const cs_image_list cs_details_image_lists[CS_IMAGE_LISTS];

#endif
