/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include "cnnsweep/html.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>

/* Adds up the weights of the train images of each class. */
static cs_status add_weights(const pack_page *page, double **out) {
    CS_TRY(cs_alloc((size_t)page->n_classes, sizeof **out, "weights", out));
    for (size_t i = 0; i < page->n; i++)
        if (page->images[i].split == CS_SPLIT_TRAIN)
            (*out)[page->images[i].label] +=
                (double)cs_dataset_weight(page->dataset, CS_SPLIT_TRAIN, page->images[i].at);
    return CS_OK;
}

/* The most images that a class has, in the source or in train. */
static double most_images(const pack_page *page, const int64_t *source) {
    int64_t most = 1;
    for (int c = 0; c < page->n_classes; c++) {
        const int64_t train = page->classes[c].counts[CS_SPLIT_TRAIN];
        most = source[c] > most ? source[c] : most;
        most = train > most ? train : most;
    }
    return (double)most;
}

/* `weights` of each class; NULL: images have none. */
static void print_table(const pack_page *page, const int64_t *source, const double *weights) {
    const double most = most_images(page, source);
    FILE *out = page->out;
    fputs("<table>\n<thead><tr><th>class</th><th>in source</th><th></th><th>in train</th><th></th>", out);
    fputs(weights ? "<th>sum of train weights</th></tr></thead>\n<tbody>\n" : "</tr></thead>\n<tbody>\n", out);
    for (int c = 0; c < page->n_classes; c++) {
        const int64_t train = page->classes[c].counts[CS_SPLIT_TRAIN];
        fputs("<tr><th>", out);
        cs_html_text(out, page->classes[c].name);
        fprintf(out, "</th><td>%lld</td>", (long long)source[c]);
        pack_html_bar(out, CS_SPLIT_VAL, (double)source[c], most);
        fprintf(out, "<td>%lld</td>", (long long)train);
        pack_html_bar(out, CS_SPLIT_TRAIN, (double)train, most);
        if (weights)
            fprintf(out, "<td>%.2f</td>", weights[c]);
        fputs("</tr>\n", out);
    }
    fputs("</tbody>\n</table>\n", out);
}

cs_status pack_print_balance(const pack_page *page) {
    const int64_t *source = cs_dataset_source_counts(page->dataset);
    double *weights = NULL;
    if (!source)
        return CS_OK;
    if (cs_dataset_has_weights(page->dataset))
        CS_TRY(add_weights(page, &weights));
    pack_begin_section(page->out, "balance", "Balance");
    fputs("<p>The images that each class had in the source, and those that it has in train.</p>\n", page->out);
    print_table(page, source, weights);
    pack_end_section(page->out);
    free(weights);
    return CS_OK;
}
