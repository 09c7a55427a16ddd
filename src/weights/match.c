/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the parameter that each tensor of a file belongs to.
 *
 * If a person named the layer, the name decides. If Keras made up the name ("conv2d_3"), its number counts over all
 * models of a session and says little; then the layer's position among those of its class decides. A nested model is a
 * container of its own. The container that has most of the base is the base; all others can only belong to the head. */
#include "match.h"

#include "names.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

/* A tensor whose layer is given by a class and a number. */
typedef struct place {
    size_t tensor; /* its index in the file */
    const char *container;
    size_t container_length;
    cs_layer_kind kind;
    int number;
    int rank, distinct; /* rank of the number in its kind and container, and how many different numbers they have */
} place;

typedef struct matcher {
    const char *file;
    const cs_graph *graph;
    const cs_tensor_list *tensors;
    int *params;
    place *places;
    size_t n_places;
} matcher;

/* Before Keras 3 names could contain '/', for which later versions write '_' (DenseNet's "conv1/conv"). */
static bool same_name(const char *a, const char *b) {
    for (; *a && *b; a++, b++)
        if (*a != *b && !(*a == '/' && *b == '_') && !(*a == '_' && *b == '/'))
            return false;
    return *a == *b;
}

static int find_layer(const cs_graph *graph, const char *name) {
    for (int i = 0; i < graph->n_layers; i++)
        if (same_name(graph->layers[i].name, name))
            return i;
    return -1;
}

static bool has_depthwise_kernel(cs_layer_kind kind) {
    return kind == CS_LAYER_DEPTHWISE_CONV2D || kind == CS_LAYER_SEPARABLE_CONV2D;
}

/* The index of the parameter that Keras calls `role` ("kernel:0") in that layer, or -1. Keras 2 calls a depthwise
 * kernel "depthwise_kernel", Keras 3 "kernel". */
static int find_role(const cs_graph *graph, int layer, const char *role) {
    static const char prefix[] = "depthwise_";
    if (layer < 0)
        return -1;
    const cs_layer *l = &graph->layers[layer];
    if (has_depthwise_kernel(l->kind) && strncmp(role, prefix, strlen(prefix)) == 0)
        role += strlen(prefix);
    size_t length = strcspn(role, ":");
    for (int i = l->first_param; i < l->first_param + l->n_params; i++) {
        const char *name = cs_param_role_name(graph->params[i].role);
        if (strlen(name) == length && strncmp(name, role, length) == 0)
            return i;
    }
    return -1;
}

/* The index of the parameter of `layer` (-1: no layer) that the last component of the tensor's name stands for, or
 * -1. */
static int find_param(const cs_graph *graph, const cs_tensor *tensor, int layer) {
    const char *slash = strrchr(tensor->weight, '/');
    if (tensor->naming != CS_NAMING_VARS)
        return find_role(graph, layer, slash ? slash + 1 : tensor->weight);
    int variable = cs_name_number(tensor->weight);
    if (layer < 0 || variable < 0 || variable >= graph->layers[layer].n_params)
        return -1;
    return graph->layers[layer].first_param + variable;
}

static void add_place(matcher *m, size_t tensor, cs_layer_kind kind, int number, const char *container, size_t length) {
    m->places[m->n_places++] =
        (place){.tensor = tensor, .kind = kind, .number = number, .container = container, .container_length = length};
}

/* Matches a tensor by its names. Legacy files have layer "conv1" and weight "conv1/kernel:0", or "block" and
 * "conv1/kernel:0" in a nested model; safetensors have "" and "conv1/kernel". */
static void match_names(matcher *m, size_t index) {
    const cs_tensor *tensor = &m->tensors->items[index];
    char path[CS_TENSOR_NAME_MAX];
    cs_layer_kind kind;
    int number;
    if (cs_name_automatic(tensor->layer, &kind, &number)) {
        add_place(m, index, kind, number, "", 0);
        return;
    }
    if (snprintf(path, sizeof path, "%s", tensor->weight) >= (int)sizeof path)
        return;
    char *end = strrchr(path, '/'), *next;
    *(end ? end : path) = '\0';
    int layer = find_layer(m->graph, tensor->layer);
    for (const char *name = path; layer < 0 && *name; name = next ? next + 1 : "") {
        if (cs_name_automatic(name, &kind, &number)) {
            add_place(m, index, kind, number, tensor->layer, strlen(tensor->layer));
            return;
        }
        layer = find_layer(m->graph, name);
        next = strchr(name, '/');
    }
    m->params[index] = find_param(m->graph, tensor, layer);
}

/* The length of `path` without its last `n` components. */
static size_t cut_components(const char *path, int n) {
    size_t length = strlen(path);
    while (n-- > 0 && length > 0)
        while (length > 0 && path[--length] != '/')
            continue;
    return length;
}

