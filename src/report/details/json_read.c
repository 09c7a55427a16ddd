/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the JSON of trial details. Everything that a page later takes for granted is checked: types, indices of
 * classes, counts, lengths. */
#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"
#include "details_impl.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_LIMIT = 1 << 28, PLACE_MAX = 64 };

/* An object or a list in the file, and where it is. */
typedef struct node {
    const char *path;
    char place[PLACE_MAX]; /* "roc[2]." or "" */
    const json_t *json;
    int n_classes;
} node;

static cs_status fail(const node *at, const char *name, const char *wanted) {
    return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: %s%s is not %s", at->path, at->place, name, wanted),
                   "the file is not one that this version wrote, or was changed since");
}

static cs_status member(const node *at, const char *name, json_type type, const char *wanted, json_t **out) {
    *out = json_object_get(at->json, name);
    return *out && json_typeof(*out) == type ? CS_OK : fail(at, name, wanted);
}

/* The list `name` of at most `most` items. */
static cs_status list_of(const node *at, const char *name, size_t most, json_t **out) {
    char wanted[64];
    snprintf(wanted, sizeof wanted, "a list of at most %zu items", most);
    CS_TRY(member(at, name, JSON_ARRAY, wanted, out));
    return json_array_size(*out) <= most ? CS_OK : fail(at, name, wanted);
}

/* Item i of the list `name`, which must be of a type. */
static cs_status item_of(const node *at, const char *name, const json_t *list, size_t i, json_type type, node *out) {
    char item[PLACE_MAX];
    CS_TRY(cs_path(item, sizeof item, "%s[%zu]", name, i));
    *out = (node){.path = at->path, .json = json_array_get(list, i), .n_classes = at->n_classes};
    CS_TRY(cs_path(out->place, sizeof out->place, "%s%s.", at->place, item));
    return json_typeof(out->json) == type ? CS_OK : fail(at, item, type == JSON_ARRAY ? "a list" : "an object");
}

static bool is_count(const json_t *value) {
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool is_class(const json_t *value, int n_classes) {
    return is_count(value) && json_integer_value(value) < n_classes;
}

static bool read_number(const json_t *value, double *out) {
    *out = json_is_number(value) ? json_number_value(value) : (double)NAN;
    return json_is_number(value) || json_is_null(value);
}

static cs_status read_field(const node *at, const cs_field *field, void *of) {
    void *out = (char *)of + field->offset;
    const json_t *value = json_object_get(at->json, field->name);
    cs_interval *interval = out;
    switch (field->type) {
    case CS_FIELD_COUNT:
        *(int64_t *)out = json_integer_value(value);
        return is_count(value) ? CS_OK : fail(at, field->name, "a whole number of 0 or more");
    case CS_FIELD_CLASS:
        *(int *)out = (int)json_integer_value(value);
        return is_class(value, at->n_classes) ? CS_OK : fail(at, field->name, "the number of a class");
    case CS_FIELD_NUMBER:
        return read_number(value, out) ? CS_OK : fail(at, field->name, "a number or null");
    case CS_FIELD_INTERVAL:
        if (json_array_size(value) == 2 && read_number(json_array_get(value, 0), &interval->low) &&
            read_number(json_array_get(value, 1), &interval->high))
            return CS_OK;
        return fail(at, field->name, "a list of two numbers or nulls");
    }
    return CS_OK;
}

static cs_status read_fields(const node *at, const cs_fields *fields, void *of) {
    for (size_t i = 0; i < fields->n; i++)
        CS_TRY(read_field(at, &fields->rows[i], of));
    return CS_OK;
}

static cs_status read_text(const node *at, const char *name, char **out) {
    json_t *text;
    CS_TRY(member(at, name, JSON_STRING, "a text", &text));
    return cs_details_text(json_string_value(text), out);
}

static cs_status read_classes(node *root, cs_trial_details *details) {
    json_t *list;
    CS_TRY(list_of(root, "classes", INT16_MAX, &list));
    size_t n = json_array_size(list);
    if (n == 0)
        return fail(root, "classes", "a list of one class or more");
    CS_TRY(cs_alloc(n, sizeof *details->classes, "classes", &details->classes));
    details->n_classes = root->n_classes = (int)n;
    for (size_t k = 0; k < n; k++) {
        node class;
        CS_TRY(item_of(root, "classes", list, k, JSON_OBJECT, &class));
        CS_TRY(read_text(&class, "name", &details->classes[k].name));
        CS_TRY(read_fields(&class, &cs_details_class_fields, &details->classes[k]));
    }
    return CS_OK;
}

static cs_status read_matrix(const node *root, cs_trial_details *details) {
    json_t *list;
    size_t n = (size_t)details->n_classes;
    CS_TRY(list_of(root, "confusion", n, &list));
    CS_TRY(cs_alloc(n * n, sizeof *details->confusion, "confusion matrix", &details->confusion));
    for (size_t i = 0; i < n * n; i++) {
        const json_t *row = json_array_get(list, i / n), *count = json_array_get(row, i % n);
        if (json_array_size(row) != n || !is_count(count))
            return fail(root, "confusion", "a list of counts for each class");
        details->confusion[i] = json_integer_value(count);
    }
    return CS_OK;
}

/* Reads a list of [label, predicted, count]. */
static cs_status read_cells(const node *root, const char *name, const json_t *list, cs_confusion_cell *cells) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        node at;
        CS_TRY(item_of(root, name, list, i, JSON_ARRAY, &at));
        const json_t *label = json_array_get(at.json, 0), *predicted = json_array_get(at.json, 1),
                     *count = json_array_get(at.json, 2);
        if (!is_class(label, root->n_classes) || !is_class(predicted, root->n_classes) || !is_count(count))
            return fail(root, name, "a list of [class, class, count]");
        cells[i] = (cs_confusion_cell){(int)json_integer_value(label), (int)json_integer_value(predicted),
                                       json_integer_value(count)};
    }
    return CS_OK;
}

