/* SPDX-License-Identifier: Apache-2.0 */
/* Text and bytes in HTML and XML (SVG). Whatever bytes a name has, what is printed is well-formed UTF-8: bytes that are
 * no UTF-8, control characters other than tab and line feed, and Unicode's noncharacters are printed as U+FFFD. */
#ifndef CNNSWEEP_HTML_H
#define CNNSWEEP_HTML_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Prints the text of an element. */
void cs_html_text(FILE *out, const char *text);
/* Prints the value of an attribute, without the quotation marks around it, which may be of either kind. */
void cs_html_attribute(FILE *out, const char *text);
/* Prints bytes in base64, as data: URIs have them. */
void cs_html_base64(FILE *out, const uint8_t *bytes, size_t size);

#endif