/* Matches a tensor of Keras 3, whose group gives class and position; since about Keras 3.7 the layer's name is stored
 * too. */
static void match_vars(matcher *m, size_t index) {
    const cs_tensor *tensor = &m->tensors->items[index];
    cs_layer_kind kind, named;
    int number, ignored;
    bool placed = cs_name_automatic(tensor->place, &kind, &number);
    bool automatic = placed && cs_name_automatic(tensor->layer, &named, &ignored) && named == kind;
    if (tensor->layer[0] && !automatic)
        m->params[index] = find_param(m->graph, tensor, find_layer(m->graph, tensor->layer));
    else if (placed)
        add_place(m, index, kind, number, tensor->path, cut_components(tensor->path, 3)); /* conv2d_1/vars/0 */
}

/* torchvision's published DenseNet files have "denselayer1.norm.1.weight" for the "denselayer1.norm1" of its
 * networks. */
static void join_dense_layer(char *name) {
    static const char block[] = "denselayer";
    static const char *const parts[] = {".norm.", ".relu.", ".conv."};
    char *at = strstr(name, block);
    if (!at)
        return;
    at += strlen(block);
    at += strspn(at, "0123456789");
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size_t length = strlen(parts[i]);
        if (strncmp(at, parts[i], length) == 0 && (at[length] == '1' || at[length] == '2') && at[length + 1] == '.')
            memmove(at + length - 1, at + length, strlen(at + length) + 1);
    }
}

static void match_torch(matcher *m, size_t index) {
    char wanted[CS_TENSOR_NAME_MAX], name[CS_TENSOR_NAME_MAX];
    snprintf(wanted, sizeof wanted, "%s", m->tensors->items[index].weight);
    join_dense_layer(wanted);
    for (int i = 0; i < m->graph->n_params && m->params[index] < 0; i++) {
        cs_name_in_file(m->graph, &m->graph->params[i], CS_NAMING_FLAT, name, sizeof name);
        if (strcmp(name, wanted) == 0)
            m->params[index] = i;
    }
}

static int compare_containers(const place *a, const place *b) {
    size_t shorter = a->container_length < b->container_length ? a->container_length : b->container_length;
    int order = memcmp(a->container, b->container, shorter);
    return order ? order : (a->container_length > b->container_length) - (a->container_length < b->container_length);
}

static int compare_places(const void *left, const void *right) {
    const place *a = left, *b = right;
    int order = compare_containers(a, b);
    if (order == 0)
        order = (a->kind > b->kind) - (a->kind < b->kind);
    return order ? order : (a->number > b->number) - (a->number < b->number);
}

/* Sorts the places and sets the rank of each number among those of its kind in its container. */
static void rank_places(matcher *m) {
    if (m->n_places > 0)
        qsort(m->places, m->n_places, sizeof *m->places, compare_places);
    for (size_t begin = 0, end; begin < m->n_places; begin = end) {
        const place *first = &m->places[begin];
        int rank = 0;
        for (end = begin; end < m->n_places; end++) {
            place *p = &m->places[end];
            if (compare_containers(p, first) != 0 || p->kind != first->kind)
                break;
            rank += end > begin && p->number != p[-1].number;
            p->rank = rank;
        }
        for (size_t i = begin; i < end; i++)
            m->places[i].distinct = rank + 1;
    }
}

static bool has_automatic_name(const cs_layer *layer) {
    cs_layer_kind kind;
    int number;
    return cs_name_automatic(layer->name, &kind, &number) && kind == layer->kind;
}

/* Counts the layers of that kind in the base; with `automatic` only those with names that Keras made up. */
static int count_in_base(const cs_graph *graph, cs_layer_kind kind, bool automatic) {
    int count = 0;
    for (int i = 0; i < graph->head; i++)
        count += graph->layers[i].kind == kind && (!automatic || has_automatic_name(&graph->layers[i]));
    return count;
}

/* Finds the layer by the number in the name. If the file has all layers of the kind that the base needs, the rank of
 * the number decides, else the number itself. The network's own numbers are 0, 1, ..., so that a file with exactly
 * these gives the same result in both cases. */
static int find_ranked(const cs_graph *graph, const place *p, bool in_base) {
    char class[CS_NAME_MAX], name[2 * CS_NAME_MAX];
    int needed = count_in_base(graph, p->kind, true);
    int number = p->distinct >= needed ? p->rank : p->number;
    if (!in_base)
        number = needed + p->rank;
    cs_name_of_class(p->kind, class, sizeof class);
    snprintf(name, sizeof name, number ? "%s_%d" : "%s", class, number);
    return find_layer(graph, name);
}

