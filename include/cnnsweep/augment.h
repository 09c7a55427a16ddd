/* SPDX-License-Identifier: Apache-2.0 */
/* Augmentation of training images. Each rule has a parameter that the job file sets, and together the rules decide what
 * is made of an image (picture.h). Their names, formulas and order are those of Keras' ImageDataGenerator: first
 * settings that the other rules look at, then the rules that move pixels, the shift of channels, flips, brightness.
 *
 * To add a rule, add a row in src/data/augment/rules.c, and its functions in a file beside it, declared in rules.h.
 * Rules are composed in the order of the rows; nothing else depends on that order. Job files, trial keys, batches and
 * the warps on host and GPU follow the table. To add a type of parameter, add a value of cs_augment_type, its text in
 * src/data/augment/text.c, and how it is read from a job file in src/sweep/job/augmentations.c. */
#ifndef CNNSWEEP_AUGMENT_H
#define CNNSWEEP_AUGMENT_H

#include "cnnsweep/picture.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CS_AUGMENT_MAX = 32,                    /* the most rules */
    CS_AUGMENT_NUMBERS = 8,                 /* the most numbers of a parameter */
    CS_AUGMENT_DRAWS = 16,                  /* the most draws of a rule */
    CS_AUGMENT_DRAWN = 2,                   /* the most numbers that a rule makes of its draws */
    CS_AUGMENT_TEXT = CS_AUGMENT_MAX * 192, /* bytes that hold any cs_augment_text */
};

typedef enum cs_augment_type {
    CS_AUGMENT_BOOL,   /* {1}: true */
    CS_AUGMENT_NUMBER, /* {number} */
    CS_AUGMENT_CHOICE, /* {index of one of the rule's choices} */
    CS_AUGMENT_RANGE,  /* {low, high} */
    CS_AUGMENT_ZOOM,   /* {low, high}; the job file may give one number z for {1-z, 1+z} */
    CS_AUGMENT_SHIFT,  /* {cs_augment_shift, how many numbers follow, the numbers} */
    CS_AUGMENT_TYPE_COUNT
} cs_augment_type;

/* What a SHIFT is drawn from. Where the largest of its numbers is below 1, it is a fraction of the image's side, else
 * pixels. */
typedef enum cs_augment_shift {
    CS_SHIFT_NONE,
    CS_SHIFT_UNIFORM, /* v: from -v to v */
    CS_SHIFT_WHOLE,   /* n: a whole number from 0 to n-1, and a sign */
    CS_SHIFT_LIST     /* one of the numbers, and a sign */
} cs_augment_shift;

/* A rule's parameter. All 0: the rule is off. */
typedef struct cs_augment_value {
    float number[CS_AUGMENT_NUMBERS];
} cs_augment_value;

/* The augmentation of a training run: the parameter of every rule, in the order of the table. {0}: no augmentation. */
typedef struct cs_augment {
    cs_augment_value rules[CS_AUGMENT_MAX];
} cs_augment;

typedef struct cs_augment_rule {
    const char *name; /* the parameter's name in Keras or torchvision; it also addresses the rule's draws */
    const char *doc;  /* one line */
    cs_augment_type type;
    float min, max; /* each number of the parameter lies between them, inclusive; not used by a BOOL or a CHOICE */
    int draws;      /* how many random numbers it takes, each uniform in [0, 1) */
    const char *drawn[CS_AUGMENT_DRAWN]; /* the names of the numbers that it makes of them; NULL ends them */
    const char *const *choices; /* CHOICE: their names, the default first, and NULL after the last; else NULL */
    /* How many different pictures the rule can make of one image; 0: too many to count. NULL: always too many. If they
     * are more than one, the first number drawn is the index of the picture, from 0. */
    int (*variants)(const cs_augment_value *value);
    /* Makes the numbers `drawn` of the draws, for an image of h x w. NULL: they are the numbers of the parameter. */
    void (*draw)(const cs_augment_value *value, const float *draws, int h, int w, double *drawn);
    /* Adds to `picture` the change that the numbers mean. Called only for rules that are on. */
    void (*compose)(const double *drawn, cs_picture *picture);
} cs_augment_rule;

/* The table. */
const cs_augment_rule *cs_augment_rules(int *n);
/* Writes what the rule's parameter may be: "a number from 0 to 360". */
void cs_augment_takes(const cs_augment_rule *rule, char *out, size_t size);
/* The rule's index in the table and in cs_augment; -1: no rule has that name. */
int cs_augment_find(const char *name);

bool cs_augment_is_off(const cs_augment *augment);

/* Writes the rules that are on, in the order of their names: "brightness_range=0.5:0.9 horizontal_flip=true"; "" if
 * none is. Two augmentations are equal if their texts are. The text is cut off after size - 1 characters. */
void cs_augment_text(const cs_augment *augment, char *out, size_t size);

/* One sample in one epoch. Its augmentation depends on this address and on the parameters: each rule takes its draws
 * from the stream (cs_named_seed(seed, rule's name), CS_PURPOSE_AUGMENT, epoch, sample) (random.h), so that neither the
 * other rules nor the order of the table change them. */
typedef struct cs_augment_address {
    uint64_t seed;
    uint32_t epoch;
    uint32_t sample; /* index in the split */
} cs_augment_address;

/* How many different pictures one image can become: 1 without augmentation; 0: too many to count. */
int cs_augment_variants(const cs_augment *augment);

/* The index, from 0, of the picture that the sample becomes. It means nothing where they are too many to count. */
int cs_augment_variant(const cs_augment *augment, const cs_augment_address *at);

/* Sets the numbers that rule `rule` draws for the sample, an image of [h,w,3]. Returns false if the rule is off. */
bool cs_augment_drawn(const cs_augment *augment, const cs_augment_address *at, int h, int w, int rule,
                      double drawn[CS_AUGMENT_DRAWN]);

/* Draws the picture of the sample, an image of [h,w,3]. */
void cs_augment_draw(const cs_augment *augment, const cs_augment_address *at, int h, int w, cs_picture *picture);

/* Makes the image `to` [h,w,3] from the image `from` [h,w,3] as `picture` says. The two must not overlap. */
void cs_augment_apply(const cs_picture *picture, const uint8_t *from, uint8_t *to);

#endif
