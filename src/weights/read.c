/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a weights file into a graph's parameters and makes the report. */
#include "isolated.h"
#include "layout.h"
#include "match.h"
#include "names.h"
#include "walk.h"

#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

/* The result of reading, in memory that the reading child process shares. */
_Static_assert((int)CS_RECORD_TEXT == (int)CS_TENSOR_NAME_MAX, "a record is printed like a name");
typedef struct outcome {
    int matched, missing, unused, wrong_shape, head_differs;
    char record[CS_TENSOR_NAME_MAX];
    float values[];
} outcome;

/* The file is walked twice: first for its list of tensors, to decide which are read, then for the values. */
typedef struct reader {
    const char *path;
    const cs_graph *graph;
    unsigned rules;
    int head; /* layers from this one on may be those of another head; n_layers: no layer may */
    outcome *out;
    cs_tensor_list tensors;
    int *params;    /* [tensors.n] the parameter that each tensor is read into, or -1 */
    int *tensor_of; /* [n_params] the tensor that belongs to each parameter, or -1 */
    size_t next;    /* index of the next tensor in the second walk */
    FILE *text;
    char first_wrong[4 * CS_TENSOR_NAME_MAX]; /* texts for the error */
    char first_missing[2 * CS_TENSOR_NAME_MAX];
} reader;

void cs_weights_report_clear(cs_weights_report *report) {
    free(report->text);
    *report = (cs_weights_report){0};
}

static void param_shape(const cs_layout *layout, char out[CS_TENSOR_SHAPE_MAX]) {
    uint64_t dims[4];
    for (int a = 0; a < layout->rank; a++)
        dims[a] = (uint64_t)layout->dims[a];
    cs_shape_text(dims, layout->rank, out);
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

static cs_naming naming_of(const reader *r) {
    return r->tensors.n > 0 ? r->tensors.items[0].naming : CS_NAMING_LEGACY;
}

/* Writes the name of a parameter in the file and the shape that it must have there. */
static void describe_param(const reader *r, const cs_param *param, char name[CS_TENSOR_NAME_MAX],
                           char shape[CS_TENSOR_SHAPE_MAX]) {
    cs_layout layout = cs_layout_of(r->graph, param, naming_of(r));
    cs_name_in_file(r->graph, param, naming_of(r), name, CS_TENSOR_NAME_MAX);
    param_shape(&layout, shape);
}

static void note_wrong_shape(reader *r, const cs_param *param, const cs_tensor *tensor) {
    char name[CS_TENSOR_NAME_MAX], ours[CS_TENSOR_SHAPE_MAX], theirs[CS_TENSOR_SHAPE_MAX];
    bool in_head = param->layer >= r->head;
    describe_param(r, param, name, ours);
    cs_shape_text(tensor->dims, tensor->rank, theirs);
    fprintf(r->text, "%s %s: %s in the network, %s in the file\n", in_head ? "head differs" : "wrong shape ", name,
            ours, theirs);
    if (in_head)
        r->out->head_differs++;
    else if (r->out->wrong_shape++ == 0)
        snprintf(r->first_wrong, sizeof r->first_wrong, "%s is %s in the network, %s in the file", name, ours, theirs);
}

static bool fits(const reader *r, size_t tensor) {
    cs_layout layout = cs_layout_of(r->graph, &r->graph->params[r->params[tensor]], naming_of(r));
    return same_shape(&layout, &r->tensors.items[tensor]);
}

/* Whether the file has the whole head, each parameter with its shape. */
static bool has_whole_head(const reader *r) {
    for (int i = 0; i < r->graph->n_params; i++)
        if (r->graph->params[i].layer >= r->head && (r->tensor_of[i] < 0 || !fits(r, (size_t)r->tensor_of[i])))
            return false;
    return true;
}

/* Decides for every tensor whether it is read, and reports those that are not. */
static void choose_tensors(reader *r) {
    bool take_head = has_whole_head(r);
    for (size_t k = 0; k < r->tensors.n; k++) {
        const cs_tensor *tensor = &r->tensors.items[k];
        const cs_param *param = r->params[k] < 0 ? NULL : &r->graph->params[r->params[k]];
        bool same = param && fits(r, k), takes = same && (take_head || param->layer < r->head);
        if (param && !same)
            note_wrong_shape(r, param, tensor);
        else if (!takes && !cs_match_ignores(r->graph, tensor))
            note_unused(r, tensor);
        r->out->matched += takes;
        if (!takes)
            r->params[k] = -1;
    }
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

static cs_status keep_tensor(void *context, const cs_tensor *tensor) {
    reader *r = context;
    return cs_tensor_list_append(&r->tensors, r->path, tensor);
}

static cs_status read_tensor(void *context, const cs_tensor *tensor) {
    reader *r = context;
    size_t k = r->next++;
    if (k >= r->tensors.n || r->tensors.items[k].rank != tensor->rank ||
        memcmp(r->tensors.items[k].dims, tensor->dims, (size_t)tensor->rank * sizeof tensor->dims[0]) != 0)
        return cs_fail(CS_ERR_IO, "%s: changes while it is read", r->path);
    if (r->params[k] < 0)
        return CS_OK;
    const cs_param *param = &r->graph->params[r->params[k]];
    cs_layout layout = cs_layout_of(r->graph, param, tensor->naming);
    return read_param(r, tensor, &layout, param);
}

static cs_status pass_file(void *context, const char *format, const char *preprocess) {
    (void)context, (void)format, (void)preprocess;
    return CS_OK;
}

static cs_status check_preprocess(void *context, const char *format, const char *preprocess) {
    const reader *r = context;
    const char *ours = cs_preprocess_name(r->graph->preprocess);
    (void)format;
    cs_printable(preprocess, r->out->record);
    const char *kind = r->rules & CS_WEIGHTS_STANDARDIZED ? cs_record_kind(preprocess) : preprocess;
    if (!preprocess[0] || strcmp(kind, ours) == 0 || r->rules & CS_WEIGHTS_ANY_INPUT)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_ARG, "%s: made for the preprocessing '%s', but %s has '%s'", r->path, r->out->record,
                           r->graph->arch, ours),
                   cs_record_is_standardized(preprocess)
                       ? "the weights need images that are standardized so: an augmentation can do it"
                       : "preprocessing belongs to the weights: take those of this architecture and dialect");
}

