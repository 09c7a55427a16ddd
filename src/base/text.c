/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int cs_entry_count(const char *text) {
    int n = 1;
    for (; *text; text++)
        n += *text == ',';
    return n;
}

bool cs_entry_read(const char *text, int i, char *name, size_t size, double *value) {
    const char *begin = text;
    char *end;
    for (; i > 0; i--)
        begin = strchr(begin, ',') + 1;
    const char *stop = begin + strcspn(begin, ","), *number = stop;
    while (number > begin && number[-1] != ':')
        number--;
    size_t length = number > begin ? (size_t)(number - begin) - 1 : 0;
    if (length >= size || (number > begin && length == 0))
        return false;
    memcpy(name, begin, length);
    name[length] = '\0';
    *value = strtod(number, &end);
    return end == stop && number < stop;
}
