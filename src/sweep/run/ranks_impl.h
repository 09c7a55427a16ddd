/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: waiting for MPI, and the cores of a rank. A waiting rank sleeps, because another rank may
 * train on its core. */
#ifndef CNNSWEEP_RANKS_IMPL_H
#define CNNSWEEP_RANKS_IMPL_H

#include "cnnsweep/sweep.h"

#include <mpi.h>

/* Sleeps between two tests for a message. With 200 us an answer takes about 1 ms, and the tests cost almost no time. */
void cs_ranks_sleep(void);
/* Waits for the request and sleeps between tests. CS_ERR_COMM after `seconds` (0: never). */
CS_MUST_CHECK cs_status cs_ranks_wait(MPI_Request *request, double seconds, const char *what);
/* The number of cores that this rank may run on, and that all ranks of its node together may run on. */
int cs_ranks_own_cores(const cs_ranks *ranks);
int cs_ranks_node_cores(const cs_ranks *ranks);
/* The number of cores that the launcher of this process (mpirun, or its daemon on this node) may itself run on, and so
 * could give to the ranks. A taskset, a cgroup or Slurm binds the launcher too. 0: there is no launcher, or it is not
 * that of Open MPI. */
int cs_launcher_cores(void);
/* The process of that launcher; 0: there is none. */
int cs_launcher_pid(void);
/* How many cores of the node other programs used when the number of threads was chosen; 0 if that was not measured. */
int cs_ranks_busy_cores(const cs_ranks *ranks);
/* The number of threads that the job (`wanted` > 0) or else OMP_NUM_THREADS sets; 0: neither does. */
int cs_asked_threads(int wanted);
/* Gathers `size` bytes of each rank into all [ranks] on rank 0; on the other ranks `all` may be NULL. A collective
 * call. */
CS_MUST_CHECK cs_status cs_ranks_gather(cs_ranks *ranks, const void *mine, size_t size, void *all);

#endif