/* Finds the layer by the number in the name, where Keras 3 counts the layers of a class in a container. */
static int find_counted(const cs_graph *graph, const place *p, bool in_base, bool named) {
    int left = p->number + (in_base ? 0 : count_in_base(graph, p->kind, false));
    for (int i = 0; i < graph->n_layers; i++)
        if (graph->layers[i].kind == p->kind && left-- == 0)
            return !named || has_automatic_name(&graph->layers[i]) ? i : -1;
    return -1;
}

static int find_place(const matcher *m, const place *p, bool in_base) {
    const cs_tensor *tensor = &m->tensors->items[p->tensor];
    if (tensor->naming == CS_NAMING_VARS)
        return find_counted(m->graph, p, in_base, tensor->layer[0] != '\0');
    return find_ranked(m->graph, p, in_base);
}

static cs_status fail_ambiguous(const matcher *m, const cs_tensor *a, const cs_tensor *b, const char *what) {
    return cs_hint(
        cs_fail(CS_ERR_FORMAT, "%s: both %s and %s could be %s of %s", m->file, a->path, b->path, what, m->graph->arch),
        "save only the model that is meant, such as base.save_weights(...)");
}

/* Finds the container with the most tensors that can belong to the base; NULL if there is none. */
static cs_status find_base(const matcher *m, const place **base) {
    int most = 0;
    const place *rival = NULL;
    *base = NULL;
    for (size_t begin = 0, end; begin < m->n_places; begin = end) {
        const place *first = &m->places[begin];
        int score = 0;
        for (end = begin; end < m->n_places && compare_containers(&m->places[end], first) == 0; end++) {
            int layer = find_place(m, &m->places[end], true);
            score += layer >= 0 && layer < m->graph->head;
        }
        if (score > most) {
            most = score;
            *base = first;
            rival = NULL;
        } else if (score == most && score > 0) {
            rival = first;
        }
    }
    if (rival)
        return fail_ambiguous(m, &m->tensors->items[(*base)->tensor], &m->tensors->items[rival->tensor], "the base");
    return CS_OK;
}

static cs_status match_places(matcher *m) {
    const place *base;
    rank_places(m);
    CS_TRY(find_base(m, &base));
    for (size_t i = 0; i < m->n_places; i++) {
        const place *p = &m->places[i];
        int layer = find_place(m, p, !base || compare_containers(p, base) == 0);
        m->params[p->tensor] = find_param(m->graph, &m->tensors->items[p->tensor], layer);
    }
    return CS_OK;
}

/* Checks that no parameter has two tensors. */
static cs_status check_unique(const matcher *m) {
    size_t *tensor_of; /* [n_params] 1 + index of the parameter's tensor, 0: none */
    cs_status status = CS_OK;
    CS_TRY(cs_alloc((size_t)m->graph->n_params, sizeof *tensor_of, "marks", &tensor_of));
    for (size_t i = 0; i < m->tensors->n && status == CS_OK; i++) {
        int param = m->params[i];
        char name[CS_TENSOR_NAME_MAX];
        if (param < 0)
            continue;
        cs_name_in_file(m->graph, &m->graph->params[param], m->tensors->items[i].naming, name, sizeof name);
        if (tensor_of[param])
            status = fail_ambiguous(m, &m->tensors->items[tensor_of[param] - 1], &m->tensors->items[i], name);
        tensor_of[param] = i + 1;
    }
    free(tensor_of);
    return status;
}

cs_status cs_match(const char *file, const cs_graph *graph, const cs_tensor_list *tensors, int *params) {
    matcher m = {.file = file, .graph = graph, .tensors = tensors, .params = params};
    CS_TRY(cs_alloc(tensors->n, sizeof *m.places, "places", &m.places));
    for (size_t i = 0; i < tensors->n; i++) {
        params[i] = -1;
        if (tensors->items[i].naming == CS_NAMING_VARS)
            match_vars(&m, i);
        else if (tensors->items[i].naming == CS_NAMING_FLAT && graph->dialect == CS_DIALECT_TORCH)
            match_torch(&m, i);
        else
            match_names(&m, i);
    }
    cs_status status = match_places(&m);
    if (status == CS_OK)
        status = check_unique(&m);
    free(m.places);
    return status;
}

bool cs_match_ignores(const cs_graph *graph, const cs_tensor *tensor) {
    static const char counter[] = ".num_batches_tracked"; /* it serves a momentum that torch's networks do not use */
    size_t length = strlen(tensor->weight), suffix = strlen(counter);
    return tensor->naming == CS_NAMING_FLAT && graph->dialect == CS_DIALECT_TORCH && length > suffix &&
           strcmp(tensor->weight + length - suffix, counter) == 0;
}
