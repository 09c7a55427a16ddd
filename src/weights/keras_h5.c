/* Keras' legacy .h5: attribute layer_names, a group a layer with attribute weight_names, a dataset a weight at
 * <layer>/<weight name>; whole models have the same tree under /model_weights. Names look like "conv1/kernel:0" (Keras
 * 2), "conv1/kernel" (Keras 3), "block/conv1/kernel:0" (nested models). The attributes are followed, not the groups. */
#include "h5_strings.h"

#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/weights.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SHAPE_MAX = 128, FULL_NAME_MAX = 256 };

typedef struct reader {
    const char *path;
    cs_params *params;
    bool *taken; /* one a parameter of the graph */
    cs_weights_report *report;
    FILE *text;                          /* of the report */
    char first_wrong[4 * FULL_NAME_MAX]; /* what the error will say */
    char first_missing[2 * FULL_NAME_MAX];
} reader;

void cs_weights_report_clear(cs_weights_report *report) {
    free(report->text);
    *report = (cs_weights_report){0};
}

static bool has_layer(const cs_graph *graph, const char *name) {
    for (int i = 0; i < graph->n_layers; i++)
        if (strcmp(graph->layers[i].name, name) == 0)
            return true;
    return false;
}

/* Cuts the last component off `path` and returns it; the whole of it when there is only one. */
static char *cut_component(char *path) {
    char *slash = strrchr(path, '/');
    if (!slash)
        return path;
    *slash = '\0';
    return slash + 1;
}

/* Keras 2 says "depthwise_kernel", Keras 3 "kernel". */
static bool is_role(const cs_graph *graph, const cs_param *param, const char *name) {
    const char *prefix = "depthwise_";
    if (graph->layers[param->layer].kind == CS_LAYER_DEPTHWISE_CONV2D && strncmp(name, prefix, strlen(prefix)) == 0)
        name += strlen(prefix);
    return strcmp(name, cs_param_role_name(param->role)) == 0;
}

/* Index of the parameter that `weight` of layer group `group` is meant for, or -1. A group that is no layer is a nested
 * model: then the layer's name is in the weight's. */
static int find_param(const cs_graph *graph, const char *group, const char *weight) {
    char path[FULL_NAME_MAX];
    if (snprintf(path, sizeof path, "%s", weight) >= (int)sizeof path)
        return -1;
    char *name = cut_component(path);
    name[strcspn(name, ":")] = '\0';
    const char *layer = has_layer(graph, group) ? group : cut_component(path);
    for (int i = 0; i < graph->n_params; i++)
        if (strcmp(graph->layers[graph->params[i].layer].name, layer) == 0 && is_role(graph, &graph->params[i], name))
            return i;
    return -1;
}

static const char *shape_text(const hsize_t *dims, int rank, char out[SHAPE_MAX]) {
    size_t used = (size_t)snprintf(out, SHAPE_MAX, "[");
    for (int i = 0; i < rank && used < SHAPE_MAX; i++)
        used += (size_t)snprintf(out + used, SHAPE_MAX - used, "%s%llu", i ? "," : "", (unsigned long long)dims[i]);
    if (used < SHAPE_MAX)
        snprintf(out + used, SHAPE_MAX - used, "]");
    return out;
}

static const char *param_shape_text(const cs_param *param, char out[SHAPE_MAX]) {
    hsize_t dims[4];
    for (int i = 0; i < param->rank; i++)
        dims[i] = (hsize_t)param->dims[i];
    return shape_text(dims, param->rank, out);
}

static bool same_shape(const cs_param *param, const hsize_t *dims, int rank) {
    if (rank != param->rank)
        return false;
    for (int i = 0; i < rank; i++)
        if (dims[i] != (hsize_t)param->dims[i])
            return false;
    return true;
}

