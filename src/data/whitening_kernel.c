/* SPDX-License-Identifier: Apache-2.0 */
/* The product of images and a whitening matrix. It is plain C, so that every machine computes the same values, and it
 * adds up each value in the same order however many images there are. A BLAS does neither. */
#include "cnnsweep/whitening.h"

#include "cnnsweep/vector.h"

#include <string.h>

/* Rows of x that share a line of the matrix while it is in the cache, and columns of which the sums stay there. */
enum { ROWS = 4, COLUMNS = 512 };

/* Adds to `sums` [ROWS,COLUMNS] the product of x [ROWS,size] and `columns` columns of the matrix. */
CS_VECTOR static void add_products(const float *restrict matrix, size_t size, size_t columns, const float *restrict x,
                                   float *restrict sums) {
    for (size_t k = 0; k < size; k++, matrix += size)
        for (size_t r = 0; r < ROWS; r++) {
            const float factor = x[r * size + k];
            for (size_t j = 0; j < columns; j++)
                sums[r * COLUMNS + j] += factor * matrix[j];
        }
}

CS_VECTOR static void add_products_of_one(const float *restrict matrix, size_t size, size_t columns,
                                          const float *restrict x, float *restrict sums) {
    for (size_t k = 0; k < size; k++, matrix += size)
        for (size_t j = 0; j < columns; j++)
            sums[j] += x[k] * matrix[j];
}

void cs_whitening_apply(const float *matrix, size_t size, const float *x, int n, float *out) {
    float sums[ROWS * COLUMNS];
    for (size_t first = 0; first < size; first += COLUMNS) {
        const size_t columns = size - first < COLUMNS ? size - first : COLUMNS;
        for (size_t i = 0; i < (size_t)n;) {
            const size_t rows = (size_t)n - i < ROWS ? 1 : ROWS;
            memset(sums, 0, sizeof sums);
            (rows == 1 ? add_products_of_one : add_products)(matrix + first, size, columns, x + i * size, sums);
            for (size_t r = 0; r < rows; r++, i++)
                memcpy(out + i * size + first, sums + r * COLUMNS, columns * sizeof *sums);
        }
    }
}
