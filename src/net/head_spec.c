/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/head.h"

#include <stdlib.h>
#include <string.h>

enum { ITEM_MAX = 64, UNITS_MAX = 65536 };

/* One element of the list, such as "dense:50:relu". */
typedef struct head_item {
    char kind[ITEM_MAX];
    const char *options; /* the text after the first ':'; "" if there is none */
    bool last;
} head_item;

static cs_status fail_item(const head_item *item, const char *hint) {
    return cs_hint(cs_fail(CS_ERR_ARG, "head: '%s%s%s' cannot be %s layer", item->kind, item->options[0] ? ":" : "",
                           item->options, item->last ? "the last" : "an inner"),
                   "%s", hint);
}

static cs_status parse_gap(const head_item *item, cs_head_layer *layer) {
    (void)layer;
    return item->options[0] ? fail_item(item, "gap takes no options") : CS_OK;
}

static cs_status parse_flatten(const head_item *item, cs_head_layer *layer) {
    (void)layer;
    return item->options[0] ? fail_item(item, "flatten takes no options") : CS_OK;
}

static cs_status parse_dropout(const head_item *item, cs_head_layer *layer) {
    char *rest;
    layer->plain = !item->options[0];
    layer->rate = strtof(item->options, &rest);
    if (*rest)
        return fail_item(item, "write dropout, with the rate in model.dropout, or dropout:RATE (YAML: {dropout: 0.5})");
    return CS_OK;
}

/* Parses UNITS and the activation after it, if any. */
static bool parse_units(const char *options, cs_head_layer *layer) {
    char *rest;
    long units = strtol(options, &rest, 10);
    if (units < 1 || units > UNITS_MAX)
        return false;
    layer->units = (int)units;
    layer->activation = CS_ACT_LINEAR;
    for (cs_activation a = CS_ACT_RELU; *rest == ':' && a < CS_ACT_SOFTMAX; a++) {
        if (strcmp(rest + 1, cs_activation_name(a)) == 0) {
            layer->activation = a;
            return true;
        }
    }
    return *rest == '\0';
}

/* The classifier: a unit for each class, or a binary head. */
static bool parse_last(const char *options, cs_head_layer *layer) {
    layer->plain = !options[0];
    layer->activation = CS_ACT_SOFTMAX;
    if (layer->plain)
        return true;
    const bool binary = parse_units(options, layer) && layer->units == 1 && layer->activation == CS_ACT_SIGMOID;
    layer->activation = CS_ACT_BINARY;
    return binary;
}

static cs_status parse_dense(const head_item *item, cs_head_layer *layer) {
    if (item->last ? parse_last(item->options, layer) : parse_units(item->options, layer))
        return CS_OK;
    return fail_item(item, item->last
                               ? "end in a plain dense, which gets the number of classes, or, for two classes, in "
                                 "dense:1:sigmoid (YAML: {dense: 1, activation: sigmoid})"
                               : "write dense:UNITS or dense:UNITS:relu (YAML: {dense: 400, activation: relu})");
}

static const struct head_row {
    const char *name;
    cs_status (*parse)(const head_item *item, cs_head_layer *layer);
} rows[] = {
    [CS_HEAD_GAP] = {"gap", parse_gap},
    [CS_HEAD_FLATTEN] = {"flatten", parse_flatten},
    [CS_HEAD_DROPOUT] = {"dropout", parse_dropout},
    [CS_HEAD_DENSE] = {"dense", parse_dense},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

static cs_status parse_item(const head_item *item, cs_head_layer *layer) {
    const char *names[N_ROWS];
    for (int i = 0; i < N_ROWS; i++) {
        names[i] = rows[i].name;
        if (strcmp(item->kind, names[i]) == 0) {
            layer->kind = (cs_head_kind)i;
            return rows[i].parse(item, layer);
        }
    }
    char suggestion[ITEM_MAX + 32];
    return cs_hint(cs_fail(CS_ERR_ARG, "head: there is no '%s'%s", item->kind,
                           cs_did_you_mean(item->kind, names, N_ROWS, suggestion, sizeof suggestion)),
                   "a head is a list of gap, flatten, dropout and dense, such as gap,dense; or top alone");
}

static cs_status parse_list(const char *text, cs_head_spec *out) {
    const char *at = text;
    for (bool last = false; !last;) {
        at += strspn(at, " ");
        size_t length = strcspn(at, ", ");
        const char *next = at + length + strspn(at + length, " ");
        head_item item = {.options = ""};
        if (length == 0 || length >= sizeof item.kind || (*next && *next != ',') || out->n == CS_HEAD_MAX)
            return cs_hint(cs_fail(CS_ERR_ARG, "head: '%s' is no comma-separated list of layers", text),
                           "such as gap,dense");
        memcpy(item.kind, at, length);
        char *colon = strchr(item.kind, ':');
        if (colon) {
            *colon = '\0';
            item.options = colon + 1;
        }
        item.last = last = *next == '\0';
        cs_head_layer *layer = &out->layers[out->n++];
        layer->end = (int)(at + length - text);
        CS_TRY(parse_item(&item, layer));
        at = next + 1;
    }
    if (out->layers[out->n - 1].kind != CS_HEAD_DENSE)
        return cs_hint(cs_fail(CS_ERR_ARG, "head: '%s' does not end in dense", text), "such as gap,dense");
    return CS_OK;
}

cs_status cs_head_parse(const char *text, cs_head_spec *out) {
    *out = (cs_head_spec){.top = strcmp(text, "top") == 0};
    return out->top || !text[0] ? CS_OK : parse_list(text, out);
}
