/* SPDX-License-Identifier: Apache-2.0 */
/* Writes Keras' two layouts of HDF5. The file is made in memory first, as HDF5 cannot write a file atomically. */
#include "names.h"
#include "writers.h"

#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"

#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

/* Keras splits longer lists of names, because HDF5 limits an attribute to 64 KiB. */
enum { LARGEST_ATTRIBUTE = 64512 };

static cs_status fail_hdf5(const char *path, const char *what, const char *name) {
    return cs_fail(CS_ERR_IO, "%s: HDF5 cannot write %s %s", path, what, name);
}

/* Writes an attribute of `n` strings of `size` bytes each, one after another; n < 0: a single string instead of a
 * list. */
static cs_status write_texts(hid_t object, const char *path, const char *name, const char *texts, int n, size_t size) {
    hsize_t count = n < 0 ? 1 : (hsize_t)n;
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    hid_t space = n < 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &count, NULL);
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool failed = attribute < 0 || (count > 0 && H5Awrite(attribute, type, texts) < 0);
    if (attribute >= 0)
        H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
    return failed ? fail_hdf5(path, "attribute", name) : CS_OK;
}

static cs_status write_text(hid_t object, const char *path, const char *name, const char *text) {
    return write_texts(object, path, name, text, -1, strlen(text));
}

/* Writes a list as Keras does: in the attribute `name`, or in name0, name1, ... if it would be too large. */
static cs_status write_names(hid_t object, const char *path, const char *name, const char *names, int n, size_t size) {
    int most = (int)(LARGEST_ATTRIBUTE / size);
    if (n <= most)
        return write_texts(object, path, name, names, n, size);
    for (int chunk = 0; chunk * most < n; chunk++) {
        char numbered[CS_NAME_MAX];
        int in_chunk = n - chunk * most < most ? n - chunk * most : most;
        snprintf(numbered, sizeof numbered, "%s%d", name, chunk);
        CS_TRY(write_texts(object, path, numbered, names + (size_t)chunk * (size_t)most * size, in_chunk, size));
    }
    return CS_OK;
}

/* Writes a dataset `name` with the parameter's values and creates the groups of its path. The count of a normalization
 * is an integer, as in Keras. */
static cs_status write_param(hid_t root, const char *path, const char *name, const cs_params *params,
                             const cs_param *param) {
    hsize_t dims[4];
    for (int a = 0; a < param->rank; a++)
        dims[a] = (hsize_t)param->dims[a];
    hid_t type = param->role == CS_PARAM_COUNT ? H5T_STD_I64LE : H5T_IEEE_F32LE;
    hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    hid_t space = H5Screate_simple(param->rank, dims, NULL);
    hid_t dataset = H5Dcreate2(root, name, type, space, links, H5P_DEFAULT, H5P_DEFAULT);
    bool failed = dataset < 0 ||
                  H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, params->data + param->offset) < 0;
    if (dataset >= 0)
        H5Dclose(dataset);
    H5Sclose(space);
    H5Pclose(links);
    return failed ? fail_hdf5(path, "dataset", name) : CS_OK;
}

static cs_status save_image(hid_t file, const char *path) {
    char *image = NULL;
    if (H5Fflush(file, H5F_SCOPE_LOCAL) < 0)
        return fail_hdf5(path, "the", "image");
    ssize_t size = H5Fget_file_image(file, NULL, 0);
    if (size < 0)
        return fail_hdf5(path, "the", "image");
    CS_TRY(cs_alloc((size_t)size, 1, "the file's image", &image));
    cs_status status = H5Fget_file_image(file, image, (size_t)size) < 0 ? fail_hdf5(path, "the", "image")
                                                                        : cs_file_write(path, image, (size_t)size);
    free(image);
    return status;
}

