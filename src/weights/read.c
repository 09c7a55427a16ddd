/* A weights file into a graph's parameters, with a report; and its description. */
#include "isolated.h"
#include "tensor.h"

#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What the reading child gives back. */
typedef struct outcome {
    int matched, missing, unused, wrong_shape;
    float values[];
} outcome;

typedef struct reader {
    const char *path;
    const cs_graph *graph;
    bool allow_missing;
    outcome *out;
    bool *taken;      /* one a parameter of the graph */
    cs_naming naming; /* of the file; the first tensor tells */
    FILE *text;
    char first_wrong[4 * CS_TENSOR_NAME_MAX]; /* what the error will say */
    char first_missing[2 * CS_TENSOR_NAME_MAX];
} reader;

void cs_weights_report_clear(cs_weights_report *report) {
    free(report->text);
    *report = (cs_weights_report){0};
}

static const char *param_shape(const cs_layout *layout, char out[CS_TENSOR_SHAPE_MAX]) {
    uint64_t dims[4];
    for (int a = 0; a < layout->rank; a++)
        dims[a] = (uint64_t)layout->dims[a];
    return cs_shape_text(dims, layout->rank, out);
}

static bool same_shape(const cs_layout *layout, const cs_tensor *tensor) {
    if (tensor->rank != layout->rank)
        return false;
    for (int a = 0; a < layout->rank; a++)
        if (tensor->dims[a] != (uint64_t)layout->dims[a])
            return false;
    return true;
}

static void note_unused(reader *r, const cs_tensor *tensor) {
    char shape[CS_TENSOR_SHAPE_MAX], layer[CS_TENSOR_NAME_MAX];
    bool named = tensor->naming == CS_NAMING_VARS && tensor->layer[0];
    fprintf(r->text, "unused       %s%s%s%s %s\n", tensor->path, named ? " (" : "",
            named ? cs_printable(tensor->layer, layer) : "", named ? ")" : "",
            cs_shape_text(tensor->dims, tensor->rank, shape));
    r->out->unused++;
}

static void note_wrong_shape(reader *r, const cs_param *param, const cs_layout *layout, const cs_tensor *tensor) {
    char name[CS_TENSOR_NAME_MAX], ours[CS_TENSOR_SHAPE_MAX], theirs[CS_TENSOR_SHAPE_MAX];
    cs_match_name(r->graph, param, tensor->naming, name, sizeof name);
    param_shape(layout, ours);
    cs_shape_text(tensor->dims, tensor->rank, theirs);
    fprintf(r->text, "wrong shape  %s: %s in the network, %s in the file\n", name, ours, theirs);
    if (r->out->wrong_shape++ == 0)
        snprintf(r->first_wrong, sizeof r->first_wrong, "%s is %s in the network, %s in the file", name, ours, theirs);
}

static cs_status read_param(const reader *r, const cs_tensor *tensor, const cs_layout *layout, const cs_param *param) {
    bool countable = param->role == CS_PARAM_COUNT && tensor->type == CS_TENSOR_INTEGER;
    float *values;
    if (tensor->type != CS_TENSOR_FLOAT && !countable)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: dataset %s holds no floating-point numbers but %s", r->path,
                               tensor->path, tensor->type_name),
                       "weights are float16, bfloat16, float32 or float64");
    CS_TRY(cs_alloc(param->count, sizeof *values, "values", &values));
    cs_status status = tensor->read(tensor, values);
    if (status == CS_OK)
        cs_layout_from_file(layout, values, r->out->values + param->offset);
    free(values);
    return status;
}

/* Takes a tensor of the file for the parameter it is meant for, and keeps the report. */
static cs_status take_tensor(void *context, const cs_tensor *tensor) {
    reader *r = context;
    int i = cs_match_param(r->graph, tensor);
    r->naming = tensor->naming;
    if (i < 0 && cs_match_ignores(r->graph, tensor))
        return CS_OK;
    if (i < 0 || r->taken[i]) {
        note_unused(r, tensor);
        return CS_OK;
    }
    const cs_param *param = &r->graph->params[i];
    cs_layout layout = cs_layout_of(r->graph, param, tensor->naming);
    r->taken[i] = true;
    if (!same_shape(&layout, tensor)) {
        note_wrong_shape(r, param, &layout, tensor);
        return CS_OK;
    }
    CS_TRY(read_param(r, tensor, &layout, param));
    r->out->matched++;
    return CS_OK;
}

