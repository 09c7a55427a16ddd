/* SPDX-License-Identifier: Apache-2.0 */
/* Joins the families of options of a trial to one table. option.h says how to add one; the defaults are Keras'. */
#include "option_families.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

enum { OPTIONS_MAX = 160 };

static const cs_option_family *const families[] = {&cs_model_options, &cs_train_options, &cs_optimizer_options,
                                                   &cs_schedule_options};

static cs_option table[OPTIONS_MAX];
static size_t n_options;

static void join_families(void) {
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        assert(n_options + families[i]->n <= OPTIONS_MAX && "raise OPTIONS_MAX");
        memcpy(table + n_options, families[i]->rows, families[i]->n * sizeof *table);
        n_options += families[i]->n;
    }
}

const cs_option *cs_options(size_t *count) {
    static pthread_once_t once = PTHREAD_ONCE_INIT; /* two threads of rank 0 may call this */
    pthread_once(&once, join_families);
    *count = n_options;
    return table;
}

cs_status cs_option_find(const char *key, const cs_option **out) {
    bool dotted = strchr(key, '.') != NULL;
    cs_suggestion suggestion = cs_suggestion_begin(key);
    char guess[128];
    size_t n;
    const cs_option *options = cs_options(&n);
    for (size_t i = 0; i < n; i++) {
        const char *name = dotted ? options[i].key : cs_option_short_name(&options[i]);
        cs_suggestion_try(&suggestion, name);
        if (strcmp(name, key) == 0) {
            *out = &options[i];
            return CS_OK;
        }
    }
    return cs_hint(
        cs_fail(CS_ERR_ARG, "unknown option '%s'%s", key, cs_suggestion_text(&suggestion, guess, sizeof guess)),
        "`cnnsweep options` lists them all");
}

cs_train_dialect cs_trial_network_dialect(const cs_trial_config *trial) {
    return cs_model_dialect(&trial->model) == CS_DIALECT_TORCH ? CS_TRAIN_DIALECT_TORCH : CS_TRAIN_DIALECT_KERAS;
}

cs_status cs_trial_metrics(const cs_train_config *train, cs_metric_set *out) {
    const char *const names[] = {train->monitor, train->schedule.plateau_monitor};
    CS_TRY(cs_metric_set_read(train->metrics, out));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int monitored = cs_metric_find_column(names[i]);
        if (monitored >= 0) /* "auto" follows the monitor */
            out->has[monitored] = true;
    }
    return CS_OK;
}

bool cs_trial_evaluates(const cs_train_config *train, cs_split split) {
    const char *name = cs_split_name(split);
    size_t length = strlen(name);
    for (const char *at = train->evaluate; *at; at += strcspn(at, ","), at += *at == ',')
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || !at[length]))
            return true;
    return false;
}

cs_metric_split cs_metrics_after_training(cs_split split) {
    static const cs_metric_split after[CS_SPLIT_COUNT] = {
        [CS_SPLIT_TRAIN] = CS_METRIC_FINAL, [CS_SPLIT_VAL] = CS_METRIC_VAL, [CS_SPLIT_TEST] = CS_METRIC_TEST};
    return after[split];
}

bool cs_trial_tests(const cs_train_config *train, cs_split split, const char *metric) {
    cs_metric_set set;
    int column = cs_metric_find_column(metric);
    return column >= 0 && cs_trial_metrics(train, &set) == CS_OK &&
           set.has[cs_metric_sibling(column, cs_metrics_after_training(split))];
}

const cs_augment *cs_trial_augment(const cs_trial_config *trial, cs_split split) {
    return split == CS_SPLIT_TRAIN ? &trial->augment : &trial->val_augment;
}
