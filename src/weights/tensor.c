/* SPDX-License-Identifier: Apache-2.0 */
#include "tensor.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

const char cs_preprocess_key[] = "preprocess";
const char cs_damaged_hint[] = "the file is cut short or damaged: fetch it again";

uint64_t cs_tensor_count(const cs_tensor *tensor) {
    uint64_t count = 1;
    for (int i = 0; i < tensor->rank; i++)
        count *= tensor->dims[i];
    return count;
}

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
        free((char *)list->items[i].layer); /* the strings of a tensor are one block, and this is the first */
    free(list->items);
    *list = (cs_tensor_list){0};
}
