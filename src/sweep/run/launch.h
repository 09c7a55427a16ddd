/* Inside the sweep room: what the launcher gave, told once, and whether it fits.
 *
 * To add a remark on it: a field in cs_seat, a function and a row of `remarks` in seats.c. */
#ifndef CNNSWEEP_LAUNCH_H
#define CNNSWEEP_LAUNCH_H

#include "cnnsweep/engine.h"
#include "cnnsweep/sweep.h"

#include <stdio.h>

/* A rank, where it sits. */
typedef struct cs_seat {
    char node[64];
    int threads;           /* that it computes with */
    int cores, node_cores; /* that it may run on; that all ranks of its node may run on */
    bool threads_asked;    /* by the job or OMP_NUM_THREADS; else the program chose */
    int busy_cores;        /* of the node's, that other programs used when threads were chosen */
    int launcher_cores;    /* that mpirun itself may run on, there; 0: another launcher, or none */
    int slurm_cpus;        /* a task's, by Slurm; 0: not told */
    int slurm_gpus;        /* the node's, by Slurm */
    cs_engine_place place;
} cs_seat;

/* To `out` where ranks sit, "ranks    n1: 0-3, n2: 4-7", and what engines tell of their place, to `warnings` what does
 * not fit. What holds for several ranks is one line, and of nodes that follow one another and look alike the first and
 * the last are named: "n1: 0-3 ... n9: 32-35 (9 nodes alike)". */
CS_MUST_CHECK cs_status cs_seats_print(const cs_seat *seats, int n, FILE *out, FILE *warnings);

/* The same to the log of rank 0; `wanted` threads are the job's, 0: auto. A collective call. */
CS_MUST_CHECK cs_status cs_launch_tell(cs_ranks *ranks, int wanted, const cs_engine *engine);
/* Do all nodes see the folder in which rank 0 writes? Creates it. A collective call, and its failure is everybody's. */
CS_MUST_CHECK cs_status cs_launch_check_folder(cs_ranks *ranks, const char *folder);

#endif
