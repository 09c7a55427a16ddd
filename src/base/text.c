/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/text.h"

#include <stdio.h>
#include <stdlib.h>

void cs_float_text(float value, char *out, size_t size) {
    enum { ENOUGH = 9 }; /* this many digits distinguish any two floats */
    const float positive = value == 0 ? 0 : value;
    for (int digits = 1; digits <= ENOUGH; digits++) {
        snprintf(out, size, "%.*g", digits, (double)positive);
        if (strtof(out, NULL) == value)
            return;
    }
}

void cs_double_text(double value, char *out, size_t size) {
    enum { ENOUGH = 17 };
    const double positive = value == 0 ? 0 : value;
    for (int digits = 1; digits <= ENOUGH; digits++) {
        snprintf(out, size, "%.*g", digits, positive);
        if (strtod(out, NULL) == value)
            return;
    }
}
