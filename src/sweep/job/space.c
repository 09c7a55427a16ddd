/* SPDX-License-Identifier: Apache-2.0 */
#include "space.h"
#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

/* More combinations of positions are not looked through, even if conditions leave few of them. */
static const double most_combinations = 1e7;

bool cs_range_is_whole(const cs_range *range) {
    return range->kind == CS_RANGE_INT || range->kind == CS_RANGE_LOG_INT;
}

static void clear_match(cs_match *match) {
    for (int i = 0; i < match->n; i++)
        free(match->terms[i].values);
    free(match->terms);
}

void cs_space_clear(cs_space *space) {
    for (int a = 0; a < space->n_axes; a++) {
        free(space->axes[a].values);
        clear_match(&space->axes[a].when);
    }
    for (int i = 0; i < space->n_excluded; i++)
        clear_match(&space->excluded[i]);
    free(space->axes);
    free(space->axis_of);
    free(space->ranges);
    free(space->order);
    free(space->excluded);
    free(space->included);
    free(space->included_by);
    *space = (cs_space){0};
}

static bool term_holds(const cs_term *term, const int *cell) {
    for (int i = 0; i < term->n; i++)
        if (term->values[i] == cell[term->option])
            return true;
    return false;
}

bool cs_match_holds(const cs_match *match, const int *cell) {
    for (int i = 0; i < match->n; i++)
        if (!term_holds(&match->terms[i], cell))
            return false;
    return true;
}

/* Appends the axis to the order, behind those that its condition refers to. Returns false if that leads back to it. */
static bool visit(cs_space *space, int axis, unsigned char *state, int *n) {
    enum { OPEN = 1, DONE = 2 };
    const cs_match *when = &space->axes[axis].when;
    if (state[axis])
        return state[axis] == DONE;
    state[axis] = OPEN;
    for (int i = 0; i < when->n; i++) {
        int other = space->axis_of[when->terms[i].option];
        if (other >= 0 && !visit(space, other, state, n))
            return false;
    }
    state[axis] = DONE;
    space->order[(*n)++] = axis;
    return true;
}

cs_status cs_space_sort(cs_space *space, bool *circular) {
    unsigned char *state = NULL;
    int n = 0;
    CS_TRY(cs_alloc((size_t)space->n_axes, sizeof *space->order, "sweep", &space->order));
    CS_TRY(cs_alloc((size_t)space->n_axes, 1, "sweep", &state));
    *circular = false;
    for (int a = 0; a < space->n_axes && !*circular; a++)
        *circular = !visit(space, a, state, &n);
    free(state);
    return CS_OK;
}

/* An option that does not apply has no value, and so fulfils no condition. */
void cs_space_cell(const cs_space *space, const int *positions, int *cell) {
    for (int i = 0; i < space->n_options; i++)
        cell[i] = CS_NO_VALUE;
    for (int k = 0; k < space->n_axes; k++) {
        int a = space->order[k];
        const cs_axis *axis = &space->axes[a];
        if (!cs_match_holds(&axis->when, cell))
            continue;
        for (int i = 0; i < axis->n_options; i++)
            cell[axis->first + i] = axis->n > 0 ? axis->values[positions[a] * axis->n_options + i] : 0;
    }
}

/* Goes to the next positions; those of the last axis change fastest. Returns false behind the last. */
static bool step(const cs_space *space, int *positions) {
    for (int a = space->n_axes - 1; a >= 0; a--) {
        if (++positions[a] < space->axes[a].n)
            return true;
        positions[a] = 0;
    }
    return false;
}

/* Where an axis does not apply, all its positions give the same cell. Only the first of them counts. */
static bool is_repeated(const cs_space *space, const int *positions, const int *cell) {
    for (int a = 0; a < space->n_axes; a++)
        if (positions[a] > 0 && cell[space->axes[a].first] == CS_NO_VALUE)
            return true;
    return false;
}

static bool is_excluded(const cs_space *space, const int *cell, int *matched) {
    bool excluded = false;
    for (int i = 0; i < space->n_excluded; i++) {
        bool holds = cs_match_holds(&space->excluded[i], cell);
        matched[i] += holds;
        excluded = excluded || holds;
    }
    return excluded;
}

