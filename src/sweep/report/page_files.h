/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the files of trials that report.html shows, or leads to. */
#ifndef CNNSWEEP_PAGE_FILES_H
#define CNNSWEEP_PAGE_FILES_H

#include "cnnsweep/page.h"
#include "page_memory.h"
#include "results/collection.h"

/* Sets `details` and `misclassified` of trial t, which finished. `folder`: that of the page. *is_lost: it should have
 * details, and there is no file: after a crash of the machine those of short trials may be missing. Without the dataset
 * (NULL) that is not known. */
CS_MUST_CHECK cs_status cs_page_files(cs_page_memory *memory, const cs_collection *collection,
                                      const cs_dataset *dataset, const char *folder, int t, cs_page_trial *trial,
                                      bool *is_lost);

#endif
