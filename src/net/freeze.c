#include "cnnsweep/graph.h"

#include <stdlib.h>
#include <string.h>

static bool is_number(const char *text) {
    return text[0] && text[strspn(text, "0123456789")] == '\0';
}

/* First trainable layer that `fine_tune` means. */
static cs_status first_trainable(const cs_graph *graph, const char *fine_tune, int *out) {
    if (strcmp(fine_tune, "all") == 0) {
        *out = 0;
    } else if (strcmp(fine_tune, "head") == 0) {
        if (graph->head == graph->n_layers)
            return cs_hint(cs_fail(CS_ERR_ARG, "fine_tune: head, but %s has no head", graph->arch),
                           "give the number of classes, or fine_tune: all");
        *out = graph->head;
    } else if (is_number(fine_tune)) {
        long count = strtol(fine_tune, NULL, 10);
        if (count == 0)
            return cs_hint(cs_fail(CS_ERR_ARG, "fine_tune: 0 leaves nothing to train"),
                           "use 1 or more, all, head, or the name of the first layer to train");
        *out = count > graph->n_layers ? 0 : graph->n_layers - (int)count;
    } else {
        cs_status status = cs_graph_find(graph, fine_tune, out);
        if (status != CS_OK)
            return cs_context(status, "fine_tune: %s", fine_tune);
    }
    return CS_OK;
}

cs_status cs_graph_freeze(cs_graph *graph, const char *fine_tune) {
    int first = 0;
    CS_TRY(first_trainable(graph, fine_tune, &first));
    for (int i = 0; i < graph->n_layers; i++)
        graph->layers[i].trainable = i >= first;
    return CS_OK;
}

int cs_graph_trunk_end(const cs_graph *graph) {
    int i = 0;
    while (i < graph->n_layers && !(graph->layers[i].trainable && graph->layers[i].n_params > 0))
        i++;
    return i;
}