static cs_status write_hdf5(const char *path, const cs_params *params,
                            cs_status (*fill)(hid_t root, const char *path, const cs_params *params)) {
    enum { GROW = 1 << 22 };
    H5E_auto2_t printer;
    void *printer_data;
    H5Eget_auto2(H5E_DEFAULT, &printer, &printer_data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* our own errors name the reason */
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fapl_core(access, GROW, false);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pclose(access);
    cs_status status = file < 0 ? fail_hdf5(path, "the", "file") : CS_OK;
    if (status == CS_OK)
        status = write_text(file, path, cs_preprocess_key, cs_graph_record(params->graph));
    if (status == CS_OK)
        status = fill(file, path, params);
    if (status == CS_OK)
        status = save_image(file, path);
    if (file >= 0)
        H5Fclose(file);
    H5Eset_auto2(H5E_DEFAULT, printer, printer_data);
    return status;
}

/* Writes a layer's group of the legacy layout, with its weight_names. */
static cs_status write_layer(hid_t root, const char *path, const cs_params *params, const cs_layer *layer) {
    enum { SIZE = CS_TENSOR_NAME_MAX };
    char names[CS_LAYER_MAX_PARAMS * SIZE] = "";
    cs_status status = CS_OK;
    hid_t group = H5Gcreate2(root, layer->name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (group < 0)
        return fail_hdf5(path, "group", layer->name);
    for (int i = 0; i < layer->n_params && status == CS_OK; i++) {
        const cs_param *param = &params->graph->params[layer->first_param + i];
        char *name = names + (size_t)i * SIZE;
        cs_param_name(params->graph, param, name, SIZE - 2);
        strcat(name, ":0");
        status = write_param(group, path, name, params, param);
    }
    if (status == CS_OK)
        status = write_names(group, path, "weight_names", names, layer->n_params, SIZE);
    H5Gclose(group);
    return status;
}

static cs_status fill_legacy(hid_t root, const char *path, const cs_params *params) {
    const cs_graph *graph = params->graph;
    char *names;
    CS_TRY(cs_alloc((size_t)graph->n_layers, CS_NAME_MAX, "layer names", &names));
    cs_status status = CS_OK;
    for (int i = 0; i < graph->n_layers && status == CS_OK; i++) {
        snprintf(names + (size_t)i * CS_NAME_MAX, CS_NAME_MAX, "%s", graph->layers[i].name);
        status = write_layer(root, path, params, &graph->layers[i]);
    }
    if (status == CS_OK)
        status = write_names(root, path, "layer_names", names, graph->n_layers, CS_NAME_MAX);
    free(names);
    CS_TRY(status);
    CS_TRY(write_text(root, path, "backend", "tensorflow"));
    return write_text(root, path, "keras_version", "2.15.0"); /* the version that uses these names */
}

static cs_status write_vars(hid_t root, const char *path, const cs_params *params, const cs_layer *layer,
                            const char *group) {
    char name[CS_TENSOR_NAME_MAX];
    for (int i = 0; i < layer->n_params; i++) {
        snprintf(name, sizeof name, "%s/%d", group, i);
        CS_TRY(write_param(root, path, name, params, &params->graph->params[layer->first_param + i]));
    }
    hid_t vars = H5Gopen2(root, group, H5P_DEFAULT);
    if (vars < 0)
        return fail_hdf5(path, "group", group);
    cs_status status = write_text(vars, path, "name", layer->name);
    H5Gclose(vars);
    return status;
}

static cs_status fill_keras3(hid_t root, const char *path, const cs_params *params) {
    int seen[CS_LAYER_KIND_COUNT] = {0};
    for (int i = 0; i < params->graph->n_layers; i++) {
        const cs_layer *layer = &params->graph->layers[i];
        char class[CS_NAME_MAX], count[16] = "", group[2 * CS_NAME_MAX];
        int ordinal = seen[layer->kind]++;
        if (layer->n_params == 0)
            continue;
        cs_name_of_class(layer->kind, class, sizeof class);
        if (ordinal > 0)
            snprintf(count, sizeof count, "_%d", ordinal);
        snprintf(group, sizeof group, "layers/%s%s/vars", class, count);
        CS_TRY(write_vars(root, path, params, layer, group));
    }
    return CS_OK;
}

cs_status cs_write_legacy(const char *path, const cs_params *params) {
    return write_hdf5(path, params, fill_legacy);
}

cs_status cs_write_keras3(const char *path, const cs_params *params) {
    return write_hdf5(path, params, fill_keras3);
}
