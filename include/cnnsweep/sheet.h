/* SPDX-License-Identifier: Apache-2.0 */
/* A sheet of what a job's augmentations and filters make of training images: exactly what training with the job's seed
 * gets. */
#ifndef CNNSWEEP_SHEET_H
#define CNNSWEEP_SHEET_H

#include "cnnsweep/image.h"
#include "cnnsweep/job.h"

#include <stdio.h>

typedef struct cs_sheet_options {
    const char *augment; /* the name of one; NULL: all that the job defines, and its filters */
    int samples;         /* training images, spread over the split */
    int epochs;          /* what they become in the first epochs */
    FILE *csv;           /* gets the numbers that were drawn; NULL: not wanted */
    FILE *rows;          /* gets a line for each row; NULL: not wanted */
    const cs_dataset
        *dataset; /* borrowed: that of the job; NULL: it is opened, with a warning if its images are black */
} cs_sheet_options;

/* Draws into `out` a row for each sample of each augmentation, the image and what it becomes in each epoch; below, a
 * row for each sample of each filter, the image before and after. CS_ERR_ARG: the job has none of that name, or none at
 * all, or the training split fewer images. */
CS_MUST_CHECK cs_status cs_sheet_draw(const cs_job *job, const cs_sheet_options *options, cs_image *out);

#endif
