/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: what report.html shows (page.h), made from the journals of a sweep. */
#ifndef CNNSWEEP_PAGE_DATA_H
#define CNNSWEEP_PAGE_DATA_H

#include "cnnsweep/page.h"
#include "page_memory.h"
#include "results/collection.h"
#include "results/pivot.h"
#include "results/table.h"

typedef struct cs_page_data {
    cs_page page;       /* it borrows from the collection and from what follows */
    const char *folder; /* borrowed */
    cs_page_table table;
    cs_pivot pivot;
    cs_page_sheet *sheets; /* [page.n_sheets] */
    cs_page_memory memory; /* that the page borrows */
    int lacking;           /* trials whose details are lost */
} cs_page_data;

/* The collection must outlive the data. `dataset` (NULL: there is none, for the reason `no_images`) is that of the
 * sweep. `folder` will have the page. To be closed also after a failure. */
CS_MUST_CHECK cs_status cs_page_data_open(const cs_collection *collection, const cs_dataset *dataset,
                                          const char *no_images, const char *folder, cs_page_data *out);
void cs_page_data_close(cs_page_data *data);

#endif