static cs_status append(const cs_space *space, const int *cell, size_t *capacity, cs_grid_cells *grid) {
    size_t each = (size_t)space->n_options, n = (size_t)grid->n;
    grid->too_large = grid->n == CS_MAX_TRIALS;
    if (grid->too_large)
        return CS_OK;
    CS_TRY(cs_grow(&grid->cells, capacity, (n + 1) * each + 1, sizeof *grid->cells, "trials"));
    memcpy(grid->cells + n * each, cell, each * sizeof *cell);
    grid->n++;
    return CS_OK;
}

/* `cell` and `positions` are working memory. */
static cs_status add_product(const cs_space *space, int *positions, int *cell, size_t *capacity, cs_grid_cells *grid) {
    double combinations = 1;
    for (int a = 0; a < space->n_axes; a++)
        combinations *= space->axes[a].n;
    grid->too_large = combinations > most_combinations;
    bool more = space->n_axes > 0 || space->n_included == 0; /* no axes: a single trial */
    while (more && !grid->too_large) {
        cs_space_cell(space, positions, cell);
        if (!is_repeated(space, positions, cell) && !is_excluded(space, cell, grid->matched))
            CS_TRY(append(space, cell, capacity, grid));
        more = step(space, positions);
    }
    return CS_OK;
}

static cs_status add_included(const cs_space *space, size_t *capacity, cs_grid_cells *grid) {
    size_t bytes = (size_t)space->n_options * sizeof *grid->cells;
    cs_seen seen = {0};
    cs_status status;
    CS_TRY_GOTO(cs_seen_open((size_t)grid->n + (size_t)space->n_included, &seen), done);
    for (int c = 0; c < grid->n; c++)
        cs_seen_add(&seen, grid->cells + (size_t)c * (size_t)space->n_options, bytes);
    for (int c = 0; c < space->n_included && !grid->too_large; c++) {
        const int *cell = space->included + (size_t)c * (size_t)space->n_options;
        grid->added[c] = cs_seen_add(&seen, cell, bytes);
        if (grid->added[c])
            CS_TRY_GOTO(append(space, cell, capacity, grid), done);
    }
done:
    cs_seen_close(&seen);
    return status;
}

cs_status cs_grid_cells_open(const cs_space *space, cs_grid_cells *out) {
    cs_grid_cells grid = {0};
    int *positions = NULL, *cell = NULL;
    size_t capacity = 0;
    cs_status status;
    CS_TRY_GOTO(cs_alloc((size_t)space->n_axes, sizeof *positions, "trials", &positions), done);
    CS_TRY_GOTO(cs_alloc((size_t)space->n_options, sizeof *cell, "trials", &cell), done);
    CS_TRY_GOTO(cs_alloc((size_t)space->n_excluded, sizeof *grid.matched, "trials", &grid.matched), done);
    CS_TRY_GOTO(cs_alloc((size_t)space->n_included, sizeof *grid.added, "trials", &grid.added), done);
    CS_TRY_GOTO(add_product(space, positions, cell, &capacity, &grid), done);
    CS_TRY_GOTO(add_included(space, &capacity, &grid), done);
    *out = grid;
    grid = (cs_grid_cells){0};
done:
    free(positions);
    free(cell);
    cs_grid_cells_close(&grid);
    return status;
}

void cs_grid_cells_close(cs_grid_cells *grid) {
    free(grid->cells);
    free(grid->matched);
    free(grid->added);
    *grid = (cs_grid_cells){0};
}

cs_status cs_seen_open(size_t n, cs_seen *out) {
    out->size = 2 * n + 1;
    return cs_alloc(out->size, sizeof *out->sums, "sweep values", &out->sums);
}

bool cs_seen_add(cs_seen *seen, const void *combination, size_t bytes) {
    uint64_t sum = cs_checksum(combination, bytes) | 1;
    size_t at = sum % seen->size;
    while (seen->sums[at] != 0 && seen->sums[at] != sum)
        at = (at + 1) % seen->size;
    bool found = seen->sums[at] == sum;
    seen->sums[at] = sum;
    return !found;
}

void cs_seen_close(cs_seen *seen) {
    free(seen->sums);
    *seen = (cs_seen){0};
}
