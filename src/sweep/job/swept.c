/* SPDX-License-Identifier: Apache-2.0 */
/* Swept options and their values. */
#include "cnnsweep/memory.h"
#include "job_reader.h"

#include <string.h>

int cs_job_inner_options(const cs_job *job) {
    return (job->repeats > 1) + (job->folds > 1);
}

int cs_job_cell_trials(const cs_job *job) {
    return job->repeats * job->folds;
}

int cs_job_count_cells(const cs_job *job, int n) {
    const int each = cs_job_cell_trials(job);
    return (n + each - 1) / each;
}

bool cs_job_has_folds(const cs_job *job) {
    for (int i = 0; i < job->n_swept; i++)
        if (strcmp(job->swept[i].option->key, "data.fold") == 0)
            return true;
    return job->base.data.fold.count > 0;
}

int cs_job_find_swept(const cs_job *job, const cs_option *option) {
    for (int i = 0; i < job->n_swept; i++)
        if (job->swept[i].option == option)
            return i;
    return -1;
}

cs_status cs_job_add_swept(cs_job_reader *reader, const cs_option *option, const cs_node *value) {
    cs_job *job = reader->job;
    cs_space *space = &reader->space;
    size_t swept = (size_t)job->n_swept, ranges = swept, axes = swept;
    CS_TRY(cs_grow(&job->swept, &swept, swept + 1, sizeof *job->swept, "sweep"));
    CS_TRY(cs_grow(&space->ranges, &ranges, ranges + 1, sizeof *space->ranges, "sweep"));
    CS_TRY(cs_grow(&space->axis_of, &axes, axes + 1, sizeof *space->axis_of, "sweep"));
    space->ranges[space->n_options] = (cs_range){0};
    space->axis_of[space->n_options++] = -1;
    job->swept[job->n_swept++] = (cs_swept_option){.option = option};
    *cs_job_given_slot(reader, option) = value;
    return CS_OK;
}

cs_status cs_job_append_value(cs_swept_option *swept, const char *text) {
    size_t capacity = (size_t)swept->n;
    CS_TRY(cs_grow(&swept->values, &capacity, capacity + 1, sizeof *swept->values, "sweep values"));
    CS_TRY(cs_strdup(text, &swept->values[swept->n]));
    swept->n++;
    return CS_OK;
}

int cs_job_find_value(const cs_swept_option *swept, const char *text) {
    for (int i = 0; i < swept->n; i++)
        if (strcmp(swept->values[i], text) == 0)
            return i;
    return -1;
}

cs_status cs_job_read_value(cs_job_reader *reader, const cs_option *option, const cs_node *value, char *out,
                            size_t size) {
    cs_trial_config trial = reader->job->base;
    CS_TRY(cs_job_set_option(reader, option, value, &trial));
    cs_option_get(option, &trial, out, size);
    return CS_OK;
}

int cs_job_count_items(const cs_node *value) {
    return value->kind == CS_NODE_LIST ? value->n : 1;
}

const cs_node *cs_job_item(const cs_node *value, int i) {
    return value->kind == CS_NODE_LIST ? value->items[i] : value;
}

const char *cs_job_value(const cs_job *job, int trial, int option) {
    return job->swept[option].values[job->value_indices[(size_t)trial * (size_t)job->n_swept + (size_t)option]];
}

bool cs_job_has_value(const cs_job *job, int trial, int option) {
    return job->value_indices[(size_t)trial * (size_t)job->n_swept + (size_t)option] != CS_NO_VALUE;
}

int cs_job_count_values(const cs_job *job, int option) {
    for (int t = 0; t < job->n_last; t++)
        if (!cs_job_has_value(job, t, option))
            return job->swept[option].n + 1;
    return job->swept[option].n;
}
