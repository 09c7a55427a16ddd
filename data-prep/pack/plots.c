/* SPDX-License-Identifier: Apache-2.0 */
/* Bar charts for terminals: --plots. */
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 50 }; /* characters of the longest bar */

static int64_t sum(const cs_split_counts *row) {
    return row->counts[CS_SPLIT_TRAIN] + row->counts[CS_SPLIT_VAL] + row->counts[CS_SPLIT_TEST];
}

/* Each part of a bar ends at the rounded length of all up to it, so that the whole bar has the rounded length, too. */
static void print_bar(const cs_split_counts *row, int64_t most) {
    static const char marks[CS_SPLIT_COUNT] = {'#', '+', '-'};
    int64_t images = 0;
    int at = 0;
    for (int s = 0; s < CS_SPLIT_COUNT; s++) {
        images += row->counts[s];
        for (const int end = (int)lround(WIDTH * (double)images / (double)most); at < end; at++)
            putchar(marks[s]);
    }
    printf(" %lld\n", (long long)images);
}

static void print_chart(const char *title, const cs_split_counts *rows, size_t n) {
    int64_t most = 1;
    int width = 0;
    for (size_t i = 0; i < n; i++) {
        most = sum(&rows[i]) > most ? sum(&rows[i]) : most;
        width = (int)strlen(rows[i].name) > width ? (int)strlen(rows[i].name) : width;
    }
    printf("\n%s (# train, + val, - test)\n", title);
    for (size_t i = 0; i < n; i++) {
        printf("%-*s |", width, rows[i].name);
        print_bar(&rows[i], most);
    }
}

static void print_histograms(const cs_dataset *dataset, const pack_measured *images, size_t n) {
    size_t n_histograms;
    const pack_histogram *histograms = pack_histograms(&n_histograms);
    for (size_t i = 0; i < n_histograms; i++) {
        char title[128];
        pack_bins bins;
        if (!pack_fill_bins(dataset, &histograms[i], images, n, &bins))
            continue;
        snprintf(title, sizeof title, "%s, %s", histograms[i].title, histograms[i].unit);
        print_chart(title, bins.rows, bins.n);
    }
}

static cs_status plot(const cs_dataset *dataset, int threads, const volatile sig_atomic_t *stop) {
    cs_split_counts *classes = NULL;
    pack_measured *images = NULL;
    size_t n = 0;
    cs_status status = pack_count_classes(dataset, &classes);
    if (status == CS_OK)
        status = pack_measure(dataset, threads, stop, &images, &n);
    if (status == CS_OK) {
        print_chart("Classes", classes, (size_t)cs_dataset_class_count(dataset));
        print_histograms(dataset, images, n);
    }
    free(classes);
    free(images);
    return status;
}

cs_status pack_plot(const pack_options *options, const volatile sig_atomic_t *stop) {
    cs_dataset *dataset = NULL;
    CS_TRY(cs_dataset_open(options->out, &dataset));
    const cs_status status = plot(dataset, options->threads, stop);
    cs_dataset_close(dataset);
    return status;
}
