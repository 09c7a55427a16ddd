/* libFuzzer: any bytes as a safetensors file, read in this process into networks of both dialects. */
#include "network.h"
#include "tensor.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static cs_status see_file(void *context, const char *format, const char *preprocess) {
    (void)context;
    return strlen(format) + strlen(preprocess) > 0 ? CS_OK : CS_ERR_FORMAT;
}

/* As read.c does with a tensor. */
static cs_status see_tensor(void *context, const cs_tensor *tensor) {
    const cs_params *params = context;
    const cs_graph *graph = params->graph;
    int i = cs_match_param(graph, tensor);
    if (i < 0)
        return CS_OK;
    const cs_param *param = &graph->params[i];
    cs_layout layout = cs_layout_of(graph, param, tensor->naming);
    if (tensor->rank != layout.rank)
        return CS_OK;
    for (int a = 0; a < layout.rank; a++)
        if (tensor->dims[a] != (uint64_t)layout.dims[a])
            return CS_OK;
    float *values;
    CS_TRY(cs_alloc(param->count, sizeof *values, "values", &values));
    cs_status status = tensor->read(tensor, values);
    if (status == CS_OK)
        cs_layout_from_file(&layout, values, params->data + param->offset);
    free(values);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static cs_params *params[2];
    if (!params[0])
        for (int d = 0; d < 2; d++)
            if (cs_params_create(fuzz_network((cs_dialect)d), &params[d]) != CS_OK)
                abort();
    const char *path = fuzz_file(bytes, size);
    for (int d = 0; d < 2; d++) {
        const cs_visitor visitor = {.context = params[d], .file = see_file, .tensor = see_tensor};
        cs_error_clear();
        if (cs_walk_safetensors(path, &visitor) != CS_OK && !strstr(cs_error_last()->text, path))
            abort(); /* an error names the file */
    }
    return 0;
}
