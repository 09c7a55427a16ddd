/* SPDX-License-Identifier: Apache-2.0 */
/* Compares whole networks with numbers of their framework in golden/keras_forward.txt and torch_forward.txt. The
 * weights and images are those of golden/formulas.py. */
#ifndef CS_TESTS_GOLDEN_FORWARD_H
#define CS_TESTS_GOLDEN_FORWARD_H

#include "cnnsweep/zoo.h"

/* Sets every parameter by the formulas. */
void golden_fill_params(cs_params *params, double gain);
/* Images for `rows` rows, preprocessed [rows,H,W,3]; the caller frees them. */
float *golden_images(const cs_graph *graph, int rows);

/* Values in [-1, 1) that depend on the hash of a name and on an index. */
uint32_t golden_key(const char *name);
double golden_uniform(uint32_t key, size_t index);

/* Checks every line of tests/net/golden/<file>: values, sum and norm agree within 1e-4. */
void golden_check_forward(const char *file, cs_dialect dialect, const char *device);

#endif
