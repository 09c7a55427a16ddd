/* SPDX-License-Identifier: Apache-2.0 */
/* Values as text. */
#ifndef CNNSWEEP_TEXT_H
#define CNNSWEEP_TEXT_H

#include <stddef.h>

/* Writes the shortest decimal text that reads back as the same float ("0.1", "1e-05"), at most 15 characters. Both
 * zeros are "0". */
void cs_float_text(float value, char *out, size_t size);
/* The same for a double, at most 24 characters. */
void cs_double_text(double value, char *out, size_t size);

#endif
