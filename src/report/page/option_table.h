/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/report/page: the swept options and the sweep's metric as importance.h takes them. Only options that vary
 * among the finished trials count, and no inner ones: trials that differ only in those are repeats. */
#ifndef CNNSWEEP_OPTION_TABLE_H
#define CNNSWEEP_OPTION_TABLE_H

#include "cnnsweep/importance.h"
#include "page_impl.h"

typedef struct cs_option_table {
    cs_importance_table table; /* its options are those of `at` */
    int *at;                   /* [table.n_options] their indices in page->options */
    cs_importance_option *options;
    const char **texts;
    double *values;
} cs_option_table;

CS_MUST_CHECK cs_status cs_option_table_open(const cs_page *page, cs_option_table *out);
void cs_option_table_close(cs_option_table *table);
/* The index in page->options of the i-th option that counts; -1: there are fewer. */
int cs_varied_option(const cs_page *page, int i);
int cs_count_varied_options(const cs_page *page);

#endif
