/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks that are threads of one process: a cs_comm each, over memory. What is started is summed by sum_wait, so that
 * nobody gets away with reading it before. */
#ifndef CNNSWEEP_TESTS_RANKS_H
#define CNNSWEEP_TESTS_RANKS_H

#include "cnnsweep/comm.h"

enum { RANKS_MAX = 16 };

/* Runs `body` once a rank, each in a thread of its own, and waits for all. An assert that fails there ends the program.
 */
typedef void ranks_body(const cs_comm *comm, void *context);
void ranks_run(int size, ranks_body *body, void *context);

/* This thread's, in a body; else NULL. */
const cs_comm *ranks_comm(void);

/* Rank i of n takes the rows [first, first + rows) of a batch of `n`. */
void ranks_rows(int n, const cs_comm *comm, int *first, int *rows);

#endif