static cs_status read_confusion(const node *root, cs_trial_details *details) {
    json_t *list;
    CS_TRY(list_of(root, "pairs", CS_DETAILS_PAIRS, &list));
    CS_TRY(read_cells(root, "pairs", list, details->pairs));
    details->n_pairs = (int)json_array_size(list);
    if (details->n_classes <= CS_DETAILS_DENSE)
        return read_matrix(root, details);
    CS_TRY(list_of(root, "cells", CS_DETAILS_CELLS, &list));
    CS_TRY(cs_alloc(json_array_size(list), sizeof *details->cells, "cells", &details->cells));
    CS_TRY(read_cells(root, "cells", list, details->cells));
    details->n_cells = (int)json_array_size(list);
    return CS_OK;
}

static cs_status read_point(const node *at, const json_t *pair, const cs_score_curve *curve, bool is_roc,
                            cs_curve_point *out) {
    const json_t *wrong = json_array_get(pair, 0), *right = json_array_get(pair, 1);
    if (!is_count(wrong) || !is_count(right) || json_integer_value(wrong) > curve->negatives ||
        json_integer_value(right) > curve->positives)
        return fail(at, "points", "a list of [false positives, true positives]");
    out->false_positives = json_integer_value(wrong);
    out->true_positives = json_integer_value(right);
    cs_curve_place(curve, is_roc, out);
    return CS_OK;
}

static cs_status read_curve(const node *at, bool is_roc, cs_score_curve *out) {
    json_t *points;
    const json_t *class_index = json_object_get(at->json, "class");
    CS_TRY(read_fields(at, &cs_details_curve_fields, out));
    if (!json_is_null(class_index) && !is_class(class_index, at->n_classes))
        return fail(at, "class", "the number of a class or null");
    out->class_index = json_is_null(class_index) ? CS_CURVE_MICRO : (int)json_integer_value(class_index);
    if (out->positives == 0 || out->negatives == 0)
        return fail(at, out->positives == 0 ? "positives" : "negatives", "a count above 0");
    CS_TRY(list_of(at, "points", CS_DETAILS_POINTS, &points));
    out->n = (int)json_array_size(points);
    CS_TRY(cs_alloc((size_t)out->n, sizeof *out->points, "curve", &out->points));
    for (int i = 0; i < out->n; i++)
        CS_TRY(read_point(at, json_array_get(points, (size_t)i), out, is_roc, &out->points[i]));
    return CS_OK;
}

