/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: keeps the other threads of rank 0 idle during a fork. Weights are read in a child process
 * (src/weights/isolated.c), which has a copy of the memory, but of the threads only the one that forks. A lock that
 * another thread holds just then stays locked in the child for ever. The C library releases its own, the allocator of
 * AddressSanitizer does not.
 *
 * A thread beside the trainer does its work between begin and end, and sleeps outside of them. A fork waits until all
 * such threads have ended their work, so this work must not fork, nor wait for the trainer. */
#ifndef CNNSWEEP_NO_FORK_H
#define CNNSWEEP_NO_FORK_H

/* Lets forks wait from now on. To be called before such a thread is created; further calls do nothing. */
void cs_no_fork_init(void);
void cs_no_fork_begin(void);
void cs_no_fork_end(void);

#endif
