/* SPDX-License-Identifier: Apache-2.0 */
#include "search.h"
#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"
#include "cnnsweep/scalar.h"
#include "job_reader.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How often a combination is drawn again because it was drawn before. After that, practically no new one is left. */
enum { MAX_DRAWS = 100 };

/* The checksums of the combinations drawn so far. If a new combination has the checksum of another one, it is merely
 * drawn again. */
typedef struct combinations {
    uint64_t *sums; /* [size] a hash table; 0: a free entry */
    size_t size;
} combinations;

static bool add_if_new(combinations *seen, const double *row, int n) {
    uint64_t sum = cs_checksum(row, (size_t)n * sizeof *row) | 1;
    size_t at = sum % seen->size;
    while (seen->sums[at] != 0 && seen->sums[at] != sum)
        at = (at + 1) % seen->size;
    bool found = seen->sums[at] == sum;
    seen->sums[at] = sum;
    return !found;
}

/* Prints a number as the option takes it: whole numbers with all digits, others with those of a float. */
static void print_number(cs_range_kind kind, double value, char *out, size_t size) {
    snprintf(out, size, kind == CS_RANGE_INT ? "%.0f" : "%.9g", value);
}

/* Draws the index of a listed value, or a number as the type of the option holds it. */
static double draw(const cs_swept_option *swept, const cs_range *range, cs_rng *rng) {
    if (range->kind == CS_RANGE_LISTED)
        return cs_rng_below(rng, (uint32_t)swept->n);
    if (range->kind == CS_RANGE_INT)
        return range->low + cs_rng_below(rng, (uint32_t)(range->high - range->low) + 1);
    double part = cs_rng_u32(rng) * 0x1p-32;
    double value = range->kind == CS_RANGE_UNIFORM ? range->low + (range->high - range->low) * part
                                                   : range->low * pow(range->high / range->low, part);
    return (float)fmin(fmax(value, range->low), range->high);
}

/* `streams` [n] is working memory. */
static bool draw_combination(const cs_job *job, const cs_range *ranges, int n, int index, combinations *seen,
                             cs_rng *streams, double *row) {
    for (int a = 0; a < n; a++)
        streams[a] =
            cs_rng_at((uint64_t)job->seed, CS_PURPOSE_SEARCH, cs_hash_name(job->swept[a].option->key), (uint32_t)index);
    for (int attempt = 0; attempt < MAX_DRAWS; attempt++) {
        for (int a = 0; a < n; a++)
            row[a] = draw(&job->swept[a], &ranges[a], &streams[a]);
        if (add_if_new(seen, row, n))
            return true;
    }
    return false;
}

