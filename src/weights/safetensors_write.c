/* SPDX-License-Identifier: Apache-2.0 */
#include "layout.h"
#include "names.h"
#include "safetensors.h"
#include "writers.h"

#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Adds {"dtype", "shape", "data_offsets"} and moves *at to the end of its values. */
static bool add_entry(json_t *header, const char *name, const char *dtype, size_t item, const cs_layout *layout,
                      uint64_t *at) {
    json_t *shape = json_array();
    uint64_t bytes = item;
    for (int a = 0; a < layout->rank; a++) {
        bytes *= (uint64_t)layout->dims[a];
        json_array_append_new(shape, json_integer(layout->dims[a]));
    }
    json_int_t begin = (json_int_t)*at;
    *at += bytes;
    json_t *entry =
        json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtype, "shape", shape, "data_offsets", begin, (json_int_t)*at);
    return json_object_set_new(header, name, entry) == 0;
}

/* The header lists the parameters in the graph's order, then a "num_batches_tracked" of 0 for every batch norm of a
 * torch network. */
static json_t *make_header(const cs_graph *graph, int *counters) {
    const cs_layout scalar = {0};
    bool torch = graph->dialect == CS_DIALECT_TORCH, good = true;
    uint64_t at = 0;
    json_t *header = json_object();
    json_t *metadata =
        json_pack("{s:s, s:s}", "format", torch ? "pt" : "tf", cs_preprocess_key, cs_graph_record(graph));
    good = json_object_set_new(header, CS_SAFETENSORS_METADATA, metadata) == 0;
    for (int i = 0; i < graph->n_params; i++) {
        char name[CS_TENSOR_NAME_MAX];
        cs_layout layout = cs_layout_of(graph, &graph->params[i], CS_NAMING_FLAT);
        cs_name_in_file(graph, &graph->params[i], CS_NAMING_FLAT, name, sizeof name);
        good = add_entry(header, name, "F32", sizeof(float), &layout, &at) && good;
    }
    *counters = 0;
    for (int i = 0; torch && i < graph->n_layers; i++) {
        char name[CS_TENSOR_NAME_MAX];
        if (graph->layers[i].kind != CS_LAYER_BATCH_NORM)
            continue;
        snprintf(name, sizeof name, "%s.num_batches_tracked", graph->layers[i].name);
        good = add_entry(header, name, "I64", sizeof(int64_t), &scalar, &at) && good;
        ++*counters;
    }
    if (good)
        return header;
    json_decref(header);
    return NULL;
}

/* Writes the prefix and the header, padded with spaces to a multiple of 8. */
static bool write_header(FILE *stream, const char *text) {
    size_t length = strlen(text), padded = (length + 7) / 8 * 8;
    unsigned char prefix[CS_SAFETENSORS_PREFIX];
    for (size_t i = 0; i < sizeof prefix; i++)
        prefix[i] = (unsigned char)((uint64_t)padded >> 8 * i);
    return fwrite(prefix, 1, sizeof prefix, stream) == sizeof prefix &&
           fprintf(stream, "%s%*s", text, (int)(padded - length), "") == (int)padded;
}

static bool write_float(FILE *stream, float value) {
    uint32_t bits;
    unsigned char bytes[sizeof bits];
    memcpy(&bits, &value, sizeof bits);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(bits >> 8 * i);
    return fwrite(bytes, 1, sizeof bytes, stream) == sizeof bytes;
}

static cs_status write_values(FILE *stream, const char *path, const cs_params *params) {
    const cs_graph *graph = params->graph;
    for (int i = 0; i < graph->n_params; i++) {
        const cs_param *param = &graph->params[i];
        cs_layout layout = cs_layout_of(graph, param, CS_NAMING_FLAT);
        float *values;
        bool good = true;
        CS_TRY(cs_alloc(param->count, sizeof *values, "values", &values));
        cs_layout_to_file(&layout, params->data + param->offset, values);
        for (size_t k = 0; k < param->count && good; k++)
            good = write_float(stream, values[k]);
        free(values);
        if (!good)
            return cs_fail_errno("%s: cannot write", path);
    }
    return CS_OK;
}

static cs_status write_file(FILE *stream, const char *path, const cs_params *params, const char *header, int counters) {
    const int64_t zero = 0;
    if (!write_header(stream, header))
        return cs_fail_errno("%s: cannot write", path);
    CS_TRY(write_values(stream, path, params));
    for (int i = 0; i < counters; i++)
        if (fwrite(&zero, sizeof zero, 1, stream) != 1)
            return cs_fail_errno("%s: cannot write", path);
    return CS_OK;
}

cs_status cs_write_safetensors(const char *path, const cs_params *params) {
    int counters;
    cs_atomic_file *file = NULL;
    json_t *header = make_header(params->graph, &counters);
    char *text = header ? json_dumps(header, JSON_COMPACT) : NULL;
    cs_status status = text ? cs_atomic_open(path, &file) : cs_fail(CS_ERR_NO_MEMORY, "no memory for a header");
    if (status == CS_OK)
        status = write_file(cs_atomic_stream(file), path, params, text, counters);
    if (status == CS_OK)
        status = cs_atomic_commit(&file);
    cs_atomic_abort(&file);
    free(text);
    json_decref(header);
    return status;
}
