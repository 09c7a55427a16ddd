/* Inside the sweep room: what the files that read a job share. */
#ifndef CNNSWEEP_JOB_READER_H
#define CNNSWEEP_JOB_READER_H

#include "augmentations.h"
#include "cnnsweep/job.h"
#include "metric.h"
#include "node.h"
#include "search.h"

enum { CS_MAX_OPTIONS = 64, CS_MAX_TRIALS = 100000 };

typedef struct cs_job_reader {
    cs_job *job;
    const cs_node *root;
    cs_augmentations augmentations;
    const cs_node *given[CS_MAX_OPTIONS]; /* where an option is set or swept; NULL: the default holds */
    const cs_node *sweep;                 /* NULL: a single trial */
    cs_range ranges[CS_MAX_OPTIONS];      /* of job->axes */
} cs_job_reader;

/* A key of a map and the function that reads its value. */
typedef struct cs_job_key {
    const char *name;
    cs_status (*read)(cs_job_reader *reader, const cs_node *key, const cs_node *value);
} cs_job_key;
/* Reads the keys that are there in the order of the table; other keys are errors with "did you mean". */
CS_MUST_CHECK cs_status cs_job_read_keys(cs_job_reader *reader, const char *where, const cs_node *map,
                                         const cs_job_key *keys, size_t n);

/* Scalar text of at most `size` - 1 characters. */
CS_MUST_CHECK cs_status cs_job_read_text(const cs_node *key, const cs_node *value, char *out, size_t size);

/* Sets the option of cs_job_options with that key. */
CS_MUST_CHECK cs_status cs_job_read_setting(cs_job_reader *reader, const char *dotted, const cs_node *key,
                                            const cs_node *value);

/* Sets an option from a node ([50, 50] for a size, [gap, dense] for a list); names of architectures and augmentations
 * are looked up. */
CS_MUST_CHECK cs_status cs_job_set_option(cs_job_reader *reader, const cs_option *option, const cs_node *value,
                                          cs_trial_config *trial);

/* sweep: (sweep_keys.c). */
CS_MUST_CHECK cs_status cs_job_read_sweep(cs_job_reader *reader, const cs_node *key, const cs_node *value);
/* {uniform: [a, b]}, {log_uniform: [a, b]} or {int: [a, b]}: what a random sweep draws an option from. */
CS_MUST_CHECK cs_status cs_job_read_range(cs_job_reader *reader, const cs_option *option, const cs_node *map,
                                          cs_range *range);
/* One of `choices`, by its index. */
CS_MUST_CHECK cs_status cs_job_read_choice(const cs_node *key, const cs_node *value, const char *const *choices,
                                           size_t n, int *out);
/* A name of a metric. */
CS_MUST_CHECK cs_status cs_job_read_metric(const cs_node *key, const cs_node *value, char *out, size_t size,
                                           const cs_metric **metric);
/* table: and the trials (grid.c). */
CS_MUST_CHECK cs_status cs_job_read_table(cs_job_reader *reader, const cs_node *key, const cs_node *value);
/* Fills job->trials. */
CS_MUST_CHECK cs_status cs_job_expand(cs_job_reader *reader);

#endif
