/* SPDX-License-Identifier: Apache-2.0 */
/* The launchers of broken.cu's kernels. */
#ifndef CNNSWEEP_TESTS_BROKEN_H
#define CNNSWEEP_TESTS_BROKEN_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { BROKEN_THREADS = 256 };

void launch_neighbours(bool barrier, float *out);
void launch_never_written(float *out);
void launch_two_sums(float *out);
void launch_half_a_barrier(void);
void launch_two_barriers(void);
void launch_half_a_warp(void);
void launch_no_blocks(void);
void launch_a_high_grid(void);

#ifdef __cplusplus
}
#endif

#endif
