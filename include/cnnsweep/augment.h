/* SPDX-License-Identifier: Apache-2.0 */
/* Augmentation of training images. An augmentation is a list of steps, each a rule with its parameters, and together
 * the steps decide what is made of an image (picture.h). There are two forms of it.
 *
 * The parameters of Keras' ImageDataGenerator are rules of the family "generator". A job file gives them as a mapping,
 * and the steps are in the order of the table, which is Keras' order: settings that the other rules look at, the rules
 * that move pixels, the shift of channels, flips, brightness. Its last rules standardize (standardize.h): they change
 * no image but what the network gets of the images of every split.
 *
 * The other families hold transforms as torchvision, Keras 3 and albumentations have them, and groups of steps, such as
 * one_of. A job file gives them as a list, and the steps are in its order. Steps that mix the images of a batch may
 * stand anywhere in the list; they come after all others (mix.h). A step that standardizes stands last.
 *
 * To add a rule, add a row and its functions to a file of its family in src/data/augment/. Job files, trial keys, the
 * documentation, batches and the warps on host and GPU follow the row. To add a type of parameter, add a row to the
 * table in src/data/augment/types.c, and how it is read from a job file in src/sweep/job/augment_parameters.c. */
#ifndef CNNSWEEP_AUGMENT_H
#define CNNSWEEP_AUGMENT_H

#include "cnnsweep/image.h"
#include "cnnsweep/mix.h"
#include "cnnsweep/picture.h"
#include "cnnsweep/random.h"
#include "cnnsweep/standardize.h"
#include "cnnsweep/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CS_AUGMENT_STEPS = 24,                    /* the most steps of an augmentation */
    CS_AUGMENT_PARAMETERS = 10,               /* the most parameters of a rule */
    CS_AUGMENT_FALLBACK = 4,                  /* the most numbers of a parameter with a default that is not 0 */
    CS_AUGMENT_NUMBERS = 16,                  /* the most numbers of a rule's parameters together */
    CS_AUGMENT_DRAWN = 36,                    /* the most numbers that a rule makes of its draws */
    CS_AUGMENT_SIDE = 4096,                   /* pixels: farther than any image reaches */
    CS_AUGMENT_TEXT = CS_AUGMENT_STEPS * 320, /* bytes that hold any cs_augment_text */
};

typedef enum cs_augment_type {
    CS_AUGMENT_END,       /* no parameter: ends a rule's list */
    CS_AUGMENT_BOOL,      /* {1}: true */
    CS_AUGMENT_NUMBER,    /* {number} */
    CS_AUGMENT_WHOLE,     /* {whole number} */
    CS_AUGMENT_CHOICE,    /* {index of one of the parameter's choices} */
    CS_AUGMENT_RANGE,     /* {low, high} */
    CS_AUGMENT_PAIR,      /* {first, second}; one number is both */
    CS_AUGMENT_SIZE,      /* {height, width}, whole numbers; one number n is {n, 0} */
    CS_AUGMENT_SYMMETRIC, /* {low, high}; one number v is {-v, v} */
    CS_AUGMENT_FACTOR,    /* {low, high}; one number v is {max(0, 1-v), 1+v} */
    CS_AUGMENT_ZOOM,      /* {low, high}, above 0; one number z is {1-z, 1+z} */
    CS_AUGMENT_SHIFT,     /* {cs_augment_shift, how many numbers follow, at most 6 numbers} */
    CS_AUGMENT_FILL,      /* {0, r, g, b}, one number is all three; or {1 + index of one of the choices, 0, 0, 0} */
    CS_AUGMENT_CHANNELS,  /* {r, g, b}; one number is all three */
    CS_AUGMENT_BOUNDS,    /* {how many numbers are given, they}: [low, high]; of one alone the rule knows the meaning */
    CS_AUGMENT_TYPE_COUNT
} cs_augment_type;

/* How many of a rule's numbers a parameter of this type takes. */
int cs_augment_width(cs_augment_type type);

/* What a SHIFT is drawn from. Where the largest of its numbers is below 1, it is a fraction of the image's side, else
 * pixels. */
typedef enum cs_augment_shift {
    CS_SHIFT_NONE,
    CS_SHIFT_UNIFORM, /* v: from -v to v */
    CS_SHIFT_WHOLE,   /* n: a whole number from 0 to n-1, and a sign */
    CS_SHIFT_LIST     /* one of the numbers, and a sign */
} cs_augment_shift;

typedef struct cs_augment_parameter {
    const char *name; /* NULL: it has no name but the rule's, as in Keras' generator */
    cs_augment_type type;
    float min, max;                      /* each number lies between them, inclusive; not used by a BOOL or a CHOICE */
    float fallback[CS_AUGMENT_FALLBACK]; /* its numbers if the job file does not say */
    /* CHOICE: their names, the default first, and NULL after the last; FILL: what it may be besides numbers, or NULL */
    const char *const *choices;
    const char *hint; /* for a job file that gives another choice; may be NULL */
} cs_augment_parameter;