static cs_status read_curves(const node *root, const cs_curve_list *kind, cs_trial_details *details) {
    json_t *list;
    cs_score_curve **curves = (void *)((char *)details + kind->curves);
    int *n = (void *)((char *)details + kind->n);
    CS_TRY(list_of(root, kind->name, CS_DETAILS_CURVE_CLASSES, &list));
    CS_TRY(cs_alloc(json_array_size(list), sizeof **curves, "curves", curves));
    *n = (int)json_array_size(list);
    for (int i = 0; i < *n; i++) {
        node at;
        CS_TRY(item_of(root, kind->name, list, (size_t)i, JSON_OBJECT, &at));
        CS_TRY(read_curve(&at, kind->is_roc, &(*curves)[i]));
    }
    return CS_OK;
}

static cs_status read_images(const node *root, const cs_image_list *kind, cs_trial_details *details) {
    json_t *list;
    cs_detail_images *images = (void *)((char *)details + kind->images);
    CS_TRY(list_of(root, kind->name, CS_DETAILS_IMAGES, &list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        node at;
        CS_TRY(item_of(root, kind->name, list, i, JSON_OBJECT, &at));
        CS_TRY(read_text(&at, "id", &images->images[i].id));
        CS_TRY(read_fields(&at, &cs_details_image_fields, &images->images[i]));
        images->n++;
    }
    return CS_OK;
}

static cs_status read_bins(const node *root, cs_trial_details *details) {
    json_t *list;
    CS_TRY(list_of(root, "reliability", CS_DETAILS_BINS, &list));
    if (json_array_size(list) != CS_DETAILS_BINS)
        return fail(root, "reliability", "a list of 15 bins");
    for (size_t i = 0; i < CS_DETAILS_BINS; i++) {
        node at;
        CS_TRY(item_of(root, "reliability", list, i, JSON_OBJECT, &at));
        CS_TRY(read_fields(&at, &cs_details_bin_fields, &details->bins[i]));
    }
    return CS_OK;
}

static cs_status read_scores(const node *root, cs_trial_details *details) {
    CS_TRY(read_fields(root, &cs_details_score_fields, details));
    CS_TRY(read_bins(root, details));
    for (size_t i = 0; i < CS_CURVE_LISTS; i++)
        CS_TRY(read_curves(root, &cs_details_curve_lists[i], details));
    for (size_t i = 0; i < CS_IMAGE_LISTS; i++)
        CS_TRY(read_images(root, &cs_details_image_lists[i], details));
    return CS_OK;
}

static cs_status read_split(const node *root, cs_split *out) {
    const char *name = json_string_value(json_object_get(root->json, "split"));
    for (*out = 0; *out < CS_SPLIT_COUNT; ++*out)
        if (name && strcmp(name, cs_split_name(*out)) == 0)
            return CS_OK;
    return fail(root, "split", "train, val or test");
}

static cs_status read_details(node *root, cs_trial_details *details) {
    json_t *left_out;
    if (json_integer_value(json_object_get(root->json, "version")) != CS_DETAILS_VERSION)
        return fail(root, "version", "1");
    CS_TRY(read_split(root, &details->split));
    CS_TRY(read_fields(root, &cs_details_fields, details));
    CS_TRY(read_classes(root, details));
    CS_TRY(read_confusion(root, details));
    CS_TRY(member(root, "left_out", JSON_STRING, "a text", &left_out));
    snprintf(details->left_out, sizeof details->left_out, "%s", json_string_value(left_out));
    cs_details_leave_scores(details);
    details->has_scores = details->left_out[0] == '\0';
    return details->has_scores ? read_scores(root, details) : CS_OK;
}

static cs_status parse(const char *path, json_t **out) {
    json_error_t error;
    char *bytes = NULL;
    size_t size;
    CS_TRY(cs_file_read(path, SIZE_LIMIT, &bytes, &size));
    *out = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);
    free(bytes);
    return *out ? CS_OK
                : cs_fail(CS_ERR_FORMAT, "%s, line %d, column %d: %s", path, error.line, error.column, error.text);
}

cs_status cs_trial_details_read(const char *path, cs_trial_details **out) {
    cs_trial_details *details = NULL;
    json_t *json = NULL;
    cs_status status;
    CS_TRY_GOTO(cs_alloc(1, sizeof *details, "details", &details), failed);
    CS_TRY_GOTO(parse(path, &json), failed);
    CS_TRY_GOTO(read_details(&(node){.path = path, .json = json}, details), failed);
    json_decref(json);
    *out = details;
    return CS_OK;
failed:
    json_decref(json);
    cs_trial_details_free(details);
    return status;
}
