/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/report/page: what the sections of report.html have in common. */
#ifndef CNNSWEEP_PAGE_IMPL_H
#define CNNSWEEP_PAGE_IMPL_H

#include "cnnsweep/charts.h"
#include "cnnsweep/html.h"
#include "cnnsweep/importance.h"
#include "cnnsweep/page.h"

#include <stdbool.h>

/* A page grows with its trials only up to these numbers; trials.csv and history/ have all of them. The best trials come
 * first. */
enum {
    CS_PAGE_ROWS = 1000,             /* of the leaderboard */
    CS_PAGE_DRAWN = 300,             /* trials in a chart that draws something for each */
    CS_PAGE_BYTES = 9800000,         /* of the page; the sections of single trials have what the rest leaves */
    CS_PAGE_IMAGE_BYTES = 120 << 10, /* of the images of one of them */
    CS_PAGE_SHEET_BYTES = 800 << 10  /* of what augmentations make of images */
};

/* Charts in pixels of CSS. They are never shown larger, and on a telephone smaller. */
enum {
    CS_SWEEP_CHART_WIDTH = 600,
    CS_SWEEP_CHART_HEIGHT = 360,
    CS_TRIAL_CHART_WIDTH = 480,
    CS_TRIAL_CHART_HEIGHT = 320
};
#define CS_SWEEP_FRAME(name)                                                                                           \
    { .title = (name), .width = CS_SWEEP_CHART_WIDTH, .height = CS_SWEEP_CHART_HEIGHT, .untitled = true }
#define CS_TRIAL_FRAME(name)                                                                                           \
    { .title = (name), .width = CS_TRIAL_CHART_WIDTH, .height = CS_TRIAL_CHART_HEIGHT }
/* The same for charts whose height follows from their rows. */
#define CS_SWEEP_ROWS_FRAME(name)                                                                                      \
    { .title = (name), .width = CS_SWEEP_CHART_WIDTH, .untitled = true }
#define CS_TRIAL_ROWS_FRAME(name)                                                                                      \
    { .title = (name), .width = CS_TRIAL_CHART_WIDTH }

/* The swept options and the sweep's metric as importance.h takes them. Only options that vary among the finished trials
 * count, and no inner ones: trials that differ only in those are repeats. */
typedef struct cs_option_table {
    cs_importance_table table; /* its options are those of `at` */
    int *at;                   /* [table.n_options] their indices in page->options */
    cs_importance_option *options;
    const char **texts;
    double *values;
} cs_option_table;

typedef struct cs_page_writer {
    const cs_page *page;
    FILE *out;
    int *order; /* [page->n_trials] the trials: finished ones from the best on, then running, failed, waiting ones */
    int n_ok;   /* how many finished; they come first */
    cs_option_table options;
    cs_importance *importances; /* [n_importances] by each method that applies */
    int n_importances;
    char *front;  /* the text of the page up to the sections of single trials */
    char *trials; /* the text of those sections */
    size_t front_size, trials_size;
    int n_sections; /* how many of the first trials of the order have one */
    int n_charts;   /* drawn so far: each has another prefix of ids */
} cs_page_writer;

/* Sections: each prints itself with its heading, or nothing. */
cs_status cs_page_summary(cs_page_writer *writer);
cs_status cs_page_table_section(cs_page_writer *writer);
cs_status cs_page_leaderboard(cs_page_writer *writer);
cs_status cs_page_failures(cs_page_writer *writer);
cs_status cs_page_sharing(cs_page_writer *writer);
cs_status cs_page_augmentations(cs_page_writer *writer);
cs_status cs_page_network(cs_page_writer *writer);
cs_status cs_page_job(cs_page_writer *writer);

/* Prints the sections of as many trials as CS_PAGE_BYTES have room for beside writer->front, but at least of one, and
 * sets writer->n_sections. writer->out is in memory. */
CS_MUST_CHECK cs_status cs_page_print_trials(cs_page_writer *writer);
/* Prints the heading above them. */
void cs_page_begin_trials(const cs_page_writer *writer);

/* Sets what is computed of the page before it is drawn. To be closed also after a failure. */
CS_MUST_CHECK cs_status cs_page_writer_open(const cs_page *page, cs_page_writer *out);
void cs_page_writer_close(cs_page_writer *writer);
void cs_page_begin_section(FILE *out, const char *id, const char *title);
void cs_page_end_section(FILE *out);
/* Prints the drawing into the page, with its caption, and frees it. */
CS_MUST_CHECK cs_status cs_page_print_drawing(cs_page_writer *writer, const char *caption, cs_drawing *drawing);
/* Prints a name within a sentence, such that its direction of writing ends with it. */
void cs_page_name(FILE *out, const char *name);
/* Prints the value of a figure with its decimals; "-" for NaN. */
void cs_page_number(FILE *out, double value, int decimals);
/* Prints the name of a trial, as a link where it has a section. */
void cs_page_trial_link(const cs_page_writer *writer, int trial);
/* The value of the sweep's metric; NaN: the trial has none. */
double cs_page_value(const cs_page *page, const cs_page_trial *trial);
/* The text of a trial's value of an option; "-": it has none. */
const char *cs_page_option_text(const cs_page *page, const cs_page_trial *trial, int option);

/* A kind of chart of the sweep; there may be several of it, such as a heat map for each two options. */
typedef struct cs_sweep_chart {
    const char *id, *title;
    const char *note; /* a sentence below the heading */
    int (*count)(const cs_page_writer *writer);
    /* Writes what chart i is of, such as "loss" or "lr and augment". */
    void (*name)(const cs_page_writer *writer, int i, char *out, size_t size);
    cs_status (*draw)(const cs_page_writer *writer, int i, cs_drawing **out);
    cs_status (*csv)(const cs_page_writer *writer, int i, FILE *out); /* with a header */
} cs_sweep_chart;
const cs_sweep_chart *cs_sweep_charts(int *n);
/* Prints the section of a kind of chart: a heading, the note, and the charts, of which a script shows one at a time. */
CS_MUST_CHECK cs_status cs_page_chart_section(cs_page_writer *writer, const cs_sweep_chart *chart);

/* A chart of one trial. `details` (NULL: there are none) are those of test, or of val where test was not evaluated. */
typedef struct cs_trial_chart {
    const char *id; /* also the name of the folder of its files */
    bool (*wanted)(const cs_page *page, const cs_page_trial *trial, const cs_trial_details *details);
    cs_status (*draw)(const cs_page *page, const cs_page_trial *trial, const cs_trial_details *details,
                      cs_drawing **out);
    void (*csv)(const cs_page *page, const cs_page_trial *trial, const cs_trial_details *details, FILE *out);
} cs_trial_chart;
const cs_trial_chart *cs_trial_charts(int *n);
/* Reads the details of a trial that its charts are about; the caller frees them. NULL: it has none, or, with a warning,
 * the file is damaged: after a crash of the machine that of a short trial may be cut. */
cs_trial_details *cs_page_read_details(const cs_page_trial *trial);

/* Prints images of the details, the most confident right and wrong ones and the least sure ones. */
CS_MUST_CHECK cs_status cs_page_images(cs_page_writer *writer, int trial, const cs_trial_details *details);

/* page.css and page.js, as texts. */
extern const char cs_page_css[], cs_page_script[];

#endif
