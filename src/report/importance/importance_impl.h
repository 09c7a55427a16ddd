/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the floor of importance: the methods, and the values of options as levels. */
#ifndef CNNSWEEP_IMPORTANCE_IMPL_H
#define CNNSWEEP_IMPORTANCE_IMPL_H

#include "cnnsweep/importance.h"

/* The trials with a result, by the indices of their values. */
typedef struct cs_levels {
    int n_trials;
    int *trials;         /* [n_trials] their indices in the table */
    double *values;      /* [n_trials] of the metric */
    int *counts;         /* [n_options] how many different values each option has */
    int *of;             /* [n_trials,n_options] which of them a trial has; -1: none */
    const char ***names; /* [n_options][counts] the values */
} cs_levels;
/* Numbers rise; other values are in the order in which they come first. */
CS_MUST_CHECK cs_status cs_levels_make(const cs_importance_table *table, cs_levels *out);
void cs_levels_free(const cs_importance_table *table, cs_levels *levels);

/* Adds a part; there must be memory for it. */
void cs_importance_add(cs_importance *importance, int first, int second, double share);
/* Puts the largest first. */
void cs_importance_sort(cs_importance *importance);

CS_MUST_CHECK cs_status cs_importance_anova(const cs_importance_table *table, cs_importance *out);
CS_MUST_CHECK cs_status cs_importance_ped_anova(const cs_importance_table *table, cs_importance *out);
CS_MUST_CHECK cs_status cs_importance_fanova(const cs_importance_table *table, cs_importance *out);

#endif
