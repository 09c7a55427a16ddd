/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of which the mathematics libraries of two machines may give different last bits. These consist of sums,
 * products and quotients, which IEEE 754 defines to the last bit. */
#include "exact.h"

#include <math.h>

double cs_exact_exp(double x) {
    enum { TERMS = 16 };
    const double log2_high = 0x1.62e42fee00000p-1, log2_low = 0x1.a39ef35793c76p-33, smallest = -700;
    if (x < smallest)
        return 0;
    double power = rint(x / (log2_high + log2_low));
    double rest = (x - power * log2_high) - power * log2_low, sum = 1;
    for (int i = TERMS; i > 0; i--)
        sum = 1 + sum * rest / i;
    return ldexp(sum, (int)power);
}

/* Newton's method, which comes down from 1 until rounding stops it. */
double cs_exact_root(double x, int n) {
    double root = 1, before;
    if (x <= 0)
        return 0;
    do {
        double power = 1;
        before = root;
        for (int i = 1; i < n; i++)
            power *= root;
        root = ((n - 1) * root + x / power) / n;
    } while (root < before);
    return root;
}

uint8_t cs_to_byte(double value) {
    return value <= 0 ? 0 : value >= UINT8_MAX ? UINT8_MAX : (uint8_t)lrint(value);
}

int cs_mirror(int i, int n) {
    if (n == 1)
        return 0;
    while (i < 0 || i >= n)
        i = i < 0 ? -i : 2 * (n - 1) - i;
    return i;
}
