/* SPDX-License-Identifier: Apache-2.0 */
#include "families.h"
#include "head.h"

#include <string.h>

static const cs_zoo_entry entries[] = {
    {"mobilenet", CS_DIALECT_KERAS, "MobileNet v1 as in keras.applications, any alpha", 32, cs_build_mobilenet,
     "gap,dense", cs_add_top_mobilenet},
    {"mobilenet_v2", CS_DIALECT_KERAS, "MobileNetV2 as in keras.applications, any alpha", 32, cs_build_mobilenet_v2,
     "gap,dense", cs_add_top_mobilenet_v2},
    {"mobilenet_v2", CS_DIALECT_TORCH, "MobileNetV2 as in torchvision, any alpha", 1, cs_build_mobilenet_v2_torch,
     "gap,dense", cs_add_top_mobilenet_v2_torch},
    {"resnet18", CS_DIALECT_TORCH, "ResNet-18 as in torchvision", 1, cs_build_resnet18_torch, "gap,dense",
     cs_add_top_resnet_torch},
    {"resnet50", CS_DIALECT_KERAS, "ResNet-50 v1 as in keras.applications", 32, cs_build_resnet50, "gap,dense",
     cs_add_top_avg_pool},
    {"resnet50", CS_DIALECT_TORCH, "ResNet-50 v1.5 as in torchvision", 1, cs_build_resnet50_torch, "gap,dense",
     cs_add_top_resnet_torch},
    {"inception_v3", CS_DIALECT_KERAS, "Inception-v3 as in keras.applications", 75, cs_build_inception_v3, "gap,dense",
     cs_add_top_avg_pool},
    {"xception", CS_DIALECT_KERAS, "Xception as in keras.applications", 71, cs_build_xception, "gap,dense",
     cs_add_top_avg_pool},
    {"densenet121", CS_DIALECT_KERAS, "DenseNet-121 as in keras.applications", 32, cs_build_densenet121, "gap,dense",
     cs_add_top_avg_pool},
    {"densenet121", CS_DIALECT_TORCH, "DenseNet-121 as in torchvision", 29, cs_build_densenet121_torch, "gap,dense",
     cs_add_top_densenet_torch},
    {"densenet169", CS_DIALECT_KERAS, "DenseNet-169 as in keras.applications", 32, cs_build_densenet169, "gap,dense",
     cs_add_top_avg_pool},
    {"densenet169", CS_DIALECT_TORCH, "DenseNet-169 as in torchvision", 29, cs_build_densenet169_torch, "gap,dense",
     cs_add_top_densenet_torch},
    {"efficientnet_b0", CS_DIALECT_KERAS, "EfficientNet-B0 as in keras.applications", 32, cs_build_efficientnet_b0,
     "gap,dense", cs_add_top_efficientnet},
    {"basenet", CS_DIALECT_KERAS, "two convolutions and a dense layer, for CIFAR-sized images", 16, cs_build_basenet,
     "dense", NULL},
    {"basenet_deep", CS_DIALECT_KERAS, "five convolutions and two dense layers", 16, cs_build_basenet_deep, "dense",
     NULL},
    {"basenet_deep_bn", CS_DIALECT_KERAS, "basenet_deep with batch norm before each ReLU", 16, cs_build_basenet_deep_bn,
     "dense", NULL},
    {"basenet_deep_bn_after", CS_DIALECT_KERAS, "basenet_deep with batch norm after each ReLU", 16,
     cs_build_basenet_deep_bn_after, "dense", NULL},
    {"cnn4", CS_DIALECT_KERAS, "four convolutions with batch norm, dense 512 and dropout", 16, cs_build_cnn4,
     "flatten,dense:512:relu,dropout,dense", NULL},
};
enum { N_ENTRIES = sizeof entries / sizeof entries[0] };

const cs_zoo_entry *cs_zoo_entries(size_t *count) {
    *count = N_ENTRIES;
    return entries;
}

void cs_model_config_init(cs_model_config *config) {
    *config = (cs_model_config){.input_h = 224, .input_w = 224, .input_c = 3, .alpha = 1};
}