static cs_status check_preprocess(void *context, const char *format, const char *preprocess) {
    const reader *r = context;
    const char *ours = cs_preprocess_name(r->graph->preprocess);
    char theirs[CS_TENSOR_NAME_MAX];
    (void)format;
    if (!preprocess[0] || strcmp(preprocess, ours) == 0)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_ARG, "%s: made for the preprocessing '%s', but %s has '%s'", r->path,
                           cs_printable(preprocess, theirs), r->graph->arch, ours),
                   "preprocessing belongs to the weights: take those of this architecture and dialect");
}

/* Counts what the file lacks; the head's own parameters may be absent. */
static void note_missing(reader *r) {
    enum { NAMED = 3 };
    for (int i = 0; i < r->graph->n_params; i++) {
        const cs_param *param = &r->graph->params[i];
        if (r->taken[i] || param->layer >= r->graph->head)
            continue;
        char name[CS_TENSOR_NAME_MAX], shape[CS_TENSOR_SHAPE_MAX];
        cs_layout layout = cs_layout_of(r->graph, param, r->naming);
        cs_match_name(r->graph, param, r->naming, name, sizeof name);
        fprintf(r->text, "missing      %s %s\n", name, param_shape(&layout, shape));
        size_t used = strlen(r->first_missing);
        if (r->out->missing++ < NAMED)
            snprintf(r->first_missing + used, sizeof r->first_missing - used, "%s%s", used ? ", " : "", name);
    }
}

static cs_status judge(const reader *r) {
    const outcome *out = r->out;
    if (out->wrong_shape > 0)
        return cs_hint(cs_fail(CS_ERR_SHAPE, "%s: %d of the weights have another shape: %s", r->path, out->wrong_shape,
                               r->first_wrong),
                       "are they for this %s (alpha, input channels, classes)?", r->graph->arch);
    if (out->missing > 0 && !r->allow_missing)
        return cs_hint(cs_fail(CS_ERR_NOT_FOUND, "%s: lacks %d of the parameters of %s: %s%s", r->path, out->missing,
                               r->graph->arch, r->first_missing, out->missing > 3 ? ", ..." : ""),
                       "allow_missing leaves those at their initial values");
    return CS_OK;
}

static cs_status read_file(void *context, FILE *text) {
    reader *r = context;
    const cs_visitor visitor = {.context = r, .file = check_preprocess, .tensor = take_tensor};
    r->text = text;
    CS_TRY(cs_weights_walk(r->path, &visitor));
    note_missing(r);
    return judge(r);
}

cs_status cs_weights_check_exists(const char *path) {
    FILE *probe = fopen(path, "rb");
    if (!probe)
        return errno == ENOENT ? cs_hint(cs_fail(CS_ERR_NOT_FOUND, "weights: there is no file %s", path),
                                         "paths start where the program does")
                               : cs_fail_errno("weights: %s", path);
    fclose(probe);
    return CS_OK;
}

cs_status cs_weights_read(const char *path, bool allow_missing, cs_params *params, cs_weights_report *report) {
    const cs_graph *graph = params->graph;
    size_t bytes = graph->n_values * sizeof(float), size = sizeof(outcome) + bytes;
    reader r = {.path = path, .graph = graph, .allow_missing = allow_missing};
    cs_status status = CS_OK;
    *report = (cs_weights_report){0};
    CS_TRY(cs_weights_check_exists(path));
    CS_TRY_GOTO(cs_shared_alloc(size, "weights", &r.out), done);
    CS_TRY_GOTO(cs_alloc((size_t)graph->n_params, sizeof *r.taken, "marks", &r.taken), done);
    memcpy(r.out->values, params->data, bytes);
    status = cs_isolated(path, read_file, &r, &report->text);
    if (report->text) {
        report->matched = r.out->matched;
        report->missing = r.out->missing;
        report->unused = r.out->unused;
        report->wrong_shape = r.out->wrong_shape;
    }
    if (status == CS_OK)
        memcpy(params->data, r.out->values, bytes);
done:
    free(r.taken);
    cs_shared_free(r.out, size);
    return status;
}

/* The description. */
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
    uint64_t count = 1;
    for (int i = 0; i < tensor->rank; i++)
        count *= tensor->dims[i];
    fprintf(l->text, "%s  %s  %s%s%s\n", tensor->path, cs_shape_text(tensor->dims, tensor->rank, shape),
            tensor->type_name, named ? "  " : "", named ? cs_printable(tensor->layer, layer) : "");
    l->tensors++;
    l->values += count;
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
    CS_TRY(cs_weights_check_exists(path));
    cs_status status = cs_isolated(path, list, &l, text);
    if (status != CS_OK) {
        free(*text);
        *text = NULL;
    }
    return status;
}
