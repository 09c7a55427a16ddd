/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/graph.h"
#include "cnnsweep/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define KEY "train.lr_mult"

typedef struct entry {
    char name[CS_NAME_MAX];
    double factor;
} entry;

static bool is_on(const char *text) {
    return text[0] && strcmp(text, "none") != 0;
}

static bool is_decay(const entry *read) {
    return strcmp(read->name, "decay") == 0;
}

static cs_status read_entry(const char *text, int i, entry *out) {
    const double most = 1e6;
    bool good = cs_entry_read(text, i, out->name, sizeof out->name, &out->factor) && out->name[0];
    if (!good || !(out->factor >= 0 && out->factor <= most))
        return cs_hint(cs_fail(CS_ERR_ARG, KEY " is '%s'", text),
                       "it takes none, or a map such as {head: 1, blocks: 0.1}; a factor is 0 to 1e6");
    if (is_decay(out) && !(out->factor > 0 && out->factor <= 1))
        return cs_hint(cs_fail(CS_ERR_ARG, KEY ": decay is %g", out->factor),
                       "it is above 0 and up to 1: the factor from each block to the one before it");
    return CS_OK;
}

cs_status cs_lr_factors_check(const char *text) {
    entry read;
    for (int i = 0; is_on(text) && i < cs_entry_count(text); i++)
        CS_TRY(read_entry(text, i, &read));
    return CS_OK;
}

/* Does `name` name this layer, alone or with others? `exact`: it is the name of a layer. */
static bool names_layer(const cs_graph *graph, const char *name, bool exact, int layer) {
    const cs_layer *l = &graph->layers[layer];
    size_t length = strlen(name);
    char *end;
    long block = strtol(name, &end, 10);
    if (exact)
        return strcmp(l->name, name) == 0;
    if (strcmp(name, "head") == 0)
        return layer >= graph->head;
    if (strcmp(name, "blocks") == 0)
        return layer < graph->head;
    if (end != name && !*end)
        return block > 0 && l->block == block && layer < graph->head;
    return strncmp(l->name, name, length) == 0 && (l->name[length] == '.' || l->name[length] == '_');
}

static bool is_layer(const cs_graph *graph, const char *name) {
    for (int i = 0; i < graph->n_layers; i++)
        if (strcmp(graph->layers[i].name, name) == 0)
            return true;
    return false;
}

static cs_status fail_unknown(const cs_graph *graph, const char *name) {
    static const char *const words[] = {"head", "blocks", "decay"};
    cs_suggestion suggestion = cs_suggestion_begin(name);
    char guess[128];
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        cs_suggestion_try(&suggestion, words[i]);
    for (int i = 0; i < graph->n_layers; i++)
        cs_suggestion_try(&suggestion, graph->layers[i].name);
    return cs_hint(cs_fail(CS_ERR_NOT_FOUND, KEY ": %s has no layers '%s'%s", graph->arch, name,
                           cs_suggestion_text(&suggestion, guess, sizeof guess)),
                   "it takes head, blocks, decay, a block from 1 to %d, a layer's name, or the beginning of the names "
                   "of a block's layers",
                   graph->n_blocks);
}

static double decayed(const cs_graph *graph, int layer, double decay) {
    return layer >= graph->head ? 1 : pow(decay, graph->n_blocks + 1 - graph->layers[layer].block);
}

static cs_status apply(cs_graph *graph, const entry *read) {
    bool exact = is_layer(graph, read->name), found = is_decay(read);
    for (int i = 0; i < graph->n_layers; i++) {
        if (is_decay(read)) {
            graph->layers[i].lr_factor = decayed(graph, i, read->factor);
        } else if (names_layer(graph, read->name, exact, i)) {
            graph->layers[i].lr_factor = read->factor;
            found = true;
        }
    }
    return found ? CS_OK : fail_unknown(graph, read->name);
}

cs_status cs_graph_set_lr_factors(cs_graph *graph, const char *text) {
    entry read;
    for (int i = 0; i < graph->n_layers; i++)
        graph->layers[i].lr_factor = 1;
    for (int i = 0; is_on(text) && i < cs_entry_count(text); i++) {
        CS_TRY(read_entry(text, i, &read));
        CS_TRY(apply(graph, &read));
    }
    return CS_OK;
}
