/* SPDX-License-Identifier: Apache-2.0 */
/* Options: a row of a table is all there is to say of one. The job file's reader, --set, `cnnsweep options`, the
 * columns of the result table, the key of a trial and the errors follow from the rows.
 *
 * To add an option of a trial: a member of cs_trial_config (config.h) and a row in src/config/trial_options.c. Of the
 * job as a whole: a member of cs_job (job.h) and a row in src/sweep/job/job_options.c. */
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
    CS_OPTION_ENUM,   /* an int that counts the choices from 0, or a char array with the choice's name */
    CS_OPTION_SIZE,   /* int[2], height and width */
    CS_OPTION_LIST,   /* a char array: the list's elements with commas between them, without spaces */
    CS_OPTION_OTHER   /* row.parse fills the field */
} cs_option_type;

/* What depends on an option; a row has one or several. */
enum {
    CS_AFFECTS_NOTHING = 0,   /* no number depends on it */
    CS_AFFECTS_GRAPH = 1,     /* the layers, and their values before training */
    CS_AFFECTS_HEAD = 2,      /* the layers on top; trials of a group may differ in those behind the shared trunk */
    CS_AFFECTS_RATES = 4,     /* what layers of the head do while they train; never what is frozen */
    CS_AFFECTS_DEPTH = 8,     /* which layers are frozen */
    CS_AFFECTS_MODE = 16,     /* whether the trunk runs in every epoch */
    CS_AFFECTS_BATCHES = 32,  /* which pixels come in which step */
    CS_AFFECTS_TRAINING = 64, /* how the trainable layers are updated, and for how long */
    CS_AFFECTS_PLACE = 128,   /* where files lie: no number, but trials of a group must agree in it */
    CS_AFFECTS_SWEEP = 256    /* an option of the job: which trials there are, or their numbers */
};

typedef struct cs_option {
    const char *key; /* dotted, "train.lr"; of the job also without a dot */
    cs_option_type type;
    size_t offset, size;                    /* of the field in cs_trial_config, or of a job's option in cs_job */
    double min, max;                        /* of numbers, inclusive */
    const char *(*choice)(int value);       /* ENUM: the name of choice `value`; NULL past the last */
    const char *fallback;                   /* the default as text; of a number also a word, which is stored as 0 */
    bool sweepable;                         /* may stand under sweep: parameters: */
    bool required;                          /* a job without it is an error */
    unsigned affects;                       /* CS_AFFECTS_* */
    const char *doc;                        /* one line */
    bool takes_map;                         /* a map such as {blocks: 2} is read as the text "blocks:2" */
    const char *map_second;                 /* of such a map a second key that may follow, "activation"; NULL: none */
    bool takes_count;                       /* a text that may also be a whole number, drawn from {int: [a, b]} */
    cs_status (*check)(const void *config); /* may be NULL: is the value that was just set legal? */
    /* May be NULL. What the key of a trial has in place of the option's text ("" as for the default): what a file holds
     * and not its name, for example. */
    void (*identity)(const void *config, char *out, size_t size);
    /* OTHER: fills the field, or fails, and the text that says what it takes. */
    cs_status (*parse)(const struct cs_option *option, const char *text, void *field);
    const char *takes;
    unsigned only_with; /* of an option beside one named `type`: the bits of the types that look at it; 0: all do */
} cs_option;

/* "lr" of "train.lr": column names and sweep.parameters. Of a key without a dot all of it. */
const char *cs_option_short_name(const cs_option *option);
/* Parses `text` into the option's field of the config; errors say key, value, range or choices. */
CS_MUST_CHECK cs_status cs_option_set(const cs_option *option, const char *text, void *config);
/* The field's value as text, as trials.csv writes it. cs_option_set reads it back. */
void cs_option_get(const cs_option *option, const void *config, char *out, size_t size);
/* The rows [n] as text, or as rows of a Markdown table under cs_options_heading. */
void cs_options_print(const cs_option *options, size_t n, FILE *out, bool markdown);
void cs_options_heading(FILE *out);
/* value outside option's min to max: CS_ERR_ARG; `text` is as the user wrote it. */
CS_MUST_CHECK cs_status cs_option_check_range(const cs_option *option, const char *text, double value);

/* true and false as YAML 1.1 and Python write them. */
CS_MUST_CHECK cs_status cs_parse_bool(const char *text, bool *out);
/* Decimal, finite. */
CS_MUST_CHECK cs_status cs_parse_float(const char *text, double *out);

#endif
