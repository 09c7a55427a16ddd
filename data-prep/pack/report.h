/* SPDX-License-Identifier: Apache-2.0 */
/* The page about a dataset: measure.c looks at every image, report.c says what is on the page, with
 * report_balance.c and report_duplicates.c, of which page.c has the common parts, and html.c writes it. */
#ifndef CNNSWEEP_PACK_REPORT_H
#define CNNSWEEP_PACK_REPORT_H

#include "pack.h"

/* What is measured of an image as it is stored. Its grey values are those of Pillow's convert("L"). */
typedef struct pack_measured {
    cs_split split;
    int64_t at; /* in its split */
    int32_t label;
    int h, w;
    double brightness; /* mean of the grey values, 0..255 */
    double sharpness;  /* variance of the Laplacian of the grey values, as cv2.Laplacian(grey, CV_64F).var() */
    double odd_ratio;  /* |log(r / median of r)|, where r is the long side over the short side */
    pack_hash hash;    /* not known of a repeat (cs_dataset_is_repeat) */
} pack_measured;

/* Measures every image of the dataset, in threads, into *out, which the caller frees: those of train, then val, then
 * test. The result does not depend on the number of threads. */
CS_MUST_CHECK cs_status pack_measure(const cs_dataset *dataset, int threads, const volatile sig_atomic_t *stop,
                                     pack_measured **out, size_t *n);

/* A histogram of the images, a row of the table in histogram.c. */
typedef struct pack_histogram {
    const char *id, *title, *unit;
    int (*value)(const pack_measured *image);
    bool of_sizes; /* left out where all images have the same size */
} pack_histogram;
const pack_histogram *pack_histograms(size_t *n);

enum { PACK_BINS = 16, PACK_BIN_NAME = 32 }; /* the most bins of a histogram */
typedef struct pack_bins {
    cs_split_counts rows[PACK_BINS]; /* whose names are those below, "10 to 19" */
    char names[PACK_BINS][PACK_BIN_NAME];
    size_t n;
} pack_bins;
/* Counts the images in each bin; false if there is nothing to show. `out` must stay where it is. */
bool pack_fill_bins(const cs_dataset *dataset, const pack_histogram *histogram, const pack_measured *images, size_t n,
                    pack_bins *out);

/* Prints the images of each class and the histograms as bars of text. */
CS_MUST_CHECK cs_status pack_plot(const pack_options *options, const volatile sig_atomic_t *stop);

/* Writes an HTML page about the dataset options->out to options->report. It has all its images inside and uses nothing
 * else, neither files nor scripts. */
CS_MUST_CHECK cs_status pack_report(const pack_options *options, const volatile sig_atomic_t *stop);

/* The page that is being written. */
typedef struct pack_page {
    const cs_dataset *dataset;
    FILE *out;
    pack_measured *images;
    size_t n;
    cs_split_counts *classes;
    int n_classes;
    cs_decoder *decoder;
    cs_image decoded, small;
} pack_page;
void pack_begin_section(FILE *out, const char *id, const char *title);
void pack_end_section(FILE *out);
/* Writes a stored image with its id, split, class and what is measured of it. */
CS_MUST_CHECK cs_status pack_print_figure(pack_page *page, const pack_measured *image);
/* A section with the images of each class before and after numbers of them were chosen; none if they were not. */
CS_MUST_CHECK cs_status pack_print_balance(const pack_page *page);
/* A section with the duplicates among the stored images; none if there are no duplicates. */
CS_MUST_CHECK cs_status pack_print_duplicates(pack_page *page, const volatile sig_atomic_t *stop);

/* Write what the dataset is, and the statistics of its training pixels, without the end of the line. */
void pack_print_head(const cs_dataset *dataset, FILE *out);
void pack_print_pixels(const cs_dataset *dataset, FILE *out);
/* Counts the images of each class; the caller frees *out. */
CS_MUST_CHECK cs_status pack_count_classes(const cs_dataset *dataset, cs_split_counts **out);

/* The groups of the images of a dataset. */
typedef struct pack_groups {
    cs_group_member *members; /* [images] sorted by group */
    size_t images, n;         /* images that are in a group, and groups */
    cs_split_counts *crossing;
    size_t n_crossing; /* groups with images in more than one split */
} pack_groups;
/* The caller clears `out`, also after a failure; names in it are the dataset's. */
CS_MUST_CHECK cs_status pack_list_groups(const cs_dataset *dataset, pack_groups *out);
void pack_groups_clear(pack_groups *groups);

/* The beginning and the end of the page. Errors of writing are found when the file is committed. */
void pack_html_begin(FILE *out, const char *title);
void pack_html_end(FILE *out);
/* Writes a table with a row for each of the n things: its name, how many images each split has, and a bar. `what` is
 * the title of the names. */
void pack_html_counts(FILE *out, const char *what, const cs_split_counts *rows, size_t n);
/* Writes a cell with a bar that is value / most of the full length, in the colour of the split. */
void pack_html_bar(FILE *out, cs_split colour, double value, double most);
/* Writes an image element that has the bytes of a PNG inside. */
void pack_html_png(FILE *out, const uint8_t *bytes, size_t size);

#endif