static cs_status fail_name(const char *name) {
    const char *names[N_ENTRIES];
    char suggestion[CS_NAME_MAX + 32], known[N_ENTRIES * CS_NAME_MAX] = "";
    size_t used = 0, n = 0;
    for (size_t i = 0; i < N_ENTRIES; i++) {
        if (n > 0 && strcmp(names[n - 1], entries[i].name) == 0)
            continue;
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", n ? ", " : "", entries[i].name);
        names[n++] = entries[i].name;
    }
    return cs_hint(cs_fail(CS_ERR_ARG, "there is no architecture '%s'%s", name,
                           cs_did_you_mean(name, names, n, suggestion, sizeof suggestion)),
                   "there are: %s", known);
}

static bool matches(const cs_model_config *config, const cs_zoo_entry *entry) {
    return strcmp(config->arch, entry->name) == 0 &&
           (config->dialect == CS_DIALECT_ANY || config->dialect == entry->dialect);
}

static cs_status find_entry(const cs_model_config *config, const cs_zoo_entry **out) {
    const cs_zoo_entry *same_name = NULL;
    for (size_t i = 0; i < N_ENTRIES; i++) {
        if (strcmp(config->arch, entries[i].name) == 0)
            same_name = &entries[i];
        if (matches(config, &entries[i])) {
            *out = &entries[i];
            return CS_OK;
        }
    }
    if (!same_name)
        return fail_name(config->arch);
    return cs_hint(cs_fail(CS_ERR_ARG, "%s has no dialect %s", config->arch, cs_dialect_name(config->dialect)),
                   "it is available as %s", cs_dialect_name(same_name->dialect));
}

cs_dialect cs_model_dialect(const cs_model_config *config) {
    for (size_t i = 0; i < N_ENTRIES; i++)
        if (matches(config, &entries[i]))
            return entries[i].dialect;
    return CS_DIALECT_ANY;
}

static cs_status check_config(const cs_model_config *config, const cs_zoo_entry *entry) {
    if (config->input_h < entry->min_size || config->input_w < entry->min_size)
        return cs_hint(
            cs_fail(CS_ERR_ARG, "%s: an input of %d x %d is too small", entry->name, config->input_h, config->input_w),
            "height and width must be at least %d", entry->min_size);
    if (config->classes < 0 || config->classes == 1)
        return cs_hint(cs_fail(CS_ERR_ARG, "%s: the number of classes is %d", entry->name, config->classes),
                       "a classifier needs at least 2");
    return CS_OK;
}

static void regularize(cs_graph *graph, const cs_model_config *config, int head) {
    for (int i = config->regularize == CS_REGULARIZE_ALL ? 0 : head; i < graph->n_layers; i++)
        if (graph->layers[i].kind == CS_LAYER_DENSE || cs_layer_is_convolution(&graph->layers[i])) {
            graph->layers[i].l1 = config->l1;
            graph->layers[i].l2 = config->l2;
            graph->layers[i].max_norm = config->max_norm;
        }
}

static cs_status build(cs_graph *graph, const cs_model_config *config, const cs_zoo_entry *entry) {
    int top;
    graph->dialect = entry->dialect;
    CS_TRY(entry->build(graph, config, &top));
    int head = graph->n_layers;
    if (config->classes > 0)
        CS_TRY(cs_head_add(graph, config, entry, top));
    graph->head = head;
    regularize(graph, config, head);
    return entry->dialect == CS_DIALECT_KERAS ? cs_graph_order_as_keras(graph) : CS_OK;
}

cs_status cs_model_build(const cs_model_config *config, cs_graph **out) {
    const cs_zoo_entry *entry = NULL;
    cs_graph *graph;
    cs_status status = find_entry(config, &entry);
    if (!entry)
        return status;
    CS_TRY(check_config(config, entry));
    CS_TRY(cs_graph_create(entry->name, &graph));
    status = build(graph, config, entry);
    if (status != CS_OK) {
        cs_graph_free(graph);
        return status;
    }
    *out = graph;
    return CS_OK;
}
