/* SPDX-License-Identifier: Apache-2.0 */
#include "block.h"

#include <stdio.h>
#include <string.h>

const char *cs_block_name(cs_block *block, const char *part) {
    snprintf(block->layer, sizeof block->layer, "%s_%s", block->prefix, part);
    return block->layer;
}

/* Is the name `base` or `base`_NUMBER? */
static bool is_automatic(const char *name, const char *base) {
    size_t length = strlen(base);
    if (strncmp(name, base, length) != 0)
        return false;
    const char *rest = name + length;
    return !*rest || (rest[0] == '_' && rest[1] && rest[1 + strspn(rest + 1, "0123456789")] == '\0');
}

const char *cs_automatic_name(const cs_graph *graph, const char *base, char name[CS_NAME_MAX]) {
    int count = 0;
    for (int i = 0; i < graph->n_layers; i++)
        count += is_automatic(graph->layers[i].name, base);
    snprintf(name, CS_NAME_MAX, count ? "%s_%d" : "%s", base, count);
    return name;
}
