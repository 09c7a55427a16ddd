/* SPDX-License-Identifier: Apache-2.0 */
/* How images are drawn from train for val and test.
 *
 * To add a rule: a function and a row of the table in split_rules.c. */
#ifndef CNNSWEEP_PACK_SPLIT_RULES_H
#define CNNSWEEP_PACK_SPLIT_RULES_H

#include "source/samples.h"

#include <stdio.h>

/* What is asked of a rule. The samples that it may move are those that are in train. */
typedef struct pack_split_request {
    pack_list *list;  /* in the order of the scan */
    double val, test; /* the fractions of train that go there */
    int64_t seed;
} pack_split_request;

typedef struct pack_split_rule {
    const char *name;
    const char *doc;   /* ends the sentence "images are drawn ..." */
    bool keeps_groups; /* images of a group stay in one split */
    bool no_test;      /* the rule draws none for test */
    cs_status (*assign)(const pack_split_request *request);
} pack_split_rule;

/* The rows of the table. */
const pack_split_rule *pack_split_rules(size_t *n);
/* Sets *(const pack_split_rule **)target to the rule with this name. */
CS_MUST_CHECK cs_status pack_parse_split_rule(const char *text, void *target);
/* The rule that is used unless another is named. */
const pack_split_rule *pack_default_rule(const pack_list *list);

/* Moves to the front of the list the *n samples whose split is not drawn: those that a dataset has already and, if
 * `by_groups` says so, those of the same groups, which get their split. */
CS_MUST_CHECK cs_status pack_settle_splits(pack_list *list, bool by_groups, size_t *n);

/* Divides `draws` among the classes, which have `left` [n] images: each gets the whole part of its exact share, and the
 * classes with the largest remainders one more. Of equal remainders scikit-learn draws, and here the first count. */
void pack_divide(const int64_t *left, int n, int64_t draws, int64_t *out);

/* The rule `grouped`: that of cs_split_groups (split_groups.h). */
CS_MUST_CHECK cs_status pack_split_by_group(const pack_split_request *request);

#endif