/* Counts the parameters that the file lacks. A file may lack the head as a whole; if it has a part of it, that is
 * another head. */
static void note_missing(reader *r) {
    enum { NAMED = 3 };
    bool has_head = false;
    for (int i = 0; i < r->graph->n_params; i++)
        has_head = has_head || (r->tensor_of[i] >= 0 && r->graph->params[i].layer >= r->head);
    for (int i = 0; i < r->graph->n_params; i++) {
        const cs_param *param = &r->graph->params[i];
        bool in_head = param->layer >= r->head;
        if (r->tensor_of[i] >= 0 || (in_head && !has_head))
            continue;
        char name[CS_TENSOR_NAME_MAX], shape[CS_TENSOR_SHAPE_MAX];
        describe_param(r, param, name, shape);
        fprintf(r->text, "%s %s %s\n", in_head ? "head lacks  " : "missing     ", name, shape);
        size_t used = strlen(r->first_missing);
        if (in_head)
            r->out->head_differs++;
        else if (r->out->missing++ < NAMED)
            snprintf(r->first_missing + used, sizeof r->first_missing - used, "%s%s", used ? ", " : "", name);
    }
}

static cs_status check_counts(const reader *r) {
    const outcome *out = r->out;
    const char *more = out->missing > 3 ? ", ..." : "";
    if (out->wrong_shape > 0)
        return cs_hint(cs_fail(CS_ERR_SHAPE, "%s: %d of the weights have another shape: %s", r->path, out->wrong_shape,
                               r->first_wrong),
                       "are they for this %s (alpha, input channels, classes)?", r->graph->arch);
    if (out->matched == 0 && r->graph->n_params > 0)
        return cs_hint(cs_fail(CS_ERR_NOT_FOUND, "%s: none of its %zu tensors is a parameter of %s (%s%s)", r->path,
                               r->tensors.n, r->graph->arch, r->first_missing, more),
                       "are they for this architecture and dialect? `cnnsweep weights show` lists them");
    if (out->missing > 0 && !(r->rules & CS_WEIGHTS_ALLOW_MISSING))
        return cs_hint(cs_fail(CS_ERR_NOT_FOUND, "%s: lacks %d of the parameters of %s: %s%s", r->path, out->missing,
                               r->graph->arch, r->first_missing, more),
                       "allow_missing leaves those at their initial values");
    return CS_OK;
}

static cs_status match_tensors(reader *r) {
    CS_TRY(cs_alloc(r->tensors.n, sizeof *r->params, "marks", &r->params));
    CS_TRY(cs_match(r->path, r->graph, &r->tensors, r->params));
    for (int i = 0; i < r->graph->n_params; i++)
        r->tensor_of[i] = -1;
    for (size_t k = 0; k < r->tensors.n; k++)
        if (r->params[k] >= 0)
            r->tensor_of[r->params[k]] = (int)k;
    return CS_OK;
}

static cs_status read_walked(reader *r) {
    const cs_visitor first = {.context = r, .file = check_preprocess, .tensor = keep_tensor};
    const cs_visitor second = {.context = r, .file = pass_file, .tensor = read_tensor};
    CS_TRY(cs_weights_walk(r->path, &first));
    CS_TRY(match_tensors(r));
    choose_tensors(r);
    note_missing(r);
    CS_TRY(check_counts(r));
    return cs_weights_walk(r->path, &second);
}

static cs_status read_file(void *context, FILE *text) {
    reader *r = context;
    r->text = text;
    cs_status status = read_walked(r);
    free(r->params);
    cs_tensor_list_clear(&r->tensors);
    return status;
}

static void fill_report(const outcome *out, cs_weights_report *report) {
    report->matched = out->matched;
    report->missing = out->missing;
    report->unused = out->unused;
    report->wrong_shape = out->wrong_shape;
    report->head_differs = out->head_differs;
    memcpy(report->record, out->record, sizeof report->record);
}

cs_status cs_weights_read(const char *path, unsigned rules, cs_params *params, cs_weights_report *report) {
    const cs_graph *graph = params->graph;
    size_t bytes = graph->n_values * sizeof(float), size = sizeof(outcome) + bytes;
    reader r = {
        .path = path, .graph = graph, .rules = rules, .head = rules & CS_WEIGHTS_WHOLE ? graph->n_layers : graph->head};
    cs_status status = CS_OK;
    *report = (cs_weights_report){0};
    CS_TRY_GOTO(cs_shared_alloc(size, "weights", &r.out), done);
    CS_TRY_GOTO(cs_alloc((size_t)graph->n_params, sizeof *r.tensor_of, "marks", &r.tensor_of), done);
    memcpy(r.out->values, params->data, bytes);
    status = cs_weights_run(path, read_file, &r, &report->text);
    if (report->text)
        fill_report(r.out, report);
    if (status == CS_OK)
        memcpy(params->data, r.out->values, bytes);
    if (status == CS_OK && report->head_differs > 0)
        cs_log(CS_LOG_INFO, "%s: it has another head than the network, whose head keeps its initial values", path);
done:
    free(r.tensor_of);
    cs_shared_free(r.out, size);
    return status;
}
