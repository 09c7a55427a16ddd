/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: what report.html shows (page.h), made from the journals of a sweep. */
#ifndef CNNSWEEP_PAGE_DATA_H
#define CNNSWEEP_PAGE_DATA_H

#include "cnnsweep/page.h"
#include "results/collection.h"
#include "results/pivot.h"
#include "results/table.h"

typedef struct cs_page_data {
    cs_page page; /* it borrows from the collection and from what follows */
    cs_page_table table;
    cs_pivot pivot;
    void **kept; /* [n_kept] memory that the page borrows, to be freed with it */
    size_t n_kept, kept_capacity;
} cs_page_data;

/* The collection must outlive the data. `dataset` (NULL: there is none, for the reason `no_images`) is that of the
 * sweep. To be closed also after a failure. */
CS_MUST_CHECK cs_status cs_page_data_open(const cs_collection *collection, const cs_dataset *dataset,
                                          const char *no_images, cs_page_data *out);
void cs_page_data_close(cs_page_data *data);

/* Allocates zeroed memory that is freed with the data. */
CS_MUST_CHECK cs_status cs_page_data_alloc(cs_page_data *data, size_t n, size_t size, void *out);
/* Copies a text. */
CS_MUST_CHECK cs_status cs_page_data_text(cs_page_data *data, const char *text, const char **out);
/* Makes the lines about the sweep as a whole. */
CS_MUST_CHECK cs_status cs_page_data_facts(cs_page_data *data, const cs_collection *collection);

#endif
