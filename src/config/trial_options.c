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
