/* SPDX-License-Identifier: Apache-2.0 */
/* Describes the contents of a weights file as text. */
#include "walk.h"

#include <stdlib.h>

typedef struct listing {
    const char *path;
    FILE *text;
    char format[64], preprocess[CS_TENSOR_NAME_MAX];
    uint64_t tensors, values;
} listing;

static cs_status list_file(void *context, const char *format, const char *preprocess) {
    listing *l = context;
    snprintf(l->format, sizeof l->format, "%s", format);
    cs_printable(preprocess, l->preprocess);
    return CS_OK;
}

static cs_status list_tensor(void *context, const cs_tensor *tensor) {
    listing *l = context;
    char shape[CS_TENSOR_SHAPE_MAX], layer[CS_TENSOR_NAME_MAX];
    bool named = tensor->naming == CS_NAMING_VARS && tensor->layer[0];
    fprintf(l->text, "%s  %s  %s%s%s\n", tensor->path, cs_shape_text(tensor->dims, tensor->rank, shape),
            tensor->type_name, named ? "  " : "", named ? cs_printable(tensor->layer, layer) : "");
    l->tensors++;
    l->values += cs_tensor_count(tensor);
    return CS_OK;
}

static cs_status list(void *context, FILE *text) {
    listing *l = context;
    const cs_visitor visitor = {.context = l, .file = list_file, .tensor = list_tensor};
    l->text = text;
    CS_TRY(cs_weights_walk(l->path, &visitor));
    fprintf(text, "%llu tensors, %llu values; %s; preprocessing %s\n", (unsigned long long)l->tensors,
            (unsigned long long)l->values, l->format, l->preprocess[0] ? l->preprocess : "not recorded");
    return CS_OK;
}

cs_status cs_weights_describe(const char *path, char **text) {
    listing l = {.path = path};
    *text = NULL;
    cs_status status = cs_weights_run(path, list, &l, text);
    if (status != CS_OK) {
        free(*text);
        *text = NULL;
    }
    return status;
}
