/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the functions that read the parts of a job file, and what they share. job.c calls those that
 * read a part, and these call the functions of job_reader.c. */
#ifndef CNNSWEEP_JOB_READER_H
#define CNNSWEEP_JOB_READER_H

#include "augmentations.h"
#include "cnnsweep/job.h"
#include "column.h"
#include "method.h"
#include "node.h"
#include "space.h"

typedef struct cs_job_reader {
    cs_job *job;
    const cs_node *root;
    const cs_node **given; /* [cs_options] the node that sets or sweeps each option; NULL: it has its default */
    const cs_node *phases; /* a list of maps; NULL: the training is not divided */
    const cs_node *sweep;  /* NULL: the job has a single trial */
    cs_space space;        /* what is swept */
} cs_job_reader;

/* Takes over what a reader owns, to make trials after the job file was read; the tree of nodes must be kept too. */
cs_job_reader cs_job_reader_take(cs_job_reader *reader);
void cs_job_reader_clear(cs_job_reader *reader);

/* A key of a map and the function that reads its value. The name NULL stands for every section of options of a trial,
 * such as "train". */
typedef struct cs_job_key {
    const char *name;
    cs_status (*read)(cs_job_reader *reader, const cs_node *key, const cs_node *value);
} cs_job_key;

/* Reads a map: first the options of the job (cs_job_options) in `section` ("sweep.budget"; "": the top of the file),
 * then `keys` [n], both in the order of their tables. Any other key is an error with a suggestion. `where` names the
 * map in errors. */
CS_MUST_CHECK cs_status cs_job_read_map(cs_job_reader *reader, const char *where, const cs_node *map,
                                        const char *section, const cs_job_key *keys, size_t n);

/* Reads a scalar of at most `size` - 1 characters. */
CS_MUST_CHECK cs_status cs_job_read_text(const cs_node *key, const cs_node *value, char *out, size_t size);
/* Reads one of `choices`; `out` is its index. */
CS_MUST_CHECK cs_status cs_job_read_choice(const cs_node *key, const cs_node *value, const char *const *choices,
                                           size_t n, int *out);
/* Reads the name of a metric. */
CS_MUST_CHECK cs_status cs_job_read_metric(const cs_node *key, const cs_node *value, char *out, size_t size,
                                           const cs_column **metric);

/* The option of the job with the key `name` in `section`; NULL: there is none. */
const cs_option *cs_job_setting(const char *section, const char *name);
/* Sets an option of the job from a node. */
CS_MUST_CHECK cs_status cs_job_read_setting(cs_job_reader *reader, const cs_option *option, const cs_node *key,
                                            const cs_node *value);
/* Sets an option of a trial from a node: [50, 50] for a size, [gap, dense] for a list. */
CS_MUST_CHECK cs_status cs_job_set_option(const cs_job_reader *reader, const cs_option *option, const cs_node *value,
                                          cs_trial_config *trial);
/* The node that sets or sweeps the option of a trial; NULL: it has its default. */
const cs_node *cs_job_given(const cs_job_reader *reader, const char *key);

/* Puts the phases of the preset: that the job file names in its place, and reads its settings (presets.c). */
CS_MUST_CHECK cs_status cs_job_expand_preset(cs_node *root);
CS_MUST_CHECK cs_status cs_job_read_preset(cs_job_reader *reader, const cs_node *key, const cs_node *map);
/* Reads sweep: (sweep_keys.c). */
CS_MUST_CHECK cs_status cs_job_read_sweep(cs_job_reader *reader, const cs_node *key, const cs_node *value);
/* Read parts of it: parameters: and zip: (parameter_keys.c), exclude: and include: (cell_keys.c). */
CS_MUST_CHECK cs_status cs_job_read_parameters(cs_job_reader *reader, const cs_node *key, const cs_node *value);
CS_MUST_CHECK cs_status cs_job_read_zip(cs_job_reader *reader, const cs_node *key, const cs_node *value);
CS_MUST_CHECK cs_status cs_job_read_exclude(cs_job_reader *reader, const cs_node *key, const cs_node *value);
CS_MUST_CHECK cs_status cs_job_read_include(cs_job_reader *reader, const cs_node *key, const cs_node *value);
/* Reads the conditions of the axes, when all swept options are known. */
CS_MUST_CHECK cs_status cs_job_read_conditions(cs_job_reader *reader);
/* Where the node that sets or sweeps the option is kept: in `given`, or with an option of one phase. */
const cs_node **cs_job_given_slot(const cs_job_reader *reader, const cs_option *option);
/* Adds an option to those that are swept. Its values are still to be read. */
CS_MUST_CHECK cs_status cs_job_add_swept(cs_job_reader *reader, const cs_option *option, const cs_node *value);
/* Adds a value to a swept option. */
CS_MUST_CHECK cs_status cs_job_append_value(cs_swept_option *swept, const char *text);
/* The index of the value; -1: the option does not have it. */
int cs_job_find_value(const cs_swept_option *swept, const char *text);
/* Reads a value of an option and writes it as cs_option_get does, so that 1e-3 and 0.001 are equal. */
CS_MUST_CHECK cs_status cs_job_read_value(cs_job_reader *reader, const cs_option *option, const cs_node *value,
                                          char *out, size_t size);
/* The index of the swept option; -1: it is not swept. */
int cs_job_find_swept(const cs_job *job, const cs_option *option);
/* The items of a list; a value that is no list is its own item. */
int cs_job_count_items(const cs_node *value);
const cs_node *cs_job_item(const cs_node *value, int i);
/* Reads a map such as {uniform: [a, b]}, {int: [a, b], step: c} or {values: [a, b, c]} (range_keys.c). A range with a
 * step becomes a list of values, which are added to `swept`. `list` is the node of listed values, which are still to be
 * read; NULL: there is none. */
CS_MUST_CHECK cs_status cs_job_read_range(cs_job_reader *reader, const cs_option *option, const cs_node *map,
                                          cs_range *range, cs_swept_option *swept, const cs_node **list);
/* Reads table: (table_keys.c). */
CS_MUST_CHECK cs_status cs_job_read_table(cs_job_reader *reader, const cs_node *key, const cs_node *value);
/* Chooses rows and columns where the job does not. */
void cs_job_complete_table(const cs_job_reader *reader);
/* Adds to train.metrics what the job compares trials by, and sets job->metrics. */
CS_MUST_CHECK cs_status cs_job_choose_metrics(cs_job *job);
/* Makes job->trials (trials.c). */
CS_MUST_CHECK cs_status cs_job_expand(cs_job_reader *reader);
/* Makes one of them, with the values that job->value_indices names. */
CS_MUST_CHECK cs_status cs_job_make_trial(const cs_job_reader *reader, int trial);
/* Allocates the arrays that have an element for each of job->n_trials, other than value_indices. */
CS_MUST_CHECK cs_status cs_job_alloc_trials(cs_job *job);
/* CS_ERR_ARG if an option is given that no trial uses, or swept and not used by all (used.c). */
CS_MUST_CHECK cs_status cs_job_check_used(const cs_job_reader *reader);

#endif
