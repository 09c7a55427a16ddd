/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: texts for the journal. */
#ifndef CNNSWEEP_JSON_TEXT_H
#define CNNSWEEP_JSON_TEXT_H

/* JSON is UTF-8, paths and reasons need not be: other bytes become '?'. NULL: no memory. */
struct json_t *cs_json_text(const char *value);

#endif
