/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: makes JSON strings for the journal. */
#ifndef CNNSWEEP_JSON_TEXT_H
#define CNNSWEEP_JSON_TEXT_H

/* JSON is UTF-8, but paths and reasons need not be: a text that is not valid UTF-8 gets '?' for each byte above 127.
 * NULL: no memory. */
struct json_t *cs_json_text(const char *value);

#endif
