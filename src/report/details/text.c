/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/text.h"
#include "cnnsweep/memory.h"
#include "details_impl.h"

#include <string.h>

cs_status cs_details_text(const char *text, char **out) {
    const size_t size = 4 * strlen(text) + 1; /* a byte may become "\x0a" */
    CS_TRY(cs_alloc(size, 1, "text", out));
    cs_text_printable(text, *out, size);
    return CS_OK;
}
