/* SPDX-License-Identifier: Apache-2.0 */
#include "search.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"
#include "cnnsweep/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How often a cell is drawn again because it was drawn before, or is excluded. After that, most of the space is used
 * up, and the cell is the next new one of a random permutation of the whole space. */
enum { MAX_DRAWS = 100 };
/* Larger spaces are not permuted. So few of their cells are wanted that they are never used up. */
static const double most_permuted = 1e7;

/* A search under way. */
typedef struct search {
    const cs_job *job;
    const cs_space *space;
    cs_seen seen;    /* the cells so far */
    cs_rng *streams; /* [n_axes] of the cell that is being drawn */
    int *positions;  /* [n_axes] */
    int *cell;       /* [n_options] */
    int32_t *order;  /* [n_order] the permutation; NULL: not needed so far */
    size_t n_order, next;
} search;

/* Whole numbers have all digits, others those of a float. */
void cs_search_number_text(const cs_range *range, double value, char *out, size_t size) {
    if (cs_range_is_whole(range))
        snprintf(out, size, "%.0f", value);
    else
        cs_float_text((float)value, out, size);
}

static uint32_t count_whole(const cs_range *range) {
    return (uint32_t)(range->high - range->low) + 1;
}

double cs_search_draw_number(const cs_range *range, cs_rng *rng) {
    const double half = 0.5;
    if (range->kind == CS_RANGE_INT)
        return range->low + cs_rng_below(rng, count_whole(range));
    double part = cs_rng_u32(rng) * 0x1p-32;
    if (range->kind == CS_RANGE_LOG_INT) { /* each is as likely as the logarithm is long that rounds to it */
        double low = range->low - half, high = range->high + half;
        return fmin(fmax(nearbyint(low * pow(high / low, part)), range->low), range->high);
    }
    double value = range->kind == CS_RANGE_UNIFORM ? range->low + (range->high - range->low) * part
                                                   : range->low * pow(range->high / range->low, part);
    return (float)fmin(fmax(value, range->low), range->high);
}

/* Completes a row [n_options] that has the numbers of the options with a range: options with listed values get the
 * index of the value, and those that do not apply NAN. Returns whether the row is a new one. */
static bool complete(search *s, double *row) {
    const cs_space *space = s->space;
    cs_space_cell(space, s->positions, s->cell);
    for (int i = 0; i < space->n_excluded; i++)
        if (cs_match_holds(&space->excluded[i], s->cell))
            return false;
    for (int i = 0; i < space->n_options; i++)
        if (s->cell[i] == CS_NO_VALUE)
            row[i] = (double)NAN;
        else if (space->ranges[i].kind == CS_RANGE_LISTED)
            row[i] = s->cell[i];
    return cs_seen_add(&s->seen, row, (size_t)space->n_options * sizeof *row);
}

static bool draw_cell(search *s, int index, double *row) {
    const cs_space *space = s->space;
    for (int a = 0; a < space->n_axes; a++)
        s->streams[a] = cs_rng_at((uint64_t)s->job->seed, CS_PURPOSE_SEARCH,
                                  cs_hash_name(s->job->swept[space->axes[a].first].option->key), (uint32_t)index);
    for (int attempt = 0; attempt < MAX_DRAWS; attempt++) {
        for (int a = 0; a < space->n_axes; a++) {
            const cs_axis *axis = &space->axes[a];
            s->positions[a] = axis->n > 0 ? (int)cs_rng_below(&s->streams[a], (uint32_t)axis->n) : 0;
            if (axis->n == 0)
                row[axis->first] = cs_search_draw_number(&space->ranges[axis->first], &s->streams[a]);
        }
        if (complete(s, row))
            return true;
    }
    return false;
}

/* The number of positions of an axis; 0: they cannot be counted. */
static double count_positions(const cs_space *space, const cs_axis *axis) {
    const cs_range *range = &space->ranges[axis->first];
    if (axis->n > 0)
        return axis->n;
    return cs_range_is_whole(range) ? count_whole(range) : 0;
}

/* Makes the permutation, which is empty if the space is infinite or too large. */
static cs_status permute(search *s) {
    double n = 1;
    for (int a = 0; a < s->space->n_axes; a++)
        n *= count_positions(s->space, &s->space->axes[a]);
    s->n_order = n <= most_permuted ? (size_t)n : 0;
    CS_TRY(cs_alloc(s->n_order, sizeof *s->order, "sweep values", &s->order));
    cs_rng rng = cs_rng_at((uint64_t)s->job->seed, CS_PURPOSE_SEARCH, cs_hash_name("permutation"), 0);
    cs_rng_permutation(&rng, s->order, s->n_order);
    return CS_OK;
}

