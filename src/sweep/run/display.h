/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: shows the progress of a sweep on stderr of rank 0: a line for each epoch and each trial, for
 * each trial, or now and then, as the option `log` says. A terminal, also that of mpirun, gets the same lines above a
 * progress bar of the whole sweep. */
#ifndef CNNSWEEP_DISPLAY_H
#define CNNSWEEP_DISPLAY_H

#include "plan/plan.h"
#include "results/results.h"
#include "running.h"

typedef struct cs_display {
    const cs_plan *plan;
    bool wanted;        /* at this log level */
    cs_log_lines lines; /* never AUTO */
    int columns;        /* of the terminal; 0: there is none, and no bar */
    double started;
    double spoke;        /* cs_now, when it last printed a line */
    double pause;        /* after so many seconds without a line it prints what is being trained */
    double done_seconds; /* the expected seconds of finished epochs and trials */
    int ended, failed;
    int said; /* SUMMARY: how many had ended when it last printed a line */
    int best; /* the trial with the best value of the job's metric; -1: none so far */
    double best_value;
    int trials;            /* how many trials this part has */
    char running[256];     /* what the ranks train, in words */
    double *trial_seconds; /* [n_trials] the share of each in done_seconds */
} cs_display;

CS_MUST_CHECK cs_status cs_display_open(cs_display *display, const cs_plan *plan);
void cs_display_close(cs_display *display);
/* A trial finished in an earlier run. */
void cs_display_known(cs_display *display, int trial, const cs_trial_result *result);
void cs_display_epoch(cs_display *display, int trial, int rank, const cs_epoch_row *row);
void cs_display_finished(cs_display *display, int trial, const cs_trial_result *result);
/* Shows what ranks [n] train: in the bar, or where there is none by a line, if none was printed for a while. Returns
 * the expected seconds until the sweep is done. */
double cs_display_look(cs_display *display, const cs_running *groups, int n);
void cs_display_failed(cs_display *display, int trial, const char *reason);

#endif
