/* SPDX-License-Identifier: Apache-2.0 */
#include "json_text.h"
#include "cnnsweep/train.h"

#include <jansson.h>
#include <stdio.h>

json_t *cs_json_text(const char *value) {
    json_t *text = json_string(value);
    if (text)
        return text;
    char plain[CS_VALUE_MAX * 2];
    snprintf(plain, sizeof plain, "%s", value);
    for (char *at = plain; *at; at++)
        if ((unsigned char)*at >= 0x80)
            *at = '?';
    return json_string(plain);
}
