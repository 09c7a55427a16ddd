/* SPDX-License-Identifier: Apache-2.0 */
/* Reads table: of a job file. */
#include "job_reader.h"

#include <stdio.h>
#include <string.h>

/* Reads the name of a swept option; `out` is its full key. */
static cs_status read_table_option(cs_job_reader *reader, const cs_node *key, const cs_node *value, char *out,
                                   size_t size) {
    const cs_job *job = reader->job;
    char text[CS_NAME_MAX], guess[128];
    CS_TRY(cs_job_read_text(key, value, text, sizeof text));
    cs_suggestion suggestion = cs_suggestion_begin(text);
    for (int i = 0; i < job->n_swept; i++) {
        const cs_option *option = job->swept[i].option;
        const char *name = cs_option_short_name(option);
        cs_suggestion_try(&suggestion, name);
        if (strcmp(text, name) == 0 || strcmp(text, option->key) == 0) {
            if (reader->space.ranges[i].kind != CS_RANGE_LISTED)
                return cs_hint(
                    cs_node_fail(value, CS_ERR_ARG, "table: %s is '%s', which is drawn from a range", key->text, text),
                    "rows and columns are options with listed values; without table: the best are listed");
            snprintf(out, size, "%s", option->key);
            return CS_OK;
        }
    }
    return cs_hint(cs_node_fail(value, CS_ERR_ARG, "table: %s is '%s', which is not swept%s", key->text, text,
                                cs_suggestion_text(&suggestion, guess, sizeof guess)),
                   "rows and columns are options under sweep: parameters:");
}

static cs_status read_rows(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    return read_table_option(reader, key, value, reader->job->table_rows, sizeof reader->job->table_rows);
}

static cs_status read_columns(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    cs_job *job = reader->job;
    CS_TRY(read_table_option(reader, key, value, job->table_columns, sizeof job->table_columns));
    if (strcmp(job->table_rows, job->table_columns) == 0)
        return cs_node_fail(value, CS_ERR_ARG, "table: rows and columns are both %s", job->table_rows);
    return CS_OK;
}

static cs_status read_value(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    const cs_column *metric = NULL;
    reader->job->value_is_given = true;
    return cs_job_read_metric(key, value, reader->job->table_value, sizeof reader->job->table_value, &metric);
}

cs_status cs_job_read_table(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    (void)key;
    static const cs_job_key keys[] = {{"rows", read_rows}, {"columns", read_columns}, {"value", read_value}};
    return cs_job_read_map(reader, "table:", value, "table", keys, 3);
}

/* Is the swept option the one with that key, or zipped with it? Then a table of both would be a diagonal. */
static bool goes_with(const cs_job_reader *reader, int option, const char *key) {
    const int *axis_of = reader->space.axis_of;
    for (int i = 0; i < reader->space.n_options; i++)
        if (strcmp(reader->job->swept[i].option->key, key) == 0)
            return i == option || (axis_of[i] >= 0 && axis_of[i] == axis_of[option]);
    return false;
}

/* Where the job does not choose rows or columns, they are the first swept options that are free. The inner
 * options are not among them, because the table has the mean over them. A random sweep has a leaderboard unless the job
 * asks for a pivot. */
void cs_job_complete_table(const cs_job_reader *reader) {
    cs_job *job = reader->job;
    char *chosen[] = {job->table_rows, job->table_columns};
    bool pivot = !job->method->draws || job->table_rows[0] || job->table_columns[0];
    int n = job->n_swept - cs_job_inner_options(job);
    for (size_t k = 0; k < 2; k++) {
        for (int i = 0; i < n && !chosen[k][0] && pivot; i++) {
            const char *name = job->swept[i].option->key;
            if (!goes_with(reader, i, chosen[1 - k]) && reader->space.ranges[i].kind == CS_RANGE_LISTED)
                snprintf(chosen[k], sizeof job->table_rows, "%s", name);
        }
    }
    if (!job->table_value[0])
        snprintf(job->table_value, sizeof job->table_value, "%s", job->metric);
}