static int ascending(const void *a, const void *b) {
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

/* Makes the different values of a column the values of the swept option. Sorts `column` [n]. */
static cs_status fill_values(const cs_job *job, cs_range_kind kind, cs_swept_option *swept, double *column, int n) {
    cs_trial_config trial = job->base;
    char text[CS_VALUE_MAX * 2];
    qsort(column, (size_t)n, sizeof *column, ascending);
    CS_TRY(cs_alloc((size_t)n, sizeof *swept->values, "sweep values", &swept->values));
    for (int i = 0; i < n; i++) {
        if (i > 0 && column[i] == column[i - 1])
            continue;
        print_number(kind, column[i], text, sizeof text);
        CS_TRY(cs_option_set(swept->option, text, &trial));
        cs_option_get(swept->option, &trial, text, sizeof text);
        column[swept->n] = column[i];
        CS_TRY(cs_strdup(text, &swept->values[swept->n]));
        swept->n++;
    }
    return CS_OK;
}

/* Turns the drawn values `rows` [n,n_swept] into the indices of these values, `indices` [n,n_swept]. */
static cs_status index_values(cs_job *job, const cs_range *ranges, int n_swept, const double *rows, int n,
                              int *indices) {
    double *column = NULL;
    cs_status status = CS_OK;
    CS_TRY(cs_alloc((size_t)n, sizeof *column, "sweep values", &column));
    for (int a = 0; a < n_swept && status == CS_OK; a++) {
        bool listed = ranges[a].kind == CS_RANGE_LISTED;
        for (int i = 0; i < n; i++)
            column[i] = rows[i * n_swept + a];
        if (!listed)
            status = fill_values(job, ranges[a].kind, &job->swept[a], column, n);
        for (int i = 0; i < n && status == CS_OK; i++) {
            const double *value = &rows[i * n_swept + a];
            indices[i * n_swept + a] =
                listed ? (int)*value
                       : (int)((double *)bsearch(value, column, (size_t)job->swept[a].n, sizeof *column, ascending) -
                               column);
        }
    }
    free(column);
    return status;
}

cs_status cs_search_draw(cs_job *job, const cs_range *ranges, int n_swept, int wanted, int *indices, int *drawn) {
    combinations seen = {.size = 2 * (size_t)wanted + 1};
    double *rows = NULL;
    cs_rng *streams = NULL;
    int n = 0;
    cs_status status;
    CS_TRY_GOTO(cs_alloc((size_t)n_swept, sizeof *streams, "sweep values", &streams), done);
    CS_TRY_GOTO(cs_alloc(seen.size, sizeof *seen.sums, "sweep values", &seen.sums), done);
    CS_TRY_GOTO(cs_alloc((size_t)wanted * (size_t)n_swept, sizeof *rows, "sweep values", &rows), done);
    while (n < wanted && draw_combination(job, ranges, n_swept, n, &seen, streams, rows + (size_t)n * (size_t)n_swept))
        n++;
    CS_TRY_GOTO(index_values(job, ranges, n_swept, rows, n, indices), done);
    *drawn = n;
done:
    free(streams);
    free(rows);
    free(seen.sums);
    return status;
}

/* Reads a bound of a range and checks that the option takes it. */
static cs_status read_bound(cs_job_reader *reader, const cs_option *option, const cs_node *node, bool whole,
                            double *out) {
    cs_trial_config trial = reader->job->base;
    const double exact = 9007199254740992.0;
    if (node->kind != CS_NODE_SCALAR)
        return cs_node_fail(node, CS_ERR_ARG, "%s: a bound of a range is a number", option->key);
    cs_status status = cs_parse_float(node->text, out);
    if (status != CS_OK)
        return cs_node_context(node, status);
    if (whole && (*out != floor(*out) || fabs(*out) > exact))
        return cs_node_fail(node, CS_ERR_ARG, "%s: '%s' is not a whole number", option->key, node->text);
    return cs_job_set_option(reader, option, node, &trial);
}

static cs_status check_bounds(const cs_option *option, const cs_node *bounds, const cs_range *range) {
    const double widest = UINT32_MAX - 1.0;
    if (!(range->high > range->low))
        return cs_node_fail(bounds, CS_ERR_ARG, "%s: the range ends at %g, which is not above %g where it begins",
                            option->key, range->high, range->low);
    if (range->kind == CS_RANGE_LOG_UNIFORM && range->low <= 0)
        return cs_hint(cs_node_fail(bounds, CS_ERR_ARG, "%s: a log_uniform range begins at %g; it must be above 0",
                                    option->key, range->low),
                       "0 has no logarithm: begin at a small number, or use uniform");
    if (range->kind == CS_RANGE_INT && range->high - range->low > widest)
        return cs_node_fail(bounds, CS_ERR_ARG, "%s: the range is wider than %.0f", option->key, widest);
    return CS_OK;
}

/* Options of text have no range, but some also take a number. */
static bool takes_range(const cs_option *option, cs_range_kind kind) {
    return option->type == CS_OPTION_FLOAT ||
           (kind == CS_RANGE_INT && (option->type == CS_OPTION_INT || option->takes_count));
}

cs_status cs_job_read_range(cs_job_reader *reader, const cs_option *option, const cs_node *map, cs_range *range) {
    static const char *const names[] = {"choice", "uniform", "log_uniform", "int"}; /* in the order of cs_range_kind */
    enum { N = sizeof names / sizeof *names };
    int kind = 0;
    char guess[64];
    const cs_node *bounds = map->items[0];
    while (kind < N && strcmp(map->keys[0]->text, names[kind]) != 0)
        kind++;
    if (kind == N || map->n != 1)
        return cs_hint(cs_node_fail(map, CS_ERR_ARG, "%s: values cannot be drawn from '%s'%s", option->key,
                                    map->keys[map->n - 1]->text,
                                    cs_did_you_mean(map->keys[0]->text, names, N, guess, sizeof guess)),
                       "write {uniform: [a, b]}, {log_uniform: [a, b]}, {int: [a, b]} or {choice: [a, b, c]}");
    range->kind = (cs_range_kind)kind;
    if (!takes_range(option, range->kind))
        return cs_hint(cs_node_fail(map, CS_ERR_ARG, "%s cannot be drawn from %s", option->key, names[kind]),
                       option->type == CS_OPTION_INT ? "a whole number takes {int: [a, b]}"
                                                     : "it takes a list of values");
    if (bounds->kind != CS_NODE_LIST || bounds->n != 2)
        return cs_hint(cs_node_fail(bounds, CS_ERR_ARG, "%s: %s takes two numbers", option->key, names[kind]),
                       "write %s: {%s: [a, b]}", cs_option_short_name(option), names[kind]);
    CS_TRY(read_bound(reader, option, bounds->items[0], kind == CS_RANGE_INT, &range->low));
    CS_TRY(read_bound(reader, option, bounds->items[1], kind == CS_RANGE_INT, &range->high));
    return check_bounds(option, bounds, range);
}
