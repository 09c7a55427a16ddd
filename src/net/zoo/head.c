#include "head.h"

#include "block.h"
#include "families.h"

#include <stdlib.h>
#include <string.h>

enum { ITEM_MAX = 64, UNITS_MAX = 65536 };

/* One element of the list, taken apart. */
typedef struct head_item {
    char kind[ITEM_MAX];
    const char *options; /* behind the first ':', "" when there are none */
    bool last;
    const cs_model_config *config;
} head_item;

/* "dense:50:relu" */
static cs_status fail_item(const head_item *item, const char *hint) {
    return cs_hint(cs_fail(CS_ERR_ARG, "head: '%s%s%s' cannot be %s layer", item->kind, item->options[0] ? ":" : "",
                           item->options, item->last ? "the last" : "an inner"),
                   "%s", hint);
}

static cs_status add_gap(cs_graph *graph, const head_item *item, const char *name, int *x) {
    if (item->options[0])
        return fail_item(item, "gap takes no options");
    return cs_graph_global_average_pool(graph, name, *x, false, x);
}

static cs_status add_flatten(cs_graph *graph, const head_item *item, const char *name, int *x) {
    if (item->options[0])
        return fail_item(item, "flatten takes no options");
    return cs_graph_flatten(graph, name, *x, x);
}

static cs_status add_dropout(cs_graph *graph, const head_item *item, const char *name, int *x) {
    char *rest = NULL;
    float rate = item->options[0] ? strtof(item->options, &rest) : item->config->dropout;
    if (rest && *rest)
        return fail_item(item, "write dropout, with the rate in model.dropout, or dropout:RATE (YAML: {dropout: 0.5})");
    return cs_graph_dropout(graph, name, *x, rate, false, x);
}

/* UNITS and what follows it, an activation or nothing. */
static bool parse_dense(const char *options, long *units, cs_activation *activation) {
    char *rest;
    *units = strtol(options, &rest, 10);
    *activation = CS_ACT_LINEAR;
    if (*units < 1 || *units > UNITS_MAX)
        return false;
    for (cs_activation a = CS_ACT_RELU; *rest == ':' && a < CS_ACT_SOFTMAX; a++)
        if (strcmp(rest + 1, cs_activation_name(a)) == 0) {
            *activation = a;
            return true;
        }
    return *rest == '\0';
}

static cs_status add_dense(cs_graph *graph, const head_item *item, const char *name, int *x) {
    long units = item->config->classes;
    cs_activation activation = CS_ACT_SOFTMAX;
    if ((!item->last || item->options[0]) && (item->last || !parse_dense(item->options, &units, &activation)))
        return fail_item(item, "write dense:UNITS or dense:UNITS:relu (YAML: {dense: 400, activation: relu}), and a "
                               "plain dense at the end, which gets the number of classes");
    return cs_graph_dense(graph, name, *x, (int)units, activation, x);
}

static const struct {
    const char *kind;
    const char *layer; /* Keras' automatic name */
    cs_status (*add)(cs_graph *graph, const head_item *item, const char *name, int *x);
} kinds[] = {
    {"gap", "global_average_pooling2d", add_gap},
    {"flatten", "flatten", add_flatten},
    {"dropout", "dropout", add_dropout},
    {"dense", "dense", add_dense},
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

static cs_status add_item(cs_graph *graph, const head_item *item, int *x) {
    const char *names[N_KINDS];
    for (int i = 0; i < N_KINDS; i++) {
        names[i] = kinds[i].kind;
        if (strcmp(item->kind, kinds[i].kind) != 0)
            continue;
        char name[CS_NAME_MAX];
        return kinds[i].add(graph, item, cs_automatic_name(graph, kinds[i].layer, name), x);
    }
    char suggestion[ITEM_MAX + 32];
    return cs_hint(cs_fail(CS_ERR_ARG, "head: there is no '%s'%s", item->kind,
                           cs_did_you_mean(item->kind, names, N_KINDS, suggestion, sizeof suggestion)),
                   "a head is a list of gap, flatten, dropout and dense, such as gap,dense; or top alone");
}

static cs_status add_list(cs_graph *graph, const cs_model_config *config, const char *head, int *x) {
    const char *at = head;
    for (bool last = false; !last;) {
        at += strspn(at, " ");
        size_t length = strcspn(at, ", ");
        const char *next = at + length + strspn(at + length, " ");
        head_item item = {.options = "", .config = config};
        if (length == 0 || length >= sizeof item.kind || (*next && *next != ','))
            return cs_hint(cs_fail(CS_ERR_ARG, "head: '%s' is no comma-separated list of layers", head),
                           "such as gap,dense");
        memcpy(item.kind, at, length);
        char *colon = strchr(item.kind, ':');
        if (colon) {
            *colon = '\0';
            item.options = colon + 1;
        }
        item.last = last = *next == '\0';
        CS_TRY(add_item(graph, &item, x));
        at = next + 1;
    }
    if (graph->layers[*x].activation != CS_ACT_SOFTMAX)
        return cs_hint(cs_fail(CS_ERR_ARG, "head: '%s' does not end in dense", head), "such as gap,dense");
    return CS_OK;
}

cs_status cs_add_top_avg_pool(cs_graph *graph, int classes, int *x) {
    CS_TRY(cs_graph_global_average_pool(graph, "avg_pool", *x, false, x));
    return cs_graph_dense(graph, "predictions", *x, classes, CS_ACT_SOFTMAX, x);
}

static cs_status add_layers(cs_graph *graph, const cs_model_config *config, const cs_zoo_entry *entry, int top) {
    if (strcmp(config->head, "top") != 0)
        return add_list(graph, config, config->head[0] ? config->head : entry->default_head, &top);
    if (!entry->add_top)
        return cs_hint(cs_fail(CS_ERR_ARG, "head: top, but %s was published without one", entry->name),
                       "its usual head is %s", entry->default_head);
    return entry->add_top(graph, config->classes, &top);
}

cs_status cs_head_add(cs_graph *graph, const cs_model_config *config, const cs_zoo_entry *entry, int top) {
    int first = graph->n_layers;
    CS_TRY(add_layers(graph, config, entry, top));
    for (int i = first; i < graph->n_layers; i++)
        if (graph->layers[i].kind == CS_LAYER_DENSE || graph->layers[i].kind == CS_LAYER_CONV2D)
            graph->layers[i].l2 = config->l2;
    return CS_OK;
}
