/* SPDX-License-Identifier: Apache-2.0 */
/* How much each swept option matters. */
#include "cnnsweep/text_table.h"
#include "option_table.h"
#include "sweep_charts.h"

#include <math.h>

int cs_importance_count(const cs_page *page) {
    cs_option_table table;
    cs_importance importance;
    int n = 0;
    if (cs_count_varied_options(page) > 0 && cs_option_table_open(page, &table) == CS_OK) {
        if (cs_importance_find(&table.table, NULL, &importance) == CS_OK) {
            n = 1;
            cs_importance_free(&importance);
        }
        cs_option_table_close(&table);
    }
    return n;
}

enum { BARS = 20, LABEL = 160 }; /* the largest shares */

static void name_part(const cs_option_table *table, const cs_importance_part *part, char out[LABEL]) {
    const char *first = table->options[part->first].name;
    if (part->second < 0)
        snprintf(out, LABEL, "%.150s", first);
    else
        snprintf(out, LABEL, "%.70s and %.70s", first, table->options[part->second].name);
}

static cs_status draw_importance(const cs_option_table *table, const cs_importance *importance, cs_drawing **out) {
    char labels[BARS][LABEL];
    cs_bar bars[BARS + 2];
    int n = 0;
    for (; n < importance->n_parts && n < BARS; n++) {
        name_part(table, &importance->parts[n], labels[n]);
        bars[n] = (cs_bar){.label = labels[n], .value = importance->parts[n].share};
    }
    if (importance->higher > 0)
        bars[n++] = (cs_bar){.label = "three and more together", .value = importance->higher};
    if (!isnan(importance->noise))
        bars[n++] = (cs_bar){.label = "noise of repeats", .value = importance->noise, .noise = true};
    char label[64];
    snprintf(label, sizeof label, "share, by %.40s", importance->method);
    const cs_bar_chart chart = {.frame = {.title = "importance of options",
                                          .description = importance->note,
                                          .width = CS_SWEEP_CHART_WIDTH,
                                          .untitled = true},
                                .value = {.label = label, .low = 0, .high = 1},
                                .bars = bars,
                                .n = n,
                                .decimals = 3};
    return cs_bar_chart_draw(&chart, out);
}

cs_status cs_importance_draw(const cs_page_writer *writer, int i, cs_drawing **out) {
    cs_option_table table;
    cs_importance importance = {0};
    (void)i;
    cs_status status = cs_option_table_open(writer->page, &table);
    if (status == CS_OK)
        status = cs_importance_find(&table.table, NULL, &importance);
    if (status == CS_OK)
        status = draw_importance(&table, &importance, out);
    cs_importance_free(&importance);
    cs_option_table_close(&table);
    return status;
}

cs_status cs_importance_csv(const cs_page_writer *writer, int i, FILE *out) {
    cs_option_table table;
    cs_importance importance = {0};
    (void)i;
    cs_status status = cs_option_table_open(writer->page, &table);
    if (status == CS_OK)
        status = cs_importance_find(&table.table, NULL, &importance);
    if (status == CS_OK) {
        fputs("option,other,share\n", out);
        for (int p = 0; p < importance.n_parts; p++) {
            const cs_importance_part *part = &importance.parts[p];
            cs_csv_field(table.options[part->first].name, out);
            fputc(',', out);
            cs_csv_field(part->second < 0 ? "" : table.options[part->second].name, out);
            cs_csv_number(part->share, out);
            fputc('\n', out);
        }
        fputs("three and more,", out);
        cs_csv_number(importance.higher, out);
        fputs("\nnoise,", out);
        cs_csv_number(importance.noise, out);
        fputc('\n', out);
    }
    cs_importance_free(&importance);
    cs_option_table_close(&table);
    return status;
}
