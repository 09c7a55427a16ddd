/* Which parameter a tensor is meant for, by the names that Keras and torch give. */
#include "tensor.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static int find_layer(const cs_graph *graph, const char *name) {
    for (int i = 0; i < graph->n_layers; i++)
        if (strcmp(graph->layers[i].name, name) == 0)
            return i;
    return -1;
}

/* Cuts the last component off `path` and returns it; the whole of it when there is only one. */
static char *cut_component(char *path) {
    char *slash = strrchr(path, '/');
    if (!slash)
        return path;
    *slash = '\0';
    return slash + 1;
}

static bool has_depthwise_kernel(cs_layer_kind kind) {
    return kind == CS_LAYER_DEPTHWISE_CONV2D || kind == CS_LAYER_SEPARABLE_CONV2D;
}

/* Index of the parameter that Keras calls `role` ("kernel:0") in that layer, or -1. Of a depthwise kernel Keras 2 says
 * "depthwise_kernel", Keras 3 "kernel". */
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

/* A group that is no layer is a nested model: then the layer's name is in the weight's. */
static int match_legacy(const cs_graph *graph, const cs_tensor *tensor) {
    char path[CS_TENSOR_NAME_MAX];
    if (snprintf(path, sizeof path, "%s", tensor->weight) >= (int)sizeof path)
        return -1;
    const char *role = cut_component(path);
    int layer = find_layer(graph, tensor->layer);
    return find_role(graph, layer >= 0 ? layer : find_layer(graph, cut_component(path)), role);
}

void cs_match_class(cs_layer_kind kind, char *out, size_t size) {
    size_t used = 0;
    char before = '\0';
    for (const char *c = cs_layer_kind_name(kind); *c && used + 2 < size; before = *c++) {
        if (isupper((unsigned char)*c) && islower((unsigned char)before))
            out[used++] = '_';
        out[used++] = (char)tolower((unsigned char)*c);
    }
    out[used] = '\0';
}

/* A number without a sign, as in "conv2d_12"; -1 for anything else. */
static int number(const char *text) {
    enum { LONGEST = 6 };
    size_t length = strlen(text);
    if (length == 0 || length > LONGEST || strspn(text, "0123456789") != length)
        return -1;
    return (int)strtol(text, NULL, 10);
}

/* n for "<class>_<n>", 0 for "<class>", -1 for another name. */
static int ordinal(const char *name, const char *class) {
    size_t length = strlen(class);
    if (strncmp(name, class, length) != 0)
        return -1;
    if (name[length] == '\0')
        return 0;
    return name[length] == '_' ? number(name + length + 1) : -1;
}

/* The layer of the group "conv2d_1": the second Conv2D. Keras finds layers so. With `automatic` only one whose own name
 * is of that kind. */
static int find_place(const cs_graph *graph, const char *place, bool automatic) {
    int seen[CS_LAYER_KIND_COUNT] = {0};
    for (int i = 0; i < graph->n_layers; i++) {
        char class[CS_NAME_MAX];
        cs_layer_kind kind = graph->layers[i].kind;
        cs_match_class(kind, class, sizeof class);
        if (ordinal(place, class) == seen[kind]++)
            return !automatic || ordinal(graph->layers[i].name, class) >= 0 ? i : -1;
    }
    return -1;
}

/* Is this a name that Keras made up? It counts over all models of a session, so that it says little. */
static bool is_automatic(const char *name, const char *place) {
    char class[CS_TENSOR_NAME_MAX];
    snprintf(class, sizeof class, "%s", place);
    char *end = strrchr(class, '_');
    if (end && number(end + 1) >= 0)
        *end = '\0';
    return ordinal(name, class) >= 0;
}

/* By the layer's name when the file has one and a person gave it, else by its place among the layers of its class. */
static int match_vars(const cs_graph *graph, const cs_tensor *tensor) {
    bool named = tensor->layer[0] != '\0';
    bool automatic = named && is_automatic(tensor->layer, tensor->place);
    int layer = named && !automatic ? find_layer(graph, tensor->layer) : find_place(graph, tensor->place, automatic);
    int variable = number(tensor->weight);
    if (layer < 0 || variable < 0 || variable >= graph->layers[layer].n_params)
        return -1;
    return graph->layers[layer].first_param + variable;
}

/* torch's suffix of a parameter. */
static const char *torch_suffix(const cs_param *param) {
    switch (param->role) {
    case CS_PARAM_KERNEL:
    case CS_PARAM_GAMMA:
        return "weight";
    case CS_PARAM_BIAS:
    case CS_PARAM_BETA:
        return "bias";
    case CS_PARAM_MOVING_MEAN:
        return "running_mean";
    case CS_PARAM_MOVING_VARIANCE:
        return "running_var";
    default:
        return cs_param_role_name(param->role);
    }
}

void cs_match_name(const cs_graph *graph, const cs_param *param, cs_naming naming, char *out, size_t size) {
    if (naming == CS_NAMING_FLAT && graph->dialect == CS_DIALECT_TORCH)
        snprintf(out, size, "%s.%s", graph->layers[param->layer].name, torch_suffix(param));
    else
        cs_param_name(graph, param, out, size);
}

static int match_flat(const cs_graph *graph, const cs_tensor *tensor) {
    for (int i = 0; i < graph->n_params; i++) {
        char name[CS_TENSOR_NAME_MAX];
        cs_match_name(graph, &graph->params[i], CS_NAMING_FLAT, name, sizeof name);
        if (strcmp(name, tensor->weight) == 0)
            return i;
    }
    return graph->dialect == CS_DIALECT_TORCH ? -1 : match_legacy(graph, tensor);
}

int cs_match_param(const cs_graph *graph, const cs_tensor *tensor) {
    switch (tensor->naming) {
    case CS_NAMING_LEGACY:
        return match_legacy(graph, tensor);
    case CS_NAMING_VARS:
        return match_vars(graph, tensor);
    default:
        return match_flat(graph, tensor);
    }
}

bool cs_match_ignores(const cs_graph *graph, const cs_tensor *tensor) {
    static const char counter[] = ".num_batches_tracked"; /* for a momentum that torch's networks do not use */
    size_t length = strlen(tensor->weight), suffix = strlen(counter);
    return tensor->naming == CS_NAMING_FLAT && graph->dialect == CS_DIALECT_TORCH && length > suffix &&
           strcmp(tensor->weight + length - suffix, counter) == 0;
}
