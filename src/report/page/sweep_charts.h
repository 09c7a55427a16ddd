/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/report/page: the functions of the charts of a sweep. Each kind is in a file of its own: curves.c,
 * option_charts.c, parallel.c, importance_chart.c, time_charts.c. */
#ifndef CNNSWEEP_SWEEP_CHARTS_H
#define CNNSWEEP_SWEEP_CHARTS_H

#include "page_impl.h"

#include <string.h>

enum { CS_PAGE_NAME = 256 }; /* bytes of the name of a chart */

#define CS_SWEEP_CHART(kind)                                                                                           \
    int cs_##kind##_count(const cs_page_writer *writer);                                                               \
    cs_status cs_##kind##_draw(const cs_page_writer *writer, int i, cs_drawing **out);                                 \
    cs_status cs_##kind##_csv(const cs_page_writer *writer, int i, FILE *out);
CS_SWEEP_CHART(curves)
CS_SWEEP_CHART(options)
CS_SWEEP_CHART(pairs)
CS_SWEEP_CHART(parallel)
CS_SWEEP_CHART(importance)
CS_SWEEP_CHART(cost)
CS_SWEEP_CHART(timeline)

void cs_curves_name(const cs_page_writer *writer, int i, char *out, size_t size);
void cs_options_name(const cs_page_writer *writer, int i, char *out, size_t size);
void cs_pairs_name(const cs_page_writer *writer, int i, char *out, size_t size);
void cs_importance_name(const cs_page_writer *writer, int i, char *out, size_t size);
void cs_no_name(const cs_page_writer *writer, int i, char *out, size_t size);

#endif
