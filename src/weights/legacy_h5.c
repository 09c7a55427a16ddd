/* SPDX-License-Identifier: Apache-2.0 */
/* Keras' legacy .h5 layout: the attribute layer_names lists the layers, each layer is a group with the attribute
 * weight_names, and each weight is a dataset at <layer>/<weight name>. Whole models have the same tree under
 * /model_weights. Names look like "conv1/kernel:0" (Keras 2), "conv1/kernel" (Keras 3) or "block/conv1/kernel:0"
 * (nested models). The reader follows the attributes, not the list of groups. */
#include "h5_layout.h"

static cs_status visit_weight(hid_t group, const char *layer, const char *weight, const char *file,
                              const cs_visitor *visitor) {
    char place[2 * CS_TENSOR_NAME_MAX], a[CS_TENSOR_NAME_MAX], b[CS_TENSOR_NAME_MAX];
    snprintf(place, sizeof place, "%s/%s", cs_printable(layer, a), cs_printable(weight, b));
    cs_tensor tensor = {.naming = CS_NAMING_LEGACY, .layer = layer, .place = "", .weight = weight, .path = place};
    return cs_h5_visit(group, weight, &tensor, file, visitor);
}

static cs_status walk_layer(hid_t root, const char *layer, const char *file, const cs_visitor *visitor) {
    char where[CS_TENSOR_PATH_MAX], name[CS_TENSOR_NAME_MAX];
    cs_strings weights = {0};
    cs_status status = CS_OK;
    snprintf(where, sizeof where, "%s: layer %s", file, cs_printable(layer, name));
    hid_t group = cs_h5_open_group(root, layer);
    if (group < 0)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s is listed in layer_names but has no group", where), "%s",
                       cs_damaged_hint);
    CS_TRY_GOTO(cs_h5_read_strings(group, where, "weight_names", &weights), done);
    for (size_t i = 0; i < weights.n; i++)
        CS_TRY_GOTO(visit_weight(group, layer, weights.items[i], file, visitor), done);
done:
    cs_strings_clear(&weights);
    H5Gclose(group);
    return status;
}

static bool is_legacy(hid_t root) {
    return H5Aexists(root, "layer_names") > 0 || H5Aexists(root, "layer_names0") > 0 ||
           cs_h5_has(root, "model_weights");
}

static cs_status walk_legacy(hid_t root, const char *path, const cs_visitor *visitor) {
    cs_strings layers = {0};
    cs_status status = CS_OK;
    hid_t top = cs_h5_open_group(root, cs_h5_has(root, "model_weights") ? "model_weights" : ".");
    if (top < 0)
        return cs_fail(CS_ERR_FORMAT, "%s: the root or /model_weights is no group", path);
    CS_TRY_GOTO(cs_h5_read_strings(top, path, "layer_names", &layers), done);
    if (visitor->layers)
        CS_TRY_GOTO(visitor->layers(visitor->context, layers.items, layers.n), done);
    for (size_t i = 0; i < layers.n; i++)
        CS_TRY_GOTO(walk_layer(top, layers.items[i], path, visitor), done);
done:
    cs_strings_clear(&layers);
    H5Gclose(top);
    return status;
}

const cs_h5_layout cs_legacy_layout = {"Keras .h5 (legacy)", is_legacy, walk_legacy};
