/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: what is seen while a sweep runs, on stderr of rank 0. A log gets a plain line an epoch and a
 * trial; a terminal gets the same lines above a bar over the whole sweep. */
#ifndef CNNSWEEP_DISPLAY_H
#define CNNSWEEP_DISPLAY_H

#include "plan/plan.h"
#include "results/results.h"

typedef struct cs_display {
    const cs_plan *plan;
    bool lines, bar;
    double started;
    double done_seconds; /* expected ones, of finished epochs and trials */
    int ended, failed;
    int trials;            /* of this part */
    double *trial_seconds; /* [n_trials] what each has put into done_seconds */
} cs_display;

CS_MUST_CHECK cs_status cs_display_open(cs_display *display, const cs_plan *plan);
void cs_display_close(cs_display *display);
void cs_display_epoch(cs_display *display, int trial, int rank, const cs_epoch_row *row);
void cs_display_finished(cs_display *display, int trial, const cs_trial_result *result);
void cs_display_failed(cs_display *display, int trial, const char *reason);

#endif
