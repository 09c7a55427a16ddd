/* SPDX-License-Identifier: Apache-2.0 */
/* What the scalars of a YAML file mean, as PyYAML's safe_load (YAML 1.1) reads them. */
#ifndef CNNSWEEP_SCALAR_H
#define CNNSWEEP_SCALAR_H

#include "cnnsweep/status.h"

#include <stdbool.h>
#include <stddef.h>

/* Is this null: empty, ~, null, Null or NULL? A text in quotes never is; that is for the caller to know. */
bool cs_scalar_is_null(const char *text);

/* Parses true, yes and on, false, no and off, in lower case, in capitals, or with a capital first. */
CS_MUST_CHECK cs_status cs_parse_bool(const char *text, bool *out);

/* Parses a finite number: decimal, hexadecimal (0x10) or binary (0b10), with a sign and with underscores between its
 * digits (1_000). An exponent needs neither a point nor a sign (1e-4, 1e1), which YAML 1.2 and all who write job files
 * agree on. A whole number that begins with a further 0 is refused: 010 is 8 in YAML 1.1 and 10 in YAML 1.2. */
CS_MUST_CHECK cs_status cs_parse_float(const char *text, double *out);
/* Parses a number that is whole, however it is written: 10, 10.0, 1e1, 0xa. Up to 2^53 if it has a point or an
 * exponent. */
CS_MUST_CHECK cs_status cs_parse_whole(const char *text, long long *out);
/* Is the number written as a whole one: without a point and an exponent? Python's int and float differ in this. */
bool cs_scalar_is_int(const char *text);

/* Writes what to write instead of a text that is nearly a number: 010, or the fraction 1/255. "": nothing is known. The
 * text lives in `buffer` and is returned. */
const char *cs_number_hint(const char *text, char *buffer, size_t size);

#endif
