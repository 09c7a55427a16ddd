/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of JSON (https://jsonlines.org), each an object, as rows of a table: the names of the first object are the
 * columns. */
#ifndef CNNSWEEP_PACK_JSON_LINES_H
#define CNNSWEEP_PACK_JSON_LINES_H

#include "table_row.h"

#include <stdbool.h>

/* Whether the path has the ending of such a file. */
bool pack_is_json_lines(const char *path);
/* Adds the names of the object in the line. A line that is no object is CS_ERR_FORMAT naming the place in the line. */
CS_MUST_CHECK cs_status pack_json_names(const char *line, size_t size, pack_row *out);
/* Adds what the object has under each name: a text as it is, anything else as JSON writes it; "" for null and for
 * nothing. */
CS_MUST_CHECK cs_status pack_json_values(const char *line, size_t size, const pack_row *names, pack_row *out);

#endif
