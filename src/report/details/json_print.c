/* SPDX-License-Identifier: Apache-2.0 */
/* Prints trial details as JSON. It is written as it goes, a line for each class, curve and image, so that it needs no
 * memory and can be read by eye. */
#include "cnnsweep/text.h"
#include "details_impl.h"

#include <math.h>

/* The text is UTF-8 without control characters. '<' is escaped for pages that have the JSON inside a script. */
static void print_text(const char *text, FILE *out) {
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '<')
            fputs("\\u003c", out);
        else if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
    }
    fputc('"', out);
}

static void print_number(double value, FILE *out) {
    char text[32] = "null";
    if (isfinite(value))
        cs_double_text(value, text, sizeof text);
    fputs(text, out);
}

static void print_field(const cs_field *field, const void *of, FILE *out) {
    const void *value = (const char *)of + field->offset;
    fprintf(out, "\"%s\": ", field->name);
    switch (field->type) {
    case CS_FIELD_COUNT:
        fprintf(out, "%lld", (long long)*(const int64_t *)value);
        break;
    case CS_FIELD_CLASS:
        fprintf(out, "%d", *(const int *)value);
        break;
    case CS_FIELD_NUMBER:
        print_number(*(const double *)value, out);
        break;
    case CS_FIELD_INTERVAL:
        fputc('[', out);
        print_number(((const cs_interval *)value)->low, out);
        fputs(", ", out);
        print_number(((const cs_interval *)value)->high, out);
        fputc(']', out);
        break;
    }
}

static void print_fields(const cs_fields *fields, const void *of, const char *between, FILE *out) {
    for (size_t i = 0; i < fields->n; i++) {
        fputs(i > 0 ? between : "", out);
        print_field(&fields->rows[i], of, out);
    }
}

static void begin_list(const char *name, FILE *out) {
    fprintf(out, ",\n\"%s\": [", name);
}

/* Before item i of a list of lines. */
static void begin_item(int i, FILE *out) {
    fputs(i > 0 ? ",\n  " : "\n  ", out);
}

static void print_classes(const cs_trial_details *details, FILE *out) {
    begin_list("classes", out);
    for (int k = 0; k < details->n_classes; k++) {
        begin_item(k, out);
        fputs("{\"name\": ", out);
        print_text(details->classes[k].name, out);
        fputs(", ", out);
        print_fields(&cs_details_class_fields, &details->classes[k], ", ", out);
        fputc('}', out);
    }
    fputc(']', out);
}

static void print_cells(const char *name, const cs_confusion_cell *cells, int n, FILE *out) {
    begin_list(name, out);
    for (int i = 0; i < n; i++)
        fprintf(out, "%s[%d,%d,%lld]", i > 0 ? ", " : "", cells[i].label, cells[i].predicted,
                (long long)cells[i].count);
    fputc(']', out);
}

static void print_matrix(const cs_trial_details *details, FILE *out) {
    int classes = details->n_classes;
    begin_list("confusion", out);
    for (int label = 0; label < classes; label++) {
        begin_item(label, out);
        for (int predicted = 0; predicted < classes; predicted++)
            fprintf(out, "%c%lld", predicted > 0 ? ',' : '[',
                    (long long)details->confusion[label * classes + predicted]);
        fputc(']', out);
    }
    fputc(']', out);
}

static void print_curve(const cs_score_curve *curve, FILE *out) {
    if (curve->class_index == CS_CURVE_MICRO)
        fputs("{\"class\": null, ", out);
    else
        fprintf(out, "{\"class\": %d, ", curve->class_index);
    print_fields(&cs_details_curve_fields, curve, ", ", out);
    fputs(", \"points\": [", out);
    for (int i = 0; i < curve->n; i++)
        fprintf(out, "%s[%lld,%lld]", i > 0 ? "," : "", (long long)curve->points[i].false_positives,
                (long long)curve->points[i].true_positives);
    fputs("]}", out);
}

static void print_curves(const cs_trial_details *details, const cs_curve_list *list, FILE *out) {
    const cs_score_curve *curves = *(cs_score_curve *const *)((const char *)details + list->curves);
    int n = *(const int *)((const char *)details + list->n);
    begin_list(list->name, out);
    for (int i = 0; i < n; i++) {
        begin_item(i, out);
        print_curve(&curves[i], out);
    }
    fputc(']', out);
}

static void print_images(const cs_trial_details *details, const cs_image_list *list, FILE *out) {
    const cs_detail_images *images = (const void *)((const char *)details + list->images);
    begin_list(list->name, out);
    for (int i = 0; i < images->n; i++) {
        begin_item(i, out);
        fputs("{\"id\": ", out);
        print_text(images->images[i].id, out);
        fputs(", ", out);
        print_fields(&cs_details_image_fields, &images->images[i], ", ", out);
        fputc('}', out);
    }
    fputc(']', out);
}

static void print_scores(const cs_trial_details *details, FILE *out) {
    fputs(",\n", out);
    print_fields(&cs_details_score_fields, details, ",\n", out);
    begin_list("reliability", out);
    for (int i = 0; i < CS_DETAILS_BINS; i++) {
        begin_item(i, out);
        fputc('{', out);
        print_fields(&cs_details_bin_fields, &details->bins[i], ", ", out);
        fputc('}', out);
    }
    fputc(']', out);
    for (size_t i = 0; i < CS_CURVE_LISTS; i++)
        print_curves(details, &cs_details_curve_lists[i], out);
    for (size_t i = 0; i < CS_IMAGE_LISTS; i++)
        print_images(details, &cs_details_image_lists[i], out);
}

void cs_trial_details_print(const cs_trial_details *details, FILE *out) {
    fprintf(out, "{\"version\": %d,\n\"split\": \"%s\",\n", CS_DETAILS_VERSION, cs_split_name(details->split));
    print_fields(&cs_details_fields, details, ",\n", out);
    print_classes(details, out);
    if (details->confusion)
        print_matrix(details, out);
    else
        print_cells("cells", details->cells, details->n_cells, out);
    print_cells("pairs", details->pairs, details->n_pairs, out);
    fputs(",\n\"left_out\": ", out);
    print_text(details->left_out, out);
    if (details->has_scores)
        print_scores(details, out);
    fputs("}\n", out);
}