typedef enum cs_augment_family {
    CS_FAMILY_GENERATOR, /* Keras' ImageDataGenerator */
    CS_FAMILY_TORCHVISION,
    CS_FAMILY_KERAS, /* layers of Keras 3 */
    CS_FAMILY_ALBUMENTATIONS,
    CS_FAMILY_BATCH, /* mixes the images of a batch */
    CS_FAMILY_GROUP, /* chooses among the steps inside it */
    CS_FAMILY_COUNT
} cs_augment_family;

typedef struct cs_augment_step cs_augment_step;

typedef struct cs_augment_rule {
    const char *name; /* the transform's name there, in lower case; it also addresses the rule's draws. NULL: no row */
    const char *doc;  /* one line */
    cs_augment_family family;
    cs_augment_parameter parameters[CS_AUGMENT_PARAMETERS]; /* the first one may be given alone, without its name */
    float p;    /* the probability with which the step is applied if the job file does not say; 0 means 1 */
    int passes; /* the most passes that it adds to a picture; 0 means 1 */
    /* The names of the numbers that it makes of its draws; of a BATCH, what cs_augment_observe_mix tells. NULL ends
     * them. */
    const char *drawn[CS_AUGMENT_DRAWN];
    /* Are these numbers possible together? CS_ERR_ARG says what is wrong. NULL: always. */
    cs_status (*check)(const float *number);
    /* How many different pictures the rule can make of one image when it is applied; 0: too many to count. NULL: always
     * too many. If they are more than one, the first number drawn is the index of the picture, from 0. */
    int (*variants)(const float *number);
    /* Makes the numbers `drawn`, of random numbers, for an image of h x w. NULL: nothing is drawn. */
    void (*draw)(const float *number, cs_rng *rng, int h, int w, double *drawn);
    /* Sets the size of the image that it makes of one of h x w; CS_ERR_ARG if that is impossible. NULL: it keeps the
     * size. */
    cs_status (*resize)(const float *number, int *h, int *w);
    /* Adds to `picture` what the parameters and the drawn numbers mean. NULL: a BATCH or a GROUP, or the rule changes
     * no image. */
    void (*compose)(const float *number, const double *drawn, cs_picture *picture);
    /* Sets what the parameters mean for the standardization of all splits. NULL: nothing. */
    void (*standardize)(const float *number, cs_standardize *settings);
    /* GROUP: marks which of its n steps, of the given probabilities, it chooses. */
    void (*choose)(const float *number, cs_rng *rng, const float *p, int n, bool *chosen);
    bool needs_square; /* of another image it would exchange height and width */
    bool host_only;    /* a GPU cannot make its passes */
    bool is_certain;   /* GROUP: a step that it chooses is applied, whatever its own probability */
} cs_augment_rule;

struct cs_augment_step {
    const cs_augment_rule *rule;
    float p;
    int occurrence; /* how many steps before it have the same rule; together with the rule's name it addresses the draws
                     */
    int inside;     /* GROUP: how many of the steps after it are inside it, those of groups in it included */
    float number[CS_AUGMENT_NUMBERS]; /* the parameters' numbers one after another */
};

/* The augmentation of a training run. {0}: no augmentation. */
typedef struct cs_augment {
    int n;
    cs_augment_step steps[CS_AUGMENT_STEPS];
} cs_augment;

/* The rules, family by family: the i-th, or NULL after the last. */
const cs_augment_rule *cs_augment_rule_at(int i);
/* The rule with that name, or NULL. */
const cs_augment_rule *cs_augment_find(const char *name);
const char *cs_augment_family_name(cs_augment_family family);
/* Writes what the parameter may be: "a number from 0 to 360". */
void cs_augment_takes(const cs_augment_parameter *parameter, char *out, size_t size);
/* The numbers of parameter k of the rule among those of a step. */
float *cs_augment_numbers(cs_augment_step *step, int k);

/* Appends a step with the rule's default parameters and returns it; CS_ERR_ARG if they would be too many. */
CS_MUST_CHECK cs_status cs_augment_add(cs_augment *augment, const cs_augment_rule *rule, cs_augment_step **out);
/* May the steps together be more than a picture holds, and are those that mix batches or standardize where they can be?
 * To be called when all have been added. */
CS_MUST_CHECK cs_status cs_augment_check(const cs_augment *augment);
/* Are all numbers of a generator's rule 0, which means that the rule is off? */
bool cs_augment_step_is_off(const cs_augment_step *step);
/* Brings the steps of a generator into the order of the table, without those that are off. */
void cs_augment_sort(cs_augment *augment);

