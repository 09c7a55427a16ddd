/* SPDX-License-Identifier: Apache-2.0 */
/* Augmentation of training images: rules, each with a parameter that the job file sets, that together decide what is
 * made of an image (picture.h). Names and formulas are Keras' (ImageDataGenerator); the order is Keras' too: first what
 * moves pixels, then flips, then brightness.
 *
 * To add a rule: a row in src/data/augment/rules.c, and its functions in a file beside it, declared in rules.h. The
 * order of the rows is the order in which rules are composed, and nothing else depends on it. Job files, keys of
 * trials, batches and both warps know the rule then. To add a type of parameter: a value of cs_augment_type, its text
 * in src/data/augment/text.c, and how it is read from a job file in src/sweep/job/augmentations.c. */
#ifndef CNNSWEEP_AUGMENT_H
#define CNNSWEEP_AUGMENT_H

#include "cnnsweep/picture.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CS_AUGMENT_MAX = 32,                   /* rules at most */
    CS_AUGMENT_NUMBERS = 2,                /* of a parameter, at most */
    CS_AUGMENT_DRAWS = 16,                 /* of a rule, at most */
    CS_AUGMENT_TEXT = CS_AUGMENT_MAX * 64, /* bytes that hold any cs_augment_text */
};

typedef enum cs_augment_type {
    CS_AUGMENT_BOOL, /* {1}: true */
    CS_AUGMENT_RANGE /* {low, high} */
} cs_augment_type;

/* A rule's parameter. All 0: the rule is off. */
typedef struct cs_augment_value {
    float number[CS_AUGMENT_NUMBERS];
} cs_augment_value;

/* What is done to training images: the parameter of every rule, in the order of the table. {0}: nothing. */
typedef struct cs_augment {
    cs_augment_value rules[CS_AUGMENT_MAX];
} cs_augment;

typedef struct cs_augment_rule {
    const char *name; /* of the parameter, as in Keras or torchvision; also the address of the rule's draws */
    cs_augment_type type;
    float min, max; /* each number of the parameter lies between them, inclusive; of a BOOL: not read */
    int draws;      /* how many it takes, each uniform in [0, 1) */
    /* How many pictures it makes of one; 0: too many to count. NULL: always too many. */
    int (*variants)(const cs_augment_value *value);
    /* Which of them, from 0, the draws stand for. NULL: where they can be counted there is one. */
    int (*choose)(const cs_augment_value *value, const float *draws);
    /* Adds to `picture` what the draws stand for. Called for rules that are on. */
    void (*compose)(const cs_augment_value *value, const float *draws, cs_picture *picture);
} cs_augment_rule;

/* The table. */
const cs_augment_rule *cs_augment_rules(int *n);
/* The rule's index in the table and in cs_augment; -1: there is none of that name. */
int cs_augment_find(const char *name);

bool cs_augment_is_off(const cs_augment *augment);

/* The rules that are on, in the order of their names: "brightness_range=0.5:0.9 horizontal_flip=true"; "" when off.
 * Equal text is equal augmentation. Cut off after size - 1 characters. */
void cs_augment_text(const cs_augment *augment, char *out, size_t size);

/* A sample in an epoch. What is done to it depends on this and on the parameters: each rule takes its draws from the
 * stream (cs_named_seed(seed, rule's name), CS_PURPOSE_AUGMENT, epoch, sample) (random.h), so that neither the other
 * rules nor the order of the table changes them. */
typedef struct cs_augment_address {
    uint64_t seed;
    uint32_t epoch;
    uint32_t sample; /* index in the split */
} cs_augment_address;

/* Different pictures that one image can become: 1 when off; 0: too many to count. */
int cs_augment_variants(const cs_augment *augment);

/* Which of them, from 0, the sample becomes. Where they are too many to count it means nothing. */
int cs_augment_variant(const cs_augment *augment, const cs_augment_address *at);

/* What becomes of the sample, an image of [h,w,3]. */
void cs_augment_draw(const cs_augment *augment, const cs_augment_address *at, int h, int w, cs_picture *picture);

/* Makes of `from` [h,w,3] what `picture` says, in `to` [h,w,3], which is other memory. */
void cs_augment_apply(const cs_picture *picture, const uint8_t *from, uint8_t *to);

#endif
