/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: how far the sweep of a results folder is, from its journal and its progress.json. Only files
 * are read, so that it can be done on another node. */
#ifndef CNNSWEEP_SWEEP_STATUS_H
#define CNNSWEEP_SWEEP_STATUS_H

#include "journal.h"
#include "progress_file.h"

#include <stdio.h>

typedef struct cs_sweep_counts {
    int trials, done, failed, in_progress;
    size_t epochs;
    int best; /* the number of the best trial, or -1 */
    double best_value;
} cs_sweep_counts;

typedef struct cs_sweep_state {
    char folder[CS_PATH_MAX];
    cs_journal *journal;       /* NULL: not read yet */
    cs_progress_file progress; /* n is 0 unless the sweep is running */
    bool running;
    cs_sweep_counts counts;
} cs_sweep_state;

/* Reads the folder, or what was added since it was last read. CS_ERR_NOT_FOUND: there is no sweep. A sweep is running
 * if its folder is locked. Locks may not be seen from another node; there, one whose progress.json is less than a
 * minute old is running too. */
CS_MUST_CHECK cs_status cs_sweep_state_read(cs_sweep_state *state);
void cs_sweep_state_close(cs_sweep_state *state);
void cs_sweep_state_print(const cs_sweep_state *state, FILE *out);
/* Prints one line for the states [n] together. */
void cs_sweep_states_print_sum(const cs_sweep_state *states, int n, FILE *out);

#endif
