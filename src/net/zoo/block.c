#include "block.h"

#include <stdio.h>

const char *cs_block_name(cs_block *block, const char *part) {
    snprintf(block->layer, sizeof block->layer, "%s_%s", block->prefix, part);
    return block->layer;
}
