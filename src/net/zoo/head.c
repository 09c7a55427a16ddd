#include "head.h"

#include <stdlib.h>
#include <string.h>

enum { ITEM_MAX = 64, UNITS_MAX = 65536 };

/* One element of the list, taken apart. */
typedef struct head_item {
    char kind[ITEM_MAX];
    const char *options; /* behind the first ':', "" when there are none */
    bool last;
    int classes;
} head_item;

static cs_status add_gap(cs_graph *graph, const head_item *item, const char *name, int *x) {
    (void)item;
    return cs_graph_global_average_pool(graph, name, *x, x);
}

static cs_status add_flatten(cs_graph *graph, const head_item *item, const char *name, int *x) {
    (void)item;
    return cs_graph_flatten(graph, name, *x, x);
}

static cs_status add_dense(cs_graph *graph, const head_item *item, const char *name, int *x) {
    if (item->last && !item->options[0])
        return cs_graph_dense(graph, name, *x, item->classes, CS_ACT_SOFTMAX, x);
    char *rest;
    long units = strtol(item->options, &rest, 10);
    bool relu = strcmp(rest, ":relu") == 0;
    if (item->last || units < 1 || units > UNITS_MAX || (*rest && !relu))
        return cs_hint(cs_fail(CS_ERR_ARG, "head: '%s%s%s' cannot be %s layer", item->kind, item->options[0] ? ":" : "",
                               item->options, item->last ? "the last" : "an inner"),
                       "write dense:UNITS or dense:UNITS:relu (1 to %d), and a plain dense at the end", UNITS_MAX);
    return cs_graph_dense(graph, name, *x, (int)units, relu ? CS_ACT_RELU : CS_ACT_LINEAR, x);
}

static const struct {
    const char *kind;
    const char *layer; /* Keras' automatic name */
    cs_status (*add)(cs_graph *graph, const head_item *item, const char *name, int *x);
} kinds[] = {
    {"gap", "global_average_pooling2d", add_gap},
    {"flatten", "flatten", add_flatten},
    {"dense", "dense", add_dense},
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

static bool is_taken(const cs_graph *graph, const char *name) {
    for (int i = 0; i < graph->n_layers; i++)
        if (strcmp(graph->layers[i].name, name) == 0)
            return true;
    return false;
}

static cs_status add_item(cs_graph *graph, const head_item *item, int *x) {
    const char *names[N_KINDS];
    for (int i = 0; i < N_KINDS; i++) {
        names[i] = kinds[i].kind;
        if (strcmp(item->kind, kinds[i].kind) != 0)
            continue;
        char name[CS_NAME_MAX];
        snprintf(name, sizeof name, "%s", kinds[i].layer);
        for (int suffix = 1; is_taken(graph, name); suffix++)
            snprintf(name, sizeof name, "%s_%d", kinds[i].layer, suffix);
        return kinds[i].add(graph, item, name, x);
    }
    char suggestion[ITEM_MAX + 32];
    return cs_hint(cs_fail(CS_ERR_ARG, "head: there is no '%s'%s", item->kind,
                           cs_did_you_mean(item->kind, names, N_KINDS, suggestion, sizeof suggestion)),
                   "a head is a list of gap, flatten and dense, such as gap,dense");
}

cs_status cs_head_add(cs_graph *graph, const char *head, int classes, int top) {
    const char *at = head;
    for (bool last = false; !last;) {
        at += strspn(at, " ");
        size_t length = strcspn(at, ", ");
        const char *next = at + length + strspn(at + length, " ");
        head_item item = {.options = "", .classes = classes};
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
        CS_TRY(add_item(graph, &item, &top));
        at = next + 1;
    }
    if (graph->layers[top].activation != CS_ACT_SOFTMAX)
        return cs_hint(cs_fail(CS_ERR_ARG, "head: '%s' does not end in dense", head), "such as gap,dense");
    return CS_OK;
}
