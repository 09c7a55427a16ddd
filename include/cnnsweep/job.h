/* A job file (YAML) becomes trials. */
#ifndef CNNSWEEP_JOB_H
#define CNNSWEEP_JOB_H

#include "cnnsweep/train.h"

/* One option: the row drives the YAML reader, --set, --help, docs and the columns of the result table. */
typedef enum cs_option_type {
    CS_OPTION_BOOL,
    CS_OPTION_INT,
    CS_OPTION_FLOAT,
    CS_OPTION_STRING,
    CS_OPTION_ENUM,
    CS_OPTION_SIZE,
    CS_OPTION_LIST
} cs_option_type;
typedef struct cs_option {
    const char *key; /* dotted, "train.lr" */
    cs_option_type type;
    size_t offset;        /* into cs_trial_config */
    size_t size;          /* of the field: bounds strings */
    double min, max;      /* numbers, inclusive */
    const char *choices;  /* ENUM: "sgd|adam", in the order of the C enum */
    const char *fallback; /* the default, as text */
    bool sweepable;
    const char *doc;
} cs_option;
const cs_option *cs_options(size_t *count);
/* Finds by dotted key, or by last part where that is unique ("lr", as under sweep.parameters). */
CS_MUST_CHECK cs_status cs_option_find(const char *key, const cs_option **out);
/* Parses `text` into the option's field; errors say key, value, range or choices. */
CS_MUST_CHECK cs_status cs_option_set(const cs_option *option, const char *text, cs_trial_config *trial);
/* The field's value as text, as trials.csv writes it. */
void cs_option_get(const cs_option *option, const cs_trial_config *trial, char *out, size_t size);
void cs_options_print(FILE *out, bool markdown);

typedef struct cs_axis {
    const cs_option *option;
    int n;
    char **values; /* as text */
} cs_axis;

typedef struct cs_job {
    char name[CS_NAME_MAX];
    cs_trial_config base;
    int threads;     /* 0: cores / ranks on the node */
    char device[16]; /* auto | cpu | ref */
    cs_axis *axes;
    int n_axes;
    char metric[32]; /* test_accuracy, ... */
    bool maximize;
    char table_rows[CS_NAME_MAX], table_columns[CS_NAME_MAX], table_value[32];
    cs_trial_config *trials; /* the grid, last axis fastest */
    int n_trials;
} cs_job;

/* Reads `path`, applies `sets` ("key=value", dotted) and expands the grid. Relative paths in the file are relative to
 * the working directory. Errors give path:line:column. */
CS_MUST_CHECK cs_status cs_job_read(const char *path, const char *const *sets, int n_sets, cs_job **out);
void cs_job_free(cs_job *job); /* NULL-safe */
/* "fine_tune=4 augment=flip_hv": the swept values of a trial. */
void cs_job_describe_trial(const cs_job *job, int trial, char *out, size_t size);
/* "t007": file names of a trial. */
void cs_job_trial_name(const cs_job *job, int trial, char *out, size_t size);

#endif
