/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of BLAS and LAPACK that are used. Their matrices are stored column by column, so that they see the
 * transpose of a matrix of C. Sizes that are their last arguments are the lengths of texts. */
#ifndef CNNSWEEP_LAPACK_H
#define CNNSWEEP_LAPACK_H

#include <stddef.h>

/* OpenBLAS would use a thread for each core that the process may use, and the last bits of a sum depend on the number
 * of threads. After this call it uses one. A build with OpenMP has the threads of the caller, which are given. */
void cs_lapack_use_one_thread(void);

void dsyrk_(const char *uplo, const char *trans, const int *n, const int *k, const double *alpha, const double *a,
            const int *lda, const double *beta, double *c, const int *ldc, size_t, size_t);
void dgemm_(const char *transa, const char *transb, const int *m, const int *n, const int *k, const double *alpha,
            const double *a, const int *lda, const double *b, const int *ldb, const double *beta, double *c,
            const int *ldc, size_t, size_t);
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w, double *work,
             const int *lwork, int *iwork, const int *liwork, int *info, size_t, size_t);
/* Cholesky's factor of a symmetric matrix. */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info, size_t);
/* Solves with a triangular matrix, for one vector. */
void dtrsv_(const char *uplo, const char *trans, const char *diag, const int *n, const double *a, const int *lda,
            double *x, const int *incx, size_t, size_t, size_t);

#endif
