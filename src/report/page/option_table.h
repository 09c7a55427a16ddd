/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/report/page: makes cs_option_table. */
#ifndef CNNSWEEP_OPTION_TABLE_H
#define CNNSWEEP_OPTION_TABLE_H

#include "page_impl.h"

/* To be closed also after a failure. */
CS_MUST_CHECK cs_status cs_option_table_open(const cs_page *page, cs_option_table *out);
void cs_option_table_close(cs_option_table *table);

#endif
