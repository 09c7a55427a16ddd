/* SPDX-License-Identifier: Apache-2.0 */
#include "row.h"
#include "cnnsweep/scalar.h"
#include "contents.h"
#include "search.h"

#include <math.h>

cs_status cs_row_read(const cs_job_reader *reader, int trial, double *row) {
    const cs_job *job = reader->job;
    const int *indices = job->value_indices + (size_t)trial * (size_t)job->n_swept;
    for (int i = 0; i < reader->space.n_options; i++) {
        const cs_range *range = &reader->space.ranges[i];
        row[i] = indices[i] == CS_NO_VALUE ? (double)NAN : indices[i];
        if (range->kind == CS_RANGE_LISTED || isnan(row[i]))
            continue;
        CS_TRY(cs_parse_float(job->swept[i].values[indices[i]], &row[i]));
        if (!cs_range_is_whole(range))
            row[i] = (float)row[i];
    }
    return CS_OK;
}

static cs_status index_number(const cs_job_reader *reader, int option, double number, int *index) {
    cs_job *job = reader->job;
    cs_swept_option *swept = &job->swept[option];
    cs_trial_config trial = job->base;
    char text[CS_VALUE_MAX * 2];
    cs_search_number_text(&reader->space.ranges[option], number, text, sizeof text);
    CS_TRY(cs_option_set(swept->option, text, &trial));
    cs_option_get(swept->option, &trial, text, sizeof text);
    *index = cs_job_find_value(swept, text);
    if (*index >= 0)
        return CS_OK;
    *index = swept->n;
    return cs_job_append_value(swept, text);
}

cs_status cs_row_apply(const cs_job_reader *reader, int trial, const double *row) {
    cs_job *job = reader->job;
    int *indices = job->value_indices + (size_t)trial * (size_t)job->n_swept;
    uint64_t data = job->trials[trial].data.checksum;
    for (int i = 0; i < reader->space.n_options; i++) {
        indices[i] = isnan(row[i]) ? CS_NO_VALUE : (int)row[i];
        if (!isnan(row[i]) && reader->space.ranges[i].kind != CS_RANGE_LISTED)
            CS_TRY(index_number(reader, i, row[i], &indices[i]));
    }
    CS_TRY(cs_job_make_trial(reader, trial));
    job->trials[trial].data.checksum = data;
    cs_job_read_content(job, trial);
    return CS_OK;
}
