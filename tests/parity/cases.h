/* SPDX-License-Identifier: Apache-2.0 */
/* Cases that the parity scripts write to the standard input of a program, one a line: words, and settings of a trial
 * such as train.lr=0.1. */
#ifndef CNNSWEEP_TESTS_CASES_H
#define CNNSWEEP_TESTS_CASES_H

#include "cnnsweep/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CASE_WORDS = 512, CASE_LINE = 1 << 14 };

typedef struct cs_case {
    char line[CASE_LINE];
    char *words[CASE_WORDS]; /* those that are no settings */
    int n;
    cs_trial_config trial; /* with the settings */
} cs_case;

static inline void case_set(cs_case *self, const char *key, const char *text) {
    const cs_option *option = NULL;
    if (cs_option_find(key, &option) != CS_OK || cs_option_set(option, text, &self->trial) != CS_OK) {
        fprintf(stderr, "%s\n", cs_error_last()->text);
        exit(1);
    }
}

/* Reads the next case; false: there is none. */
static inline bool case_read(cs_case *self) {
    size_t n;
    const cs_option *options = cs_options(&n);
    if (!fgets(self->line, sizeof self->line, stdin))
        return false;
    memset(&self->trial, 0, sizeof self->trial);
    for (size_t i = 0; i < n; i++)
        case_set(self, options[i].key, options[i].fallback);
    self->n = 0;
    for (char *word = strtok(self->line, " \n"); word; word = strtok(NULL, " \n")) {
        char *equals = strchr(word, '=');
        if (!equals) {
            self->words[self->n++] = word;
            continue;
        }
        *equals = '\0';
        case_set(self, word, equals + 1);
    }
    return true;
}

#endif
