/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void cs_name_of_class(cs_layer_kind kind, char *out, size_t size) {
    size_t used = 0;
    char before = '\0';
    for (const char *c = cs_layer_kind_name(kind); *c && used + 2 < size; before = *c++) {
        if (isupper((unsigned char)*c) && islower((unsigned char)before))
            out[used++] = '_';
        out[used++] = (char)tolower((unsigned char)*c);
    }
    out[used] = '\0';
}

int cs_name_number(const char *text) {
    enum { LONGEST = 6 };
    size_t length = strlen(text);
    if (length == 0 || length > LONGEST || strspn(text, "0123456789") != length)
        return -1;
    return (int)strtol(text, NULL, 10);
}

int cs_name_ordinal(const char *name, const char *class) {
    size_t length = strlen(class);
    if (strncmp(name, class, length) != 0)
        return -1;
    if (name[length] == '\0')
        return 0;
    return name[length] == '_' ? cs_name_number(name + length + 1) : -1;
}

bool cs_name_automatic(const char *name, cs_layer_kind *kind, int *ordinal) {
    for (int k = 0; k < CS_LAYER_KIND_COUNT; k++) {
        char class[CS_NAME_MAX];
        cs_name_of_class((cs_layer_kind)k, class, sizeof class);
        *ordinal = cs_name_ordinal(name, class);
        *kind = (cs_layer_kind)k;
        if (*ordinal >= 0)
            return true;
    }
    return false;
}

/* Torch's name of a parameter, which follows the layer's name and a dot. */
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

void cs_name_in_file(const cs_graph *graph, const cs_param *param, cs_naming naming, char *out, size_t size) {
    if (naming == CS_NAMING_FLAT && graph->dialect == CS_DIALECT_TORCH)
        snprintf(out, size, "%s.%s", graph->layers[param->layer].name, torch_suffix(param));
    else
        cs_param_name(graph, param, out, size);
}
