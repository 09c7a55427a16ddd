/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: shows the progress of a sweep on stderr of rank 0. A log file gets a plain line for each epoch
 * and each trial. A terminal gets the same lines above a progress bar of the whole sweep. */
#ifndef CNNSWEEP_DISPLAY_H
#define CNNSWEEP_DISPLAY_H

#include "plan/plan.h"
#include "results/results.h"

typedef struct cs_display {
    const cs_plan *plan;
    bool lines, bar;
    double started;
    double done_seconds; /* the expected seconds of finished epochs and trials */
    int ended, failed;
    int trials;            /* how many trials this part has */
    double *trial_seconds; /* [n_trials] the share of each in done_seconds */
} cs_display;

CS_MUST_CHECK cs_status cs_display_open(cs_display *display, const cs_plan *plan);
void cs_display_close(cs_display *display);
void cs_display_epoch(cs_display *display, int trial, int rank, const cs_epoch_row *row);
void cs_display_finished(cs_display *display, int trial, const cs_trial_result *result);
void cs_display_failed(cs_display *display, int trial, const char *reason);

#endif
