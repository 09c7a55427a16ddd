/* SPDX-License-Identifier: Apache-2.0 */
/* Whole networks against numbers of their framework: golden/keras_forward.txt and torch_forward.txt; weights and image
 * from golden/formulas.py.
 */
#ifndef CS_TESTS_GOLDEN_FORWARD_H
#define CS_TESTS_GOLDEN_FORWARD_H

#include "cnnsweep/zoo.h"

/* Sets every parameter by the formulas. */
void golden_fill_params(cs_params *params, double gain);
/* Images for `rows` rows, preprocessed [rows,H,W,3]; free it. */
float *golden_images(const cs_graph *graph, int rows);

/* Values in [-1, 1), addressed by the hash of a name and an index. */
uint32_t golden_key(const char *name);
double golden_uniform(uint32_t key, size_t index);

/* Every line of tests/net/golden/<file>: values, sum and norm within 1e-4. */
void golden_check_forward(const char *file, cs_dialect dialect, const char *device);

#endif
