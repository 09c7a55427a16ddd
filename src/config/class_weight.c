/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/class_weight.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY "train.class_weight"

typedef struct entry {
    char name[256];
    double weight;
} entry;

bool cs_class_weight_is_on(const char *text) {
    return text[0] && strcmp(text, "none") != 0;
}

static bool is_balanced(const char *text) {
    return strcmp(text, "balanced") == 0;
}

static cs_status fail_form(const char *text) {
    return cs_hint(cs_fail(CS_ERR_ARG, KEY " is '%s'", text),
                   "it takes none, balanced, a map such as {melanoma: 5, 2: 0.5}, or a list such as [1, 5] with the "
                   "weight of every class; a weight is 0 to 1e6");
}

static cs_status read_entry(const char *text, int i, entry *out) {
    const double most = 1e6;
    bool good = cs_entry_read(text, i, out->name, sizeof out->name, &out->weight);
    return good && out->weight >= 0 && out->weight <= most ? CS_OK : fail_form(text);
}

cs_status cs_class_weight_check(const char *text) {
    const int n = cs_entry_count(text);
    bool named = false, any = false;
    if (!cs_class_weight_is_on(text) || is_balanced(text))
        return CS_OK;
    for (int i = 0; i < n; i++) {
        entry read;
        CS_TRY(read_entry(text, i, &read));
        bool has_name = read.name[0] != '\0';
        if (i > 0 && has_name != named)
            return fail_form(text);
        named = has_name;
        any = any || read.weight > 0;
    }
    return any || named ? CS_OK : cs_fail(CS_ERR_ARG, KEY " is '%s': no class has a weight above 0", text);
}

/* The class with that name, and else the one with that number. Keras means the number; where classes are named by
 * numbers, the two must agree. */
static cs_status find_class(const cs_dataset *dataset, const char *name, int *out) {
    const int classes = cs_dataset_class_count(dataset);
    cs_suggestion suggestion = cs_suggestion_begin(name);
    char guess[128], *end;
    long number = strtol(name, &end, 10);
    bool numbered = end != name && !*end && number >= 0 && number < classes;
    int found = -1;
    for (int k = 0; k < classes; k++) {
        cs_suggestion_try(&suggestion, cs_dataset_class(dataset, k));
        if (strcmp(cs_dataset_class(dataset, k), name) == 0)
            found = k;
    }
    if (found < 0 && !numbered)
        return cs_hint(cs_fail(CS_ERR_ARG, KEY ": %s has no class '%s'%s", cs_dataset_path(dataset), name,
                               cs_suggestion_text(&suggestion, guess, sizeof guess)),
                       "it has %d classes, from 0, %s, to %d, %s", classes, cs_dataset_class(dataset, 0), classes - 1,
                       cs_dataset_class(dataset, classes - 1));
    if (found >= 0 && numbered && number != found)
        return cs_hint(cs_fail(CS_ERR_ARG, KEY ": '%s' is the name of class %d and the number of class '%s'", name,
                               found, cs_dataset_class(dataset, (int)number)),
                       "write a list with the weights of all %d classes", classes);
    *out = found >= 0 ? found : (int)number;
    return CS_OK;
}

static cs_status read_weights(const char *text, const cs_dataset *dataset, double *weights, bool *given) {
    const int classes = cs_dataset_class_count(dataset), n = cs_entry_count(text);
    for (int i = 0; i < n; i++) {
        entry read;
        int k = i;
        CS_TRY(read_entry(text, i, &read));
        if (read.name[0])
            CS_TRY(find_class(dataset, read.name, &k));
        else if (n != classes)
            return cs_hint(
                cs_fail(CS_ERR_ARG, KEY " has %d weights, but %s has %d classes", n, cs_dataset_path(dataset), classes),
                "a map such as {%s: 5} leaves out classes", cs_dataset_class(dataset, classes - 1));
        if (given[k])
            return cs_fail(CS_ERR_ARG, KEY " is '%s': class %d, %s, has two weights", text, k,
                           cs_dataset_class(dataset, k));
        given[k] = true;
        weights[k] = read.weight;
    }
    return CS_OK;
}

static void balance(const cs_dataset *dataset, double *weights) {
    const int64_t n = cs_dataset_count(dataset, CS_SPLIT_TRAIN);
    const int classes = cs_dataset_class_count(dataset);
    int present = 0;
    memset(weights, 0, (size_t)classes * sizeof *weights);
    for (int64_t i = 0; i < n; i++)
        weights[cs_dataset_label(dataset, CS_SPLIT_TRAIN, i)]++;
    for (int k = 0; k < classes; k++)
        present += weights[k] > 0;
    for (int k = 0; k < classes; k++)
        weights[k] = weights[k] > 0 ? (double)n / (present * weights[k]) : 1;
}

cs_status cs_class_weight_read(const char *text, const cs_dataset *dataset, double *weights) {
    const int classes = cs_dataset_class_count(dataset);
    bool *given = NULL;
    for (int k = 0; k < classes; k++)
        weights[k] = 1;
    if (!cs_class_weight_is_on(text))
        return CS_OK;
    if (is_balanced(text)) {
        balance(dataset, weights);
        return CS_OK;
    }
    CS_TRY(cs_alloc((size_t)classes, sizeof *given, "class weights", &given));
    cs_status status = read_weights(text, dataset, weights, given);
    free(given);
    return status;
}

cs_status cs_sample_weight_check(const cs_dataset *dataset) {
    const int64_t n = cs_dataset_count(dataset, CS_SPLIT_TRAIN);
    bool any = false;
    if (!cs_dataset_has_weights(dataset))
        return cs_hint(
            cs_fail(CS_ERR_ARG, "train.sample_weight: the images of %s have no weights", cs_dataset_path(dataset)),
            "cnnsweep-pack --weights FILE.csv stores them");
    for (int64_t i = 0; i < n && !any; i++)
        any = cs_dataset_weight(dataset, CS_SPLIT_TRAIN, i) > 0;
    return any ? CS_OK
               : cs_fail(CS_ERR_ARG, "train.sample_weight: all training images of %s have the weight 0",
                         cs_dataset_path(dataset));
}