static void note_wrong_shape(reader *r, const cs_param *param, const hsize_t *dims, int rank) {
    char name[FULL_NAME_MAX], ours[SHAPE_MAX], theirs[SHAPE_MAX];
    cs_param_name(r->params->graph, param, name, sizeof name);
    param_shape_text(param, ours);
    shape_text(dims, rank, theirs);
    fprintf(r->text, "wrong shape  %s: %s in the network, %s in the file\n", name, ours, theirs);
    if (r->report->wrong_shape++ == 0)
        snprintf(r->first_wrong, sizeof r->first_wrong, "%s is %s in the network, %s in the file", name, ours, theirs);
}

/* Reads an open dataset into the parameter it is meant for, and keeps the report. */
static cs_status read_dataset(reader *r, hid_t dataset, hid_t space, const char *group, const char *weight) {
    hsize_t dims[H5S_MAX_RANK];
    int rank = H5Sget_simple_extent_dims(space, dims, NULL);
    if (rank < 0)
        return cs_fail(CS_ERR_FORMAT, "%s: dataset %.200s/%.200s has no shape", r->path, group, weight);
    int i = find_param(r->params->graph, group, weight);
    if (i < 0 || r->taken[i]) {
        char shape[SHAPE_MAX];
        fprintf(r->text, "unused       %.200s/%.200s %s\n", group, weight, shape_text(dims, rank, shape));
        r->report->unused++;
        return CS_OK;
    }
    const cs_param *param = &r->params->graph->params[i];
    r->taken[i] = true;
    if (!same_shape(param, dims, rank)) {
        note_wrong_shape(r, param, dims, rank);
        return CS_OK;
    }
    hid_t type = H5Dget_type(dataset);
    bool is_float = type >= 0 && H5Tget_class(type) == H5T_FLOAT;
    if (type >= 0)
        H5Tclose(type);
    if (!is_float)
        return cs_hint(
            cs_fail(CS_ERR_FORMAT, "%s: dataset %.200s/%.200s holds no floating-point numbers", r->path, group, weight),
            "weights are float16, float32 or float64");
    if (H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, cs_params_at(r->params, param)) < 0)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: dataset %.200s/%.200s cannot be read", r->path, group, weight),
                       "the file is cut short or damaged: fetch it again");
    r->report->matched++;
    return CS_OK;
}

static cs_status read_weight(reader *r, hid_t group, const char *group_name, const char *weight) {
    hid_t dataset = H5Dopen2(group, weight, H5P_DEFAULT);
    hid_t space = dataset < 0 ? H5I_INVALID_HID : H5Dget_space(dataset);
    cs_status status = space < 0
                           ? cs_hint(cs_fail(CS_ERR_FORMAT, "%s: dataset %.200s/%.200s is listed but cannot be opened",
                                             r->path, group_name, weight),
                                     "the file is cut short or damaged: fetch it again")
                           : read_dataset(r, dataset, space, group_name, weight);
    if (space >= 0)
        H5Sclose(space);
    if (dataset >= 0)
        H5Dclose(dataset);
    return status;
}

static cs_status read_group(reader *r, hid_t root, const char *name) {
    char where[CS_PATH_MAX + FULL_NAME_MAX];
    cs_strings weights = {0};
    cs_status status = CS_OK;
    snprintf(where, sizeof where, "%s: layer %.200s", r->path, name);
    hid_t group = H5Gopen2(root, name, H5P_DEFAULT);
    if (group < 0)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s is listed in layer_names but has no group", where),
                       "the file is cut short or damaged: fetch it again");
    CS_TRY_GOTO(cs_h5_read_strings(group, where, "weight_names", &weights), done);
    for (size_t i = 0; i < weights.n; i++)
        CS_TRY_GOTO(read_weight(r, group, name, weights.items[i]), done);
done:
    cs_strings_clear(&weights);
    H5Gclose(group);
    return status;
}

