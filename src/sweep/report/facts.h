/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: lines about a sweep as a whole, such as its dataset and the number of ranks. */
#ifndef CNNSWEEP_FACTS_H
#define CNNSWEEP_FACTS_H

#include "cnnsweep/page.h"
#include "page_memory.h"
#include "results/collection.h"

/* When the sweep began, in seconds since 1970; infinite: not known. */
double cs_page_first_start(const cs_collection *collection);
/* Makes the lines [*n]. */
CS_MUST_CHECK cs_status cs_page_facts(cs_page_memory *memory, const cs_collection *collection, const cs_page_fact **out,
                                      int *n);

#endif