/* Takes the next new cell of the permutation. A number of it is the positions of the axes, in mixed radix. */
static cs_status take_cell(search *s, double *row, bool *found) {
    const cs_space *space = s->space;
    *found = false;
    if (!s->order)
        CS_TRY(permute(s));
    while (s->next < s->n_order && !*found) {
        uint32_t rest = (uint32_t)s->order[s->next++];
        for (int a = 0; a < space->n_axes; a++) {
            const cs_axis *axis = &space->axes[a];
            uint32_t n = (uint32_t)count_positions(space, axis);
            s->positions[a] = axis->n > 0 ? (int)(rest % n) : 0;
            if (axis->n == 0)
                row[axis->first] = space->ranges[axis->first].low + rest % n;
            rest /= n;
        }
        *found = complete(s, row);
    }
    return CS_OK;
}

static int ascending(const void *a, const void *b) {
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

/* Makes the different values of a column the values of the swept option. Sorts `column` [n]. */
static cs_status fill_values(const cs_job *job, const cs_range *range, cs_swept_option *swept, double *column, int n) {
    cs_trial_config trial = job->base;
    char text[CS_VALUE_MAX * 2];
    qsort(column, (size_t)n, sizeof *column, ascending);
    CS_TRY(cs_alloc((size_t)n, sizeof *swept->values, "sweep values", &swept->values));
    for (int i = 0; i < n; i++) {
        if (i > 0 && column[i] == column[i - 1])
            continue;
        cs_search_number_text(range, column[i], text, sizeof text);
        CS_TRY(cs_option_set(swept->option, text, &trial));
        cs_option_get(swept->option, &trial, text, sizeof text);
        column[swept->n] = column[i];
        CS_TRY(cs_strdup(text, &swept->values[swept->n]));
        swept->n++;
    }
    return CS_OK;
}

/* Turns the drawn values `rows` [n,n_options] into the indices of these values, `cells` [n,n_options]. */
static cs_status index_values(cs_job *job, const cs_space *space, const double *rows, int n, int *cells) {
    double *column = NULL;
    size_t each = (size_t)space->n_options;
    cs_status status = CS_OK;
    CS_TRY(cs_alloc((size_t)n, sizeof *column, "sweep values", &column));
    for (size_t a = 0; a < each && status == CS_OK; a++) {
        bool listed = space->ranges[a].kind == CS_RANGE_LISTED;
        int filled = 0;
        for (size_t i = 0; i < (size_t)n; i++)
            if (!isnan(rows[i * each + a]))
                column[filled++] = rows[i * each + a];
        if (!listed)
            status = fill_values(job, &space->ranges[a], &job->swept[a], column, filled);
        for (size_t i = 0; i < (size_t)n && status == CS_OK; i++) {
            const double *value = &rows[i * each + a], *at;
            if (isnan(*value) || listed) {
                cells[i * each + a] = listed && !isnan(*value) ? (int)*value : CS_NO_VALUE;
                continue;
            }
            at = bsearch(value, column, (size_t)job->swept[a].n, sizeof *column, ascending);
            cells[i * each + a] = (int)(at - column);
        }
    }
    free(column);
    return status;
}

static cs_status draw_rows(search *s, int wanted, double *rows, int *drawn) {
    bool found = true;
    for (*drawn = 0; *drawn < wanted; ++*drawn) {
        double *row = rows + (size_t)*drawn * (size_t)s->space->n_options;
        found = draw_cell(s, *drawn, row);
        if (!found)
            CS_TRY(take_cell(s, row, &found));
        if (!found)
            break;
    }
    return CS_OK;
}

cs_status cs_search_draw(cs_job *job, const cs_space *space, int wanted, int *cells, int *drawn) {
    search s = {.job = job, .space = space};
    double *rows = NULL;
    size_t axes = (size_t)space->n_axes, options = (size_t)space->n_options;
    cs_status status;
    CS_TRY_GOTO(cs_alloc(axes, sizeof *s.streams, "sweep values", &s.streams), done);
    CS_TRY_GOTO(cs_alloc(axes, sizeof *s.positions, "sweep values", &s.positions), done);
    CS_TRY_GOTO(cs_alloc(options, sizeof *s.cell, "sweep values", &s.cell), done);
    CS_TRY_GOTO(cs_alloc((size_t)wanted * options, sizeof *rows, "sweep values", &rows), done);
    CS_TRY_GOTO(cs_seen_open((size_t)wanted, &s.seen), done);
    CS_TRY_GOTO(draw_rows(&s, wanted, rows, drawn), done);
    CS_TRY_GOTO(index_values(job, space, rows, *drawn, cells), done);
done:
    free(s.streams);
    free(s.positions);
    free(s.cell);
    free(s.order);
    free(rows);
    cs_seen_close(&s.seen);
    return status;
}
