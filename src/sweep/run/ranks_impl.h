/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: waiting for MPI without burning the core that another rank trains on. */
#ifndef CNNSWEEP_RANKS_IMPL_H
#define CNNSWEEP_RANKS_IMPL_H

#include "cnnsweep/sweep.h"

#include <mpi.h>

/* One look at the mailbox and the next: 200 us make an answer in about 1 ms at no cost. */
void cs_ranks_nap(void);
/* Waits for the request, napping; CS_ERR_COMM after `seconds` (0: for ever). */
CS_MUST_CHECK cs_status cs_ranks_wait(MPI_Request *request, double seconds, const char *what);
/* Cores that this rank may run on, and those of all ranks of its node together. */
int cs_ranks_own_cores(const cs_ranks *ranks);
int cs_ranks_node_cores(const cs_ranks *ranks);
/* Cores that the mpirun, or its daemon on this node, that started this process may itself run on, and so could give: a
 * taskset around it, a cgroup and Slurm bind it too. 0: there is none, or it is not Open MPI's. */
int cs_launcher_cores(void);
/* Of the node's cores, those that other programs used when threads were settled on; 0 where there was no need to look.
 */
int cs_ranks_busy_cores(const cs_ranks *ranks);
/* Threads of a rank that the job (`wanted` > 0) or else OMP_NUM_THREADS asks for; 0: neither does. */
int cs_asked_threads(int wanted);
/* all [ranks] of `size` bytes each, on rank 0 (elsewhere it may be NULL). A collective call. */
CS_MUST_CHECK cs_status cs_ranks_gather(cs_ranks *ranks, const void *mine, size_t size, void *all);

#endif