static cs_status read_tree(reader *r, hid_t file) {
    cs_strings layers = {0};
    cs_status status = CS_OK;
    bool whole_model = H5Lexists(file, "model_weights", H5P_DEFAULT) > 0;
    hid_t root = H5Gopen2(file, whole_model ? "model_weights" : "/", H5P_DEFAULT);
    if (root < 0)
        return cs_fail(CS_ERR_FORMAT, "%s: the root or /model_weights is no group", r->path);
    CS_TRY_GOTO(cs_h5_read_strings(root, r->path, "layer_names", &layers), done);
    for (size_t i = 0; i < layers.n; i++)
        CS_TRY_GOTO(read_group(r, root, layers.items[i]), done);
done:
    cs_strings_clear(&layers);
    H5Gclose(root);
    return status;
}

static cs_status read_file(reader *r) {
    FILE *probe = fopen(r->path, "rb");
    if (!probe)
        return errno == ENOENT ? cs_hint(cs_fail(CS_ERR_NOT_FOUND, "weights: there is no file %s", r->path),
                                         "paths start where the program does")
                               : cs_fail_errno("weights: %s", r->path);
    fclose(probe);
    hid_t file = H5Fopen(r->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: not an HDF5 file, or cut short", r->path),
                       "Keras weights are .h5 files: fetch it again");
    cs_status status = read_tree(r, file);
    H5Fclose(file);
    return status;
}

/* Counts what the file lacks; the head's own parameters may be absent. */
static void note_missing(reader *r) {
    enum { NAMED = 3 };
    const cs_graph *graph = r->params->graph;
    for (int i = 0; i < graph->n_params; i++) {
        const cs_param *param = &graph->params[i];
        if (r->taken[i] || param->layer >= graph->head)
            continue;
        char name[FULL_NAME_MAX], shape[SHAPE_MAX];
        cs_param_name(graph, param, name, sizeof name);
        fprintf(r->text, "missing      %s %s\n", name, param_shape_text(param, shape));
        size_t used = strlen(r->first_missing);
        if (r->report->missing++ < NAMED)
            snprintf(r->first_missing + used, sizeof r->first_missing - used, "%s%s", used ? ", " : "", name);
    }
}

static cs_status judge(const reader *r, bool allow_missing) {
    const cs_weights_report *report = r->report;
    const char *arch = r->params->graph->arch;
    if (report->wrong_shape > 0)
        return cs_hint(cs_fail(CS_ERR_SHAPE, "%s: %d of the weights have another shape: %s", r->path,
                               report->wrong_shape, r->first_wrong),
                       "are they for this %s (alpha, input channels, classes)?", arch);
    if (report->missing > 0 && !allow_missing)
        return cs_hint(cs_fail(CS_ERR_NOT_FOUND, "%s: lacks %d of the parameters of %s: %s%s", r->path, report->missing,
                               arch, r->first_missing, report->missing > 3 ? ", ..." : ""),
                       "allow_missing leaves those at their initial values");
    return CS_OK;
}

cs_status cs_weights_read(const char *path, bool allow_missing, cs_params *params, cs_weights_report *report) {
    reader r = {.path = path, .params = params, .report = report};
    size_t size;
    cs_status status = CS_OK;
    H5E_auto2_t printer;
    void *printer_data;
    *report = (cs_weights_report){0};
    H5Eget_auto2(H5E_DEFAULT, &printer, &printer_data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* our errors say it once */
    CS_TRY_GOTO(cs_alloc((size_t)params->graph->n_params, sizeof *r.taken, "marks", &r.taken), done);
    r.text = open_memstream(&report->text, &size);
    if (!r.text) {
        status = cs_fail_errno("weights report");
        goto done;
    }
    CS_TRY_GOTO(read_file(&r), done);
    note_missing(&r);
    status = judge(&r, allow_missing);
done:
    if (r.text && fclose(r.text) != 0 && status == CS_OK)
        status = cs_fail_errno("weights report");
    free(r.taken);
    H5Eset_auto2(H5E_DEFAULT, printer, printer_data);
    return status;
}
