/* SPDX-License-Identifier: Apache-2.0 */
/* The ZCA whitening matrix of Keras' ImageDataGenerator. With X [N,D] the N training images, centred by channel, and
 * X^T = U S V its singular value decomposition (keras 3.15, legacy/preprocessing/image.py, fit): W = U diag(sqrt(N) /
 * (S + epsilon)) U^T              of the min(N, D) singular values and until TensorFlow 2.8 (keras-preprocessing 1.1.2)
 *   W = U diag(1 / sqrt(S^2 / N + epsilon)) U^T          of all D, so that S is 0 in directions that no image has
 *
 * It is computed in double precision from the eigenvalues of X^T X or, for fewer images than values, of X X^T. */
#ifndef CNNSWEEP_WHITENING_H
#define CNNSWEEP_WHITENING_H

#include "cnnsweep/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most values of an image: those of 64 x 64 pixels. */
enum { CS_WHITENING_MOST = 64 * 64 * 3 };
/* CS_ERR_UNSUPPORTED for larger images, with the memory that they would take. */
CS_MUST_CHECK cs_status cs_whitening_check(int h, int w);

typedef struct cs_whitening cs_whitening;
/* For `images` images of `size` values. From then on OpenBLAS, if it is the BLAS, computes with one thread in this
 * process, so that the matrix does not depend on the number of cores. */
CS_MUST_CHECK cs_status cs_whitening_open(int64_t images, size_t size, cs_whitening **out);
void cs_whitening_close(cs_whitening *whitening); /* NULL-safe */
/* Adds the next n centred images [n,size]. */
void cs_whitening_add(cs_whitening *whitening, const double *rows, int n);
/* Computes the matrix when all images were added. */
CS_MUST_CHECK cs_status cs_whitening_finish(cs_whitening *whitening, bool is_of_keras_2_8, double epsilon);
/* Copies line i of the matrix, which is symmetric. */
void cs_whitening_row(const cs_whitening *whitening, size_t i, float *row);

/* out [n,size] = x [n,size] times the matrix [size,size]. What a row becomes does not depend on the others. */
void cs_whitening_apply(const float *matrix, size_t size, const float *x, int n, float *out);

#endif
