#include "tensor.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

const char cs_preprocess_key[] = "preprocess";

const char *cs_shape_text(const uint64_t *dims, int rank, char out[CS_TENSOR_SHAPE_MAX]) {
    size_t used = (size_t)snprintf(out, CS_TENSOR_SHAPE_MAX, "[");
    for (int i = 0; i < rank && used < CS_TENSOR_SHAPE_MAX; i++)
        used += (size_t)snprintf(out + used, CS_TENSOR_SHAPE_MAX - used, "%s%llu", i ? "," : "",
                                 (unsigned long long)dims[i]);
    if (used < CS_TENSOR_SHAPE_MAX)
        snprintf(out + used, CS_TENSOR_SHAPE_MAX - used, "]");
    return out;
}

const char *cs_printable(const char *name, char out[CS_TENSOR_NAME_MAX]) {
    size_t length = strnlen(name, CS_TENSOR_NAME_MAX);
    bool cut = length == CS_TENSOR_NAME_MAX;
    if (cut)
        length = CS_TENSOR_NAME_MAX - 4;
    for (size_t i = 0; i < length; i++)
        if (name[i] < ' ' || name[i] > '~')
            out[i] = '?';
        else
            out[i] = name[i];
    snprintf(out + length, CS_TENSOR_NAME_MAX - length, "%s", cut ? "..." : "");
    return out;
}

cs_status cs_tensor_list_append(cs_tensor_list *list, const char *file, const cs_tensor *tensor) {
    enum { MOST = 1 << 16 };
    const char *const from[] = {tensor->layer, tensor->place, tensor->weight, tensor->path};
    size_t lengths[4], all = 0, used = 0;
    char *texts;
    if (list->n == MOST)
        return cs_fail(CS_ERR_FORMAT, "%s: more than %d tensors", file, MOST);
    for (int i = 0; i < 4; i++)
        all += lengths[i] = strlen(from[i]) + 1;
    CS_TRY(cs_grow(&list->items, &list->capacity, list->n + 1, sizeof *list->items, "tensors"));
    CS_TRY(cs_alloc(all, 1, "names", &texts));
    cs_tensor *copy = &list->items[list->n++];
    const char **const to[] = {&copy->layer, &copy->place, &copy->weight, &copy->path};
    *copy = *tensor;
    copy->read = NULL;
    copy->source = NULL;
    for (int i = 0; i < 4; i++) {
        *to[i] = memcpy(texts + used, from[i], lengths[i]);
        used += lengths[i];
    }
    return CS_OK;
}

void cs_tensor_list_clear(cs_tensor_list *list) {
    for (size_t i = 0; i < list->n; i++)
        free((char *)list->items[i].layer); /* the first of its texts */
    free(list->items);
    *list = (cs_tensor_list){0};
}

cs_layout cs_layout_of(const cs_graph *graph, const cs_param *param, cs_naming naming) {
    /* torch: convolutions OIHW, depthwise C1HW, dense OI */
    static const int conv[4] = {3, 2, 0, 1}, depthwise[4] = {2, 3, 0, 1}, dense[4] = {1, 0}, same[4] = {0, 1, 2, 3};
    bool torch = naming == CS_NAMING_FLAT && graph->dialect == CS_DIALECT_TORCH;
    bool is_depthwise = graph->layers[param->layer].kind == CS_LAYER_DEPTHWISE_CONV2D;
    cs_layout layout = {.rank = param->rank};
    const int *axes = same;
    if (torch && param->rank == 4)
        axes = is_depthwise ? depthwise : conv;
    else if (torch && param->rank == 2)
        axes = dense;
    for (int a = 0; a < param->rank; a++) {
        layout.axes[a] = axes[a];
        layout.dims[a] = param->dims[axes[a]];
    }
    return layout;
}

/* How far apart neighbours along each axis of the file lie in the parameter, as four axes (absent ones are 1 long). */
static void strides_of(const cs_layout *layout, size_t dims[4], size_t strides[4]) {
    size_t own[4], step = 1;
    int param_dims[4] = {0};
    for (int a = 0; a < layout->rank; a++)
        param_dims[layout->axes[a]] = layout->dims[a];
    for (int a = layout->rank - 1; a >= 0; a--) {
        own[a] = step;
        step *= (size_t)param_dims[a];
    }
    for (int a = 0; a < 4; a++) {
        bool present = a < layout->rank;
        dims[a] = present ? (size_t)layout->dims[a] : 1;
        strides[a] = present ? own[layout->axes[a]] : 0;
    }
}

static void copy(const cs_layout *layout, const float *from, float *to, bool to_file) {
    size_t dims[4], strides[4], k = 0;
    strides_of(layout, dims, strides);
    for (size_t a = 0; a < dims[0]; a++)
        for (size_t b = 0; b < dims[1]; b++)
            for (size_t c = 0; c < dims[2]; c++)
                for (size_t d = 0; d < dims[3]; d++, k++) {
                    size_t at = a * strides[0] + b * strides[1] + c * strides[2] + d * strides[3];
                    to[to_file ? k : at] = from[to_file ? at : k];
                }
}

void cs_layout_from_file(const cs_layout *layout, const float *file, float *param) {
    copy(layout, file, param, false);
}

void cs_layout_to_file(const cs_layout *layout, const float *param, float *file) {
    copy(layout, param, file, true);
}
