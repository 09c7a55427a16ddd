/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks that are threads of one process; each has a cs_comm that works in memory. Only sum_wait computes the sums that
 * were started, so that a test fails when a rank reads a sum before. */
#ifndef CNNSWEEP_TESTS_RANKS_H
#define CNNSWEEP_TESTS_RANKS_H

#include "cnnsweep/comm.h"

enum { RANKS_MAX = 16 };

/* Runs `body` for each rank in a thread of its own and waits for all. A failing assert in it ends the program. */
typedef void ranks_body(const cs_comm *comm, void *context);
void ranks_run(int size, ranks_body *body, void *context);

/* The cs_comm of this thread inside a body; elsewhere NULL. */
const cs_comm *ranks_comm(void);

/* The rows [first, first + rows) that this rank takes of a batch of `n` rows. */
void ranks_rows(int n, const cs_comm *comm, int *first, int *rows);

#endif
