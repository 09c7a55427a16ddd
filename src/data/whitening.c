/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/whitening.h"
#include "cnnsweep/lapack.h"
#include "cnnsweep/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A matrix here is one of C, line by line, so that LAPACK sees its transpose. Of symmetric ones LAPACK's lower triangle
 * is used, which is the upper one here. */
struct cs_whitening {
    int images, size;
    int added;
    int side;      /* of the gram matrix: the lesser of images and size */
    double *gram;  /* [side,side] X X^T or X^T X, then its eigenvectors, one a line */
    double *rows;  /* [images,size] X, for fewer images than values; else NULL */
    double *basis; /* [side,size] the columns of U, scaled, one a line; it may be `gram` */
    double *own_basis;
    double *values;
    double *matrix; /* [size,size] its upper triangle */
};

cs_status cs_whitening_check(int h, int w) {
    const double size = (double)h * w * 3, gb = 1e9, matrices = 3;
    if (size <= CS_WHITENING_MOST)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_UNSUPPORTED,
                           "zca_whitening of images of %d x %d pixels: %.0f GB to compute the matrix, and %.0f GB "
                           "to keep it",
                           h, w, matrices * size * size * sizeof(double) / gb, size * size * sizeof(float) / gb),
                   "it is offered up to %d values, as of 64 x 64 pixels: use a smaller data.image", CS_WHITENING_MOST);
}

cs_status cs_whitening_open(int64_t images, size_t size, cs_whitening **out) {
    cs_whitening *w = NULL;
    cs_status status;
    if (images < 1 || images > INT32_MAX || size < 1 || size > CS_WHITENING_MOST)
        return cs_fail(CS_ERR_ARG, "whitening of %lld images of %zu values", (long long)images, size);
    CS_TRY(cs_alloc(1, sizeof *w, "whitening", &w));
    w->images = (int)images;
    w->size = (int)size;
    w->side = w->images < w->size ? w->images : w->size;
    cs_lapack_use_one_thread();
    CS_TRY_GOTO(cs_alloc((size_t)w->side, (size_t)w->side * sizeof(double), "whitening", &w->gram), failed);
    CS_TRY_GOTO(cs_alloc((size_t)w->side, sizeof(double), "whitening", &w->values), failed);
    if (w->images < w->size)
        CS_TRY_GOTO(cs_alloc((size_t)images, size * sizeof(double), "whitening", &w->rows), failed);
    *out = w;
    return CS_OK;
failed:
    cs_whitening_close(w);
    return status;
}

void cs_whitening_close(cs_whitening *whitening) {
    if (!whitening)
        return;
    free(whitening->gram);
    free(whitening->rows);
    free(whitening->own_basis);
    free(whitening->values);
    free(whitening->matrix);
    free(whitening);
}

/* Adds alpha * rows^T rows to `to` [size,size]. */
static void add_squares(double alpha, const double *rows, int n, int size, double *to) {
    const double one = 1;
    dsyrk_("L", "N", &size, &n, &alpha, rows, &size, &one, to, &size, 1, 1);
}

void cs_whitening_add(cs_whitening *whitening, const double *rows, int n) {
    if (whitening->rows)
        memcpy(whitening->rows + (size_t)whitening->added * (size_t)whitening->size, rows,
               (size_t)n * (size_t)whitening->size * sizeof *rows);
    else
        add_squares(1, rows, n, whitening->size, whitening->gram);
    whitening->added += n;
}

static cs_status solve(cs_whitening *whitening) {
    const int n = whitening->side, ask = -1;
    int info = 0, integers = 0;
    double doubles = 0, *work = NULL;
    int *iwork = NULL;
    cs_status status;
    dsyevd_("V", "L", &n, whitening->gram, &n, whitening->values, &doubles, &ask, &integers, &ask, &info, 1, 1);
    const int lwork = (int)doubles, liwork = integers;
    CS_TRY_GOTO(cs_alloc((size_t)lwork, sizeof *work, "whitening", &work), done);
    CS_TRY_GOTO(cs_alloc((size_t)liwork, sizeof *iwork, "whitening", &iwork), done);
    dsyevd_("V", "L", &n, whitening->gram, &n, whitening->values, work, &lwork, iwork, &liwork, &info, 1, 1);
    if (info != 0)
        status = cs_fail(CS_ERR_FORMAT, "zca_whitening: LAPACK's dsyevd fails on a matrix of %d x %d (%d)", n, n, info);
done:
    free(work);
    free(iwork);
    return status;
}

/* Multiplies line i of `lines` by factor. */
static void scale_line(double *lines, int i, int size, double factor) {
    for (size_t j = 0; j < (size_t)size; j++)
        lines[(size_t)i * (size_t)size + j] *= factor;
}

/* Sets `basis` to the columns of U. For fewer images than values they are X^T v / s of each eigenvector v. */
static cs_status find_basis(cs_whitening *w) {
    const double one = 1, zero = 0;
    w->basis = w->gram;
    if (!w->rows)
        return CS_OK;
    CS_TRY(cs_alloc((size_t)w->side, (size_t)w->size * sizeof(double), "whitening", &w->own_basis));
    dgemm_("N", "N", &w->size, &w->side, &w->side, &one, w->rows, &w->size, w->gram, &w->side, &zero, w->own_basis,
           &w->size, 1, 1);
    w->basis = w->own_basis;
    for (int i = 0; i < w->side; i++)
        scale_line(w->basis, i, w->size, w->values[i] > 0 ? 1 / sqrt(w->values[i]) : 0);
    return CS_OK;
}

/* W is `rest` times the identity plus the sum of (factor - rest) u u^T over the columns u of U. */
cs_status cs_whitening_finish(cs_whitening *w, bool is_of_keras_2_8, double epsilon) {
    const double rest = is_of_keras_2_8 ? 1 / sqrt(epsilon) : 0;
    if (w->added != w->images)
        return cs_fail(CS_ERR_ARG, "whitening of %d images: %d were added", w->images, w->added);
    if (w->rows)
        dsyrk_("L", "T", &w->images, &w->size, &(double){1}, w->rows, &w->size, &(double){0}, w->gram, &w->images, 1,
               1);
    CS_TRY(solve(w));
    CS_TRY(find_basis(w));
    CS_TRY(cs_alloc((size_t)w->size, (size_t)w->size * sizeof(double), "whitening", &w->matrix));
    for (int i = 0; i < w->size; i++)
        w->matrix[(size_t)i * (size_t)w->size + (size_t)i] = rest;
    for (int i = 0; i < w->side; i++) {
        const double value = w->values[i] > 0 ? w->values[i] : 0;
        const double factor =
            is_of_keras_2_8 ? 1 / sqrt(value / w->images + epsilon) : sqrt((double)w->images) / (sqrt(value) + epsilon);
        scale_line(w->basis, i, w->size, sqrt(fabs(factor - rest)));
    }
    add_squares(is_of_keras_2_8 ? -1 : 1, w->basis, w->side, w->size, w->matrix);
    return CS_OK;
}

void cs_whitening_row(const cs_whitening *whitening, size_t i, float *row) {
    const size_t size = (size_t)whitening->size;
    for (size_t j = 0; j < size; j++)
        row[j] = (float)whitening->matrix[i < j ? i * size + j : j * size + i];
}
