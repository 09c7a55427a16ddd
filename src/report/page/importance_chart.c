/* SPDX-License-Identifier: Apache-2.0 */
/* How much each swept option matters. */
#include "cnnsweep/text_table.h"
#include "sweep_charts.h"

#include <math.h>

int cs_importance_count(const cs_page_writer *writer) {
    return writer->n_importances;
}

void cs_importance_name(const cs_page_writer *writer, int i, char *out, size_t size) {
    snprintf(out, size, "%s", writer->importances[i].method);
}

enum { BARS = 20, LABEL = 160 }; /* the largest shares */

/* Of an option that is a number also says which way the metric goes with it. */
static cs_status name_part(const cs_option_table *options, const cs_importance_part *part, char out[LABEL]) {
    const char *first = options->options[part->first].name;
    cs_importance_correlation correlation;
    CS_TRY(cs_importance_correlate(&options->table, part->first, &correlation));
    if (part->second >= 0)
        snprintf(out, LABEL, "%.70s and %.70s", first, options->options[part->second].name);
    else if (isnan(correlation.rank))
        snprintf(out, LABEL, "%.150s", first);
    else
        snprintf(out, LABEL, "%.140s (%+.2f)", first, correlation.rank);
    return CS_OK;
}

cs_status cs_importance_draw(const cs_page_writer *writer, int i, cs_drawing **out) {
    const cs_importance *importance = &writer->importances[i];
    char labels[BARS][LABEL], label[64];
    cs_bar bars[BARS + 2];
    int n = 0;
    for (; n < importance->n_parts && n < BARS; n++) {
        CS_TRY(name_part(&writer->options, &importance->parts[n], labels[n]));
        bars[n] = (cs_bar){.label = labels[n], .value = importance->parts[n].share};
    }
    if (importance->higher > 0)
        bars[n++] = (cs_bar){.label = "three and more together", .value = importance->higher};
    if (!isnan(importance->noise))
        bars[n++] = (cs_bar){.label = "noise of repeats", .value = importance->noise, .noise = true};
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

static cs_status print_part(const cs_option_table *options, const cs_importance_part *part, FILE *out) {
    cs_importance_correlation correlation = {(double)NAN, (double)NAN};
    if (part->second < 0)
        CS_TRY(cs_importance_correlate(&options->table, part->first, &correlation));
    cs_csv_field(options->options[part->first].name, out);
    fputc(',', out);
    cs_csv_field(part->second < 0 ? "" : options->options[part->second].name, out);
    cs_csv_number(part->share, out);
    cs_csv_number(correlation.linear, out);
    cs_csv_number(correlation.rank, out);
    fputc('\n', out);
    return CS_OK;
}

cs_status cs_importance_csv(const cs_page_writer *writer, int i, FILE *out) {
    const cs_importance *importance = &writer->importances[i];
    fputs("option,other,share,correlation,rank_correlation\n", out);
    for (int p = 0; p < importance->n_parts; p++)
        CS_TRY(print_part(&writer->options, &importance->parts[p], out));
    fputs("three and more,", out);
    cs_csv_number(importance->higher, out);
    fputs(",,\nnoise,", out);
    cs_csv_number(importance->noise, out);
    fputs(",,\n", out);
    return CS_OK;
}
