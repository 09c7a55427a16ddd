/* SPDX-License-Identifier: Apache-2.0 */
/* Values as text. */
#ifndef CNNSWEEP_TEXT_H
#define CNNSWEEP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes the shortest decimal text that reads back as the same float ("0.1", "1e-05"), at most 15 characters. Both
 * zeros are "0". */
void cs_float_text(float value, char *out, size_t size);
/* The same for a double, at most 24 characters. */
void cs_double_text(double value, char *out, size_t size);
/* Writes seconds, which must be finite, as hours, minutes and seconds: "1:02:03". */
void cs_clock_text(double seconds, char *out, size_t size);

/* The number of bytes of the character of UTF-8 that the text begins with, and its code point; 0 at the end of the
 * text, and where it begins with none. */
int cs_utf8_read(const char *text, uint32_t *code);

/* Whether a character may be in a text of XML and HTML: all but control characters other than tab and line feed, and
 * Unicode's noncharacters. */
bool cs_utf8_is_text(uint32_t code);

/* Copies a text with each control character, and each byte that is not part of UTF-8 text, as "\\x0a": such a text can
 * be shown in a line and stored as UTF-8. A text without them stays as it is. Too long a text is cut. */
void cs_text_printable(const char *text, char *out, size_t size);
/* Is the whole text UTF-8? It may have control characters. */
bool cs_text_is_utf8(const char *text);

/* A list of entries is a text such as "melanoma:5,2:0.5", as a map in a job file is read, or "1,5,0.5", without names.
 * A name may have colons in it, but no commas. */
int cs_entry_count(const char *text);
/* Reads the i-th entry, whose name is "" if it has none. False if it is not of that form, or its name is longer than
 * `size` allows. */
bool cs_entry_read(const char *text, int i, char *name, size_t size, double *value);

#endif