bool cs_augment_is_off(const cs_augment *augment);
/* Are the images the same with it as without it? It may still standardize them. */
bool cs_augment_keeps_images(const cs_augment *augment);
/* The standardization that the rules ask for, with what Keras makes of them together: featurewise_std_normalization and
 * zca_whitening need featurewise_center, zca_whitening switches featurewise_std_normalization off, and
 * samplewise_std_normalization needs samplewise_center. With `log` the log says so. */
cs_standardize cs_augment_standardize(const cs_augment *augment, bool log);

/* May a step be applied that only the host can do? */
bool cs_augment_needs_host(const cs_augment *augment);

/* Does a step change the size of images? Then they are augmented in the size in which they are stored. */
bool cs_augment_resizes(const cs_augment *augment);
/* Sets the size of the images that it makes of one of h x w; CS_ERR_ARG, which names the step, if a step cannot be
 * applied to the size that it gets, such as a crop to a smaller image, or a quarter of a turn to one that is no square.
 */
CS_MUST_CHECK cs_status cs_augment_size(const cs_augment *augment, int *h, int *w);
/* Does every step make an image of h x w of one of h x w? */
bool cs_augment_keeps_size(const cs_augment *augment, int h, int w);
/* CS_ERR_SHAPE if an image of h x w does not become one of input_h x input_w, the size that the network takes; else as
 * cs_augment_size. */
CS_MUST_CHECK cs_status cs_augment_check_size(const cs_augment *augment, int h, int w, int input_h, int input_w);
/* How the steps mix batches. If the p of mixup and cutmix add up to more than 1, they are divided by their sum. */
cs_mix cs_augment_mix(const cs_augment *augment);
/* Removes the steps that mix batches. */
void cs_augment_remove_mix(cs_augment *augment);

/* Writes the steps, of a generator in the order of their names: "brightness_range=0.5:0.9 horizontal_flip=true"; of a
 * list in its order, with the parameters that differ from the defaults: "[random_rotation(degrees=-15:15)]"; "" if
 * there are none. Two augmentations are equal if their texts are. The text is cut off after size - 1 characters. */
void cs_augment_text(const cs_augment *augment, char *out, size_t size);

/* One sample in one epoch. Its augmentation depends on this address and on the parameters: each step takes its draws
 * from the stream (cs_named_seed(seed, name), CS_PURPOSE_AUGMENT, epoch, sample) (random.h), where the name is the
 * rule's, and for its second occurrence "name#2". So the draws depend neither on the other steps nor on the order. The
 * first number of the stream decides whether the step is applied, if its probability is below 1. */
typedef struct cs_augment_address {
    uint64_t seed;
    uint32_t epoch;
    uint32_t sample; /* index in the split */
} cs_augment_address;

/* How many different pictures one image can become: 1 without augmentation; 0: too many to count. */
int cs_augment_variants(const cs_augment *augment);

/* The index, from 0, of the picture that the sample becomes. It means nothing where they are too many to count. */
int cs_augment_variant(const cs_augment *augment, const cs_augment_address *at);

/* Called for each step that is applied, with the numbers that it drew. */
typedef void cs_augment_observer(void *context, const cs_augment_step *step, const double *drawn);

/* Draws the picture of the sample, an image of [h,w,3]. `observer` may be NULL. */
void cs_augment_draw(const cs_augment *augment, const cs_augment_address *at, int h, int w, cs_picture *picture,
                     cs_augment_observer *observer, void *context);

/* Memory for making images, which is used again for the next one. {0}: none yet. */
typedef struct cs_augment_scratch {
    uint8_t *images[2], *rows;
    int *channels, *weights;
    cs_image image; /* for JPEG, with the next three */
    cs_decoder *decoder;
    uint8_t *jpeg;
    size_t jpeg_capacity;
    size_t image_capacity[2], channels_capacity, rows_capacity, weights_capacity;
} cs_augment_scratch;

/* Allocates what pictures of h x w need, so that only those that change an image's size allocate more. */
CS_MUST_CHECK cs_status cs_augment_reserve(cs_augment_scratch *scratch, int h, int w);
void cs_augment_scratch_clear(cs_augment_scratch *scratch);

/* Calls the observer for the step that mixes by this kind, with the index in the split of the partner and with how the
 * image is mixed with it. */
void cs_augment_observe_mix(const cs_augment *augment, int kind, int32_t partner, const cs_mixed *mixed,
                            cs_augment_observer *observer, void *context);

/* Makes an image from the image `from` [picture.h,picture.w,3] as `picture` says. *made is valid until the scratch
 * memory is used again; it is `from` if the picture has no passes. */
CS_MUST_CHECK cs_status cs_augment_apply(const cs_picture *picture, const uint8_t *from, cs_augment_scratch *scratch,
                                         const uint8_t **made);

#endif
