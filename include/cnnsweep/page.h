/* SPDX-License-Identifier: Apache-2.0 */
/* report.html: one page about a whole sweep, that needs no other file and no network. It has the sweep's charts and
 * tables and a section for each trial. Whatever it shows is there without scripts; its script sorts, filters and
 * highlights. This room knows no journal: the caller fills cs_page.
 *
 * To add a section: a function and a row in src/report/page/page.c. To add a chart of the sweep: a function and a row
 * in src/report/page/sweep_charts.c; of a trial: in src/report/page/trial_charts.c. A chart is then on the page and
 * among the files that cs_page_write_figures writes. */
#ifndef CNNSWEEP_PAGE_H
#define CNNSWEEP_PAGE_H

#include "cnnsweep/dataset.h"
#include "cnnsweep/image.h"
#include "cnnsweep/trial_details.h"

/* A swept option. */
typedef struct cs_page_option {
    const char *name;          /* "lr" */
    const char *const *values; /* [n] as text, in the order of the job */
    int n;
    const double *depth;  /* [n] of fine_tune: how many layers each value trains; NULL: of other options */
    const double *blocks; /* [n_blocks] how many layers it takes to train from the beginning of each block on */
    int n_blocks;
    bool is_inner; /* the seed of repeats or the fold: trials that differ only in those are repetitions */
} cs_page_option;

/* A figure of a finished trial, a column of trials.csv. */
typedef struct cs_page_figure {
    const char *name;
    int decimals;
    bool maximize; /* larger is better */
} cs_page_figure;

typedef enum cs_page_state {
    CS_PAGE_WAITING,
    CS_PAGE_RUNNING, /* it has epochs, but has not ended */
    CS_PAGE_OK,
    CS_PAGE_FAILED,
    CS_PAGE_STATE_COUNT
} cs_page_state;

typedef struct cs_page_trial {
    const char *name;     /* "t007" */
    const char *describe; /* "lr=0.001 augment=flip" */
    const int *values;    /* [n_options] the index of its value of each option; -1: it has none */
    cs_page_state state;
    const char *reason;    /* why it failed or ended early */
    int rank;              /* that trained it; -1: not known */
    int group;             /* trials with the same number above 0 were trained together */
    double begun, ended;   /* seconds since the sweep began; NaN: not known */
    const double *figures; /* [n_figures] NaN: none */
    const double *epochs;  /* [n_epochs,n_curves] NaN: none */
    int n_epochs;
    const int *phase_ends; /* [n_phases - 1] the number of epochs at which each phase but the last ended */
    int n_phases;
    int best_epoch; /* counted from 0; the tested weights are of this epoch; -1: not known */
    /* The files of its details (trial_details.h), by split; NULL: it has none. */
    const char *details[CS_SPLIT_COUNT];
    const char
        *misclassified; /* address, from the page, of the list of wrongly predicted images; NULL: there is none */
    bool is_fold;       /* its splits are not those of the dataset */
} cs_page_trial;

/* The table of the job: a metric by two options. */
typedef struct cs_page_table {
    const char *value; /* the name of the figure */
    int decimals;
    bool maximize;
    const char *row_option, *column_option;             /* "": none */
    const char *const *row_names, *const *column_names; /* [rows], [columns] */
    int rows, columns;
    const double *mean, *sd; /* [rows,columns] NaN: none; sd is NaN for a single trial */
    const int *failed;       /* [rows,columns] */
} cs_page_table;

/* A line about the sweep, such as the number of ranks. */
typedef struct cs_page_fact {
    const char *name, *value;
} cs_page_fact;

/* What a network looked at in the images of its details: the most confident right ones, the most confident wrong ones
 * and the least sure ones, in this order. */
enum { CS_PAGE_EXPLAINED = 3 * CS_DETAILS_IMAGES };
typedef struct cs_page_explanation {
    char text[256];                     /* a sentence or two on how it was made */
    cs_image images[CS_PAGE_EXPLAINED]; /* [n], to be cleared */
    int n;                              /* 0: there is none */
} cs_page_explanation;

/* What an augmentation makes of some training images. */
typedef struct cs_page_sheet {
    const char *name;
    cs_image image; /* a row for each of them: the image, and what it becomes in the first epochs */
} cs_page_sheet;

typedef struct cs_page {
    const char *title;
    const char *generated; /* when, as text */
    bool is_complete;      /* no trial is waiting or running */
    const cs_page_option *options;
    int n_options;
    const cs_page_figure *figures;
    int n_figures;
    int metric;                /* the index of the sweep's metric in figures; -1: no trial has it */
    bool maximize;             /* is larger better? */
    const char *const *curves; /* [n_curves] the names of the values of an epoch: "loss", "val_accuracy", ... */
    int n_curves;
    int monitor; /* the curve that belongs to the metric of the sweep; -1: none */
    const cs_page_trial *trials;
    int n_trials;
    int n_in_other_parts;       /* trials that folders which are not here train */
    const cs_page_table *table; /* NULL: the sweep has none */
    const cs_page_fact *facts;
    int n_facts;
    const cs_page_sheet *sheets; /* [n_sheets] of the augmentations that the trials differ in */
    int n_sheets;
    const char *network; /* the layers of the best trial's network, as text; NULL: not known */
    const char *job;     /* the text of the job file; NULL: it could not be read */
    const char *job_path;
    const cs_dataset *dataset; /* for the images; NULL: `no_images` says why there are none */
    const char *no_images;
    /* Explains a trial, by its index in `trials`; NULL: none is explained. A failure costs the explanation alone. */
    cs_status (*explain)(void *context, int trial, const cs_trial_details *details, cs_page_explanation *out);
    void *explain_context;
} cs_page;

/* Writes the page atomically. */
CS_MUST_CHECK cs_status cs_page_write(const cs_page *page, const char *path);

/* Writes every chart as SVG, PDF and PNG, and its data as CSV: <folder>/figures/<chart>.svg for the sweep,
 * <folder>/<chart>/<trial>.svg, such as confusion/t003.svg, for each trial. */
const char *cs_page_figure_folder(int i); /* the name of the i-th of these folders; NULL past the last */
CS_MUST_CHECK cs_status cs_page_write_figures(const cs_page *page, const char *folder);

#endif
