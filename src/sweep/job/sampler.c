/* SPDX-License-Identifier: Apache-2.0 */
#include "sampler.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/scalar.h"
#include "job_reader.h"
#include "row.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct cs_sampler {
    cs_job_reader reader; /* to make trials, with errors that name their place in the job file */
    cs_node *root;
    int n_cells;
    double *drawn;         /* [n_cells,n_options] rows, as cs_history has them */
    double *rows;          /* [n_cells,n_options] the chosen ones; NaN in cells whose trials are all open */
    bool *open;            /* [n_trials] */
    bool *ended;           /* [n_trials] */
    double *losses;        /* [n_trials] of those that ended: smaller is better; NaN: no result */
    cs_observation *cells; /* [n_cells] */
};

static size_t count_options(const cs_sampler *sampler) {
    return (size_t)sampler->reader.space.n_options;
}

static double *row_at(const cs_sampler *sampler, double *rows, int cell) {
    return rows + (size_t)cell * count_options(sampler);
}

static int cell_of(const cs_sampler *sampler, int trial) {
    return trial / cs_job_cell_trials(sampler->reader.job);
}

bool cs_sampler_is_open(const cs_sampler *sampler, int trial) {
    return sampler->open[trial];
}

/* Copies the drawn values of the cells. */
static cs_status keep_drawn(cs_sampler *sampler) {
    const cs_job *job = sampler->reader.job;
    for (int c = 0; c < sampler->n_cells; c++) {
        for (int i = 0; i < sampler->reader.space.n_options; i++)
            row_at(sampler, sampler->rows, c)[i] = (double)NAN;
        CS_TRY(cs_row_read(&sampler->reader, c * cs_job_cell_trials(job), row_at(sampler, sampler->drawn, c)));
    }
    return CS_OK;
}

/* The values of ranges will be those that are chosen. */
static void forget_drawn_values(const cs_sampler *sampler) {
    cs_job *job = sampler->reader.job;
    for (int i = 0; i < sampler->reader.space.n_options; i++) {
        if (sampler->reader.space.ranges[i].kind == CS_RANGE_LISTED)
            continue;
        while (job->swept[i].n > 0)
            free(job->swept[i].values[--job->swept[i].n]);
        for (int t = 0; t < job->n_trials; t++)
            job->value_indices[(size_t)t * (size_t)job->n_swept + (size_t)i] = CS_NO_VALUE;
    }
}

static cs_status open_arrays(cs_sampler *sampler) {
    const cs_job *job = sampler->reader.job;
    size_t n = (size_t)job->n_trials, cells, each = count_options(sampler);
    sampler->n_cells = cs_job_count_cells(job, job->n_trials);
    cells = (size_t)sampler->n_cells;
    CS_TRY(cs_alloc(cells * each, sizeof *sampler->drawn, "sampler", &sampler->drawn));
    CS_TRY(cs_alloc(cells * each, sizeof *sampler->rows, "sampler", &sampler->rows));
    CS_TRY(cs_alloc(cells, sizeof *sampler->cells, "sampler", &sampler->cells));
    CS_TRY(cs_alloc(n, sizeof *sampler->open, "sampler", &sampler->open));
    CS_TRY(cs_alloc(n, sizeof *sampler->ended, "sampler", &sampler->ended));
    CS_TRY(cs_alloc(n, sizeof *sampler->losses, "sampler", &sampler->losses));
    for (size_t t = 0; t < n; t++)
        sampler->open[t] = true;
    return keep_drawn(sampler);
}

static void free_arrays(cs_sampler *sampler) {
    free(sampler->drawn);
    free(sampler->rows);
    free(sampler->cells);
    free(sampler->open);
    free(sampler->ended);
    free(sampler->losses);
    free(sampler);
}

cs_status cs_sampler_open(cs_job_reader *reader, cs_node *root, cs_sampler **out) {
    cs_sampler *sampler = NULL;
    const cs_job *job = reader->job;
    if (reader->space.n_options > CS_SAMPLED_MAX)
        return cs_node_fail(reader->sweep, CS_ERR_ARG,
                            "sweep: method %s chooses the values of up to %d options, not %d", job->method->name,
                            CS_SAMPLED_MAX, reader->space.n_options);
    CS_TRY(cs_alloc(1, sizeof *sampler, "sampler", &sampler));
    sampler->reader = *reader;
    cs_status status = open_arrays(sampler);
    if (status != CS_OK) {
        free_arrays(sampler);
        return status;
    }
    forget_drawn_values(sampler);
    sampler->root = root;
    sampler->reader = cs_job_reader_take(reader);
    *out = sampler;
    return CS_OK;
}

void cs_sampler_close(cs_sampler *sampler) {
    if (!sampler)
        return;
    cs_job_reader_clear(&sampler->reader);
    cs_node_free(sampler->root);
    free_arrays(sampler);
}

static cs_status settle(cs_sampler *sampler, int trial, const double *row) {
    memmove(row_at(sampler, sampler->rows, cell_of(sampler, trial)), row, count_options(sampler) * sizeof *row);
    sampler->open[trial] = false;
    return cs_row_apply(&sampler->reader, trial, row);
}

