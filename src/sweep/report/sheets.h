/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: what the augmentations of a sweep make of training images, for report.html. */
#ifndef CNNSWEEP_SHEETS_H
#define CNNSWEEP_SHEETS_H

#include "cnnsweep/page.h"
#include "page_memory.h"
#include "results/collection.h"

/* Draws a sheet for each augmentation that trials differ in, if the job file is still there and defines it. The images
 * are to be cleared. */
CS_MUST_CHECK cs_status cs_page_sheets(cs_page_memory *memory, const cs_collection *collection,
                                       const cs_dataset *dataset, cs_page_sheet **out, int *n);

#endif
