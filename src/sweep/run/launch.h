/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: prints once which cores, threads and GPUs each rank has, and warns of those that do not fit
 * together.
 *
 * To add a check: a member of cs_placement if it needs one, then a function and a row of `checks` in placement.c. */
#ifndef CNNSWEEP_LAUNCH_H
#define CNNSWEEP_LAUNCH_H

#include "cnnsweep/engine.h"
#include "cnnsweep/sweep.h"

#include <stdio.h>

/* The node of a rank, and the resources that the rank has on it. */
typedef struct cs_placement {
    char node[64];
    int threads;           /* that it computes with */
    int cores, node_cores; /* that it may run on; that all ranks of its node together may run on */
    bool threads_asked;    /* the job or OMP_NUM_THREADS set the threads; false: the program chose them */
    int busy_cores;        /* cores of the node that other programs used when the threads were chosen */
    int launcher_cores;    /* cores of the node that mpirun itself may run on; 0: another launcher, or none */
    int slurm_cpus;        /* CPUs of a task by Slurm; 0: not given */
    int slurm_gpus;        /* GPUs of the node by Slurm; 0: not given */
    cs_device_info place;
} cs_placement;

/* Prints to `out` on which node each rank runs ("ranks    n1: 0-3, n2: 4-7") and the devices of the engines. Prints to
 * `warnings` what does not fit together. A line that holds for several ranks is printed once. Of a row of equal nodes
 * only the first and the last are named: "n1: 0-3 ... n9: 32-35 (9 nodes alike)". */
CS_MUST_CHECK cs_status cs_placements_print(const cs_placement *placements, int n, FILE *out, FILE *warnings);

/* Gathers the placements of all ranks and prints them to the log of rank 0. `wanted` is the job's number of threads, 0:
 * auto. A collective call. */
CS_MUST_CHECK cs_status cs_launch_print(cs_ranks *ranks, int wanted, const cs_engine *engine);
/* Creates the folder in which rank 0 writes, and checks that all nodes see it. A collective call: a failure on one rank
 * is returned on all. */
CS_MUST_CHECK cs_status cs_launch_check_folder(cs_ranks *ranks, const char *folder);

#endif