static cs_observation observe(const cs_sampler *sampler, int cell) {
    const cs_job *job = sampler->reader.job;
    const int each = cs_job_cell_trials(job);
    int known = 0, ended = 0, results = 0, n = 0;
    double sum = 0;
    for (int t = cell * each; t < job->n_trials && n < each; t++, n++) {
        known += !sampler->open[t];
        ended += sampler->ended[t];
        if (!sampler->ended[t] || isnan(sampler->losses[t]))
            continue;
        results++;
        sum += sampler->losses[t];
    }
    if (known == 0 || (ended == n && results == 0))
        return (cs_observation){CS_KNOWN_NOTHING, 0};
    return ended == n ? (cs_observation){CS_KNOWN_RESULT, sum / results} : (cs_observation){CS_KNOWN_VALUES, 0};
}

static bool is_chosen(const cs_sampler *sampler, int cell) {
    const int first = cell * cs_job_cell_trials(sampler->reader.job);
    return !sampler->open[first];
}

static bool is_taken(const cs_sampler *sampler, const double *row) {
    size_t each = count_options(sampler);
    for (int c = 0; c < sampler->n_cells; c++) {
        const double *other = row_at(sampler, sampler->rows, c);
        size_t i = 0;
        while (i < each && (row[i] == other[i] || (isnan(row[i]) && isnan(other[i]))))
            i++;
        if (i == each && is_chosen(sampler, c))
            return true;
    }
    return false;
}

static bool accepts(void *context, const double *row) {
    const cs_sampler *sampler = context;
    const cs_space *space = &sampler->reader.space;
    int cell[CS_SAMPLED_MAX];
    for (int i = 0; i < space->n_options; i++) {
        bool listed = space->ranges[i].kind == CS_RANGE_LISTED;
        cell[i] = isnan(row[i]) ? CS_NO_VALUE : listed ? (int)row[i] : 0;
    }
    for (int i = 0; i < space->n_excluded; i++)
        if (cs_match_holds(&space->excluded[i], cell))
            return false;
    return !is_taken(sampler, row);
}

/* Of the drawn rows, which all differ, one is always left: fewer cells than there are have been chosen. */
static const double *find_drawn(const cs_sampler *sampler, int cell) {
    for (int i = 0; i < sampler->n_cells; i++) {
        const double *row = row_at(sampler, sampler->drawn, (cell + i) % sampler->n_cells);
        if (!is_taken(sampler, row))
            return row;
    }
    return row_at(sampler, sampler->drawn, cell);
}

static cs_status choose_row(cs_sampler *sampler, int cell, double *row) {
    const cs_method *method = sampler->reader.job->method;
    int results = 0;
    bool found = false;
    for (int c = 0; c < sampler->n_cells; c++) {
        sampler->cells[c] = observe(sampler, c);
        results += sampler->cells[c].known == CS_KNOWN_RESULT;
    }
    const cs_history history = {.job = sampler->reader.job,
                                .space = &sampler->reader.space,
                                .n_cells = sampler->n_cells,
                                .rows = sampler->rows,
                                .cells = sampler->cells};
    if (results >= method->startup)
        CS_TRY(method->suggest(&history, cell, accepts, sampler, row, &found));
    if (!found)
        memcpy(row, find_drawn(sampler, cell), count_options(sampler) * sizeof *row);
    return CS_OK;
}

cs_status cs_sampler_choose(cs_sampler *sampler, int trial) {
    int cell = cell_of(sampler, trial);
    double row[CS_SAMPLED_MAX];
    if (!sampler->open[trial])
        return CS_OK;
    if (is_chosen(sampler, cell)) /* by an earlier one of its trials */
        cs_sampler_values(sampler, trial, row);
    else
        CS_TRY(choose_row(sampler, cell, row));
    return settle(sampler, trial, row);
}

void cs_sampler_ended(cs_sampler *sampler, int trial, double result) {
    sampler->ended[trial] = true;
    sampler->losses[trial] = sampler->reader.job->maximize ? -result : result;
}

void cs_sampler_values(const cs_sampler *sampler, int trial, double out[CS_SAMPLED_MAX]) {
    const double *row = row_at(sampler, sampler->rows, cell_of(sampler, trial));
    memcpy(out, row, count_options(sampler) * sizeof *row);
}

cs_status cs_sampler_set(cs_sampler *sampler, int trial, const double values[CS_SAMPLED_MAX]) {
    return sampler->open[trial] ? settle(sampler, trial, values) : CS_OK;
}

/* Reads a row from texts. Returns whether all are values of the job. */
static bool read_row(const cs_sampler *sampler, const char *const *texts, double *row) {
    for (int i = 0; i < sampler->reader.space.n_options; i++) {
        const cs_range *range = &sampler->reader.space.ranges[i];
        row[i] = (double)NAN;
        if (!texts[i])
            continue;
        if (range->kind == CS_RANGE_LISTED) {
            int index = cs_job_find_value(&sampler->reader.job->swept[i], texts[i]);
            if (index < 0)
                return false;
            row[i] = index;
            continue;
        }
        if (cs_parse_float(texts[i], &row[i]) != CS_OK || row[i] < (float)range->low || row[i] > (float)range->high)
            return false;
        if (!cs_range_is_whole(range))
            row[i] = (float)row[i];
    }
    return true;
}

cs_status cs_sampler_restore(cs_sampler *sampler, int trial, const char *const *texts, uint64_t key, bool *fits) {
    cs_job *job = sampler->reader.job;
    double row[CS_SAMPLED_MAX];
    *fits = read_row(sampler, texts, row);
    if (!*fits)
        return CS_OK;
    CS_TRY(settle(sampler, trial, row));
    *fits = cs_trial_key(&job->trials[trial]) == key;
    if (*fits)
        return CS_OK;
    sampler->open[trial] = true;
    return cs_row_apply(&sampler->reader, trial, row_at(sampler, sampler->drawn, cell_of(sampler, trial)));
}
