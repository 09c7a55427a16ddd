/* SPDX-License-Identifier: Apache-2.0 */
/* Options. A row of a table says everything about an option. The job file's reader, --set, `cnnsweep options`, the
 * columns of the result table, the key of a trial and the error messages all follow from the rows.
 *
 * To add an option of a trial: a member of cs_trial_config (config.h) and a row in the file of its family
 * (src/config/option_families.h names them). To add an option of the job as a whole: a member of cs_job (job.h) and a
 * row in src/sweep/job/job_options.c. */
#ifndef CNNSWEEP_OPTION_H
#define CNNSWEEP_OPTION_H

#include "cnnsweep/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef enum cs_option_type {
    CS_OPTION_BOOL,
    CS_OPTION_INT,    /* an int or an int64_t, by the size of the field */
    CS_OPTION_FLOAT,  /* a float or a double, by the size of the field */
    CS_OPTION_STRING, /* a char array */
    CS_OPTION_ENUM,   /* an int, the index of the choice, or a char array with the choice's name */
    CS_OPTION_SIZE,   /* int[2]: height and width */
    CS_OPTION_LIST,   /* a char array: the list's elements, separated by commas without spaces */
    CS_OPTION_OTHER   /* row.parse fills the field */
} cs_option_type;

/* What depends on an option. A row may combine several. */
enum {
    CS_AFFECTS_NOTHING = 0,   /* no result depends on it */
    CS_AFFECTS_GRAPH = 1,     /* the layers, and their values before training */
    CS_AFFECTS_HEAD = 2,      /* the layers of the head; trials of a group may differ in those after the shared trunk */
    CS_AFFECTS_RATES = 4,     /* what the layers of the head do while they train; the frozen layers never */
    CS_AFFECTS_FROZEN = 8,    /* which layers are frozen */
    CS_AFFECTS_MODE = 16,     /* whether the trunk runs in every epoch */
    CS_AFFECTS_BATCHES = 32,  /* which pixels each step sees */
    CS_AFFECTS_TRAINING = 64, /* how the trainable layers are updated, and for how long */
    CS_AFFECTS_PATHS = 128,   /* where files are: no result depends on it, but trials of a group must agree */
    CS_AFFECTS_SPLITS = 512,  /* which samples each split has */
    CS_AFFECTS_SWEEP = 256    /* which trials there are, how they are run, or which of their figures are written */
};

typedef struct cs_option {
    const char *key; /* dotted, as in "train.lr"; keys of the job may have no dot */
    cs_option_type type;
    size_t offset, size;              /* of the field in cs_trial_config; for an option of the job in cs_job */
    double min, max;                  /* for numbers, inclusive */
    const char *(*choice)(int value); /* ENUM: the name of choice `value`; NULL after the last */
    /* the default as text; for a number it may be a word, which is stored as NaN, or as 0 for a whole number */
    const char *fallback;
    /* May be NULL. The text that counts as the default in the key of a trial, if `fallback` is a word for a value that
     * other options decide. */
    const char *key_default;
    bool whole_name;        /* its name is the whole key, because the last part is that of another option or metric */
    bool sweepable;         /* may be listed under sweep: parameters: */
    bool required;          /* a job without it is an error */
    unsigned affects;       /* CS_AFFECTS_* */
    const char *doc;        /* one line */
    bool takes_map;         /* a map such as {blocks: 2} is read as the text "blocks:2" */
    const char *map_second; /* a second key that such a map may have, "activation"; NULL: none */
    /* LIST: a map such as {melanoma: 5, 2: 0.5} is read as the text "melanoma:5,2:0.5" */
    bool takes_entries;
    /* a list such as [median, {gaussian: 2}, {unsharp: {sigma: 3}}] is read as "median,gaussian:2,unsharp:sigma=3" */
    bool takes_steps;
    /* the text may also be a whole number, which a sweep can draw from {int: [a, b]} */
    bool takes_count;
    bool is_path;                           /* STRING: a job file may begin it with ~/ and have $NAME in it */
    cs_status (*check)(const void *config); /* may be NULL; checks the value that was just set */
    /* May be NULL. Gives what counts for the key of a trial in place of the option's text, such as the content of a
     * file in place of its name; "" counts as the default. */
    void (*identity)(const void *config, char *out, size_t size);
    /* OTHER: parses the text into the field. `takes` says what texts it accepts. */
    cs_status (*parse)(const struct cs_option *option, const char *text, void *field);
    const char *takes;
    /* If the option belongs to a map that has an option `type`: the bits of the types that use it; 0: all do. */
    unsigned only_with;
} cs_option;

/* "lr" for "train.lr", as in column names and sweep.parameters. A key without a dot is returned whole, and so is that
 * of an option with a whole_name. */
const char *cs_option_short_name(const cs_option *option);
/* Parses `text` into the option's field of the config. Errors name the key, the value, and the range or the choices. */
CS_MUST_CHECK cs_status cs_option_set(const cs_option *option, const char *text, void *config);
/* Writes the field's value as text, as in trials.csv. cs_option_set reads it back. */
void cs_option_get(const cs_option *option, const void *config, char *out, size_t size);
/* Prints the rows [n] as text, or as rows of the Markdown table whose heading cs_options_heading prints. */
void cs_options_print(const cs_option *options, size_t n, FILE *out, bool markdown);
void cs_options_heading(FILE *out);
/* CS_ERR_ARG if `value` is outside the option's min to max. `text` is the value as the user wrote it. */
CS_MUST_CHECK cs_status cs_option_check_range(const cs_option *option, const char *text, double value);
/* May a job file give null in place of a value? It then means the default, which is empty or none. */
bool cs_option_takes_null(const cs_option *option);

#endif
