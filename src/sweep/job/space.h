/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the space that a sweep covers or draws from. A cell of it is a combination of values, given by
 * the index of the value of each swept option, [n_options] without the inner options (job.h). CS_NO_VALUE is the index
 * where the option keeps the job's value. */
#ifndef CNNSWEEP_SPACE_H
#define CNNSWEEP_SPACE_H

#include "cnnsweep/job.h"
#include "node.h"

typedef enum cs_range_kind {
    CS_RANGE_LISTED,
    CS_RANGE_UNIFORM,
    CS_RANGE_LOG_UNIFORM,
    CS_RANGE_INT,
    CS_RANGE_LOG_INT
} cs_range_kind;

/* What the values of a swept option are drawn from. LISTED: its listed values, all equally likely; else the numbers
 * from low to high (INT, LOG_INT: both included). */
typedef struct cs_range {
    cs_range_kind kind;
    double low, high;
    double step; /* LISTED: the values are low, low + step, ...; 0: they were listed one by one */
} cs_range;

/* Are the values of the range whole numbers? */
bool cs_range_is_whole(const cs_range *range);

/* The option has one of these values. */
typedef struct cs_term {
    int option;     /* its index in job->swept */
    int n, *values; /* [n] the indices of the values */
} cs_term;

/* All of the terms hold. Without terms it holds always. */
typedef struct cs_match {
    int n;
    cs_term *terms;
} cs_match;

/* What is chosen independently of the rest: the value of an option, or the position in the lists of a map of zip:. */
typedef struct cs_axis {
    int first, n_options;     /* the swept options that it sets */
    int n;                    /* the number of positions; 0: its option has a range */
    int *values;              /* [n,n_options] the index of each option's value at each position */
    const cs_node *when_node; /* NULL: it always applies */
    cs_match when;            /* what when_node says */
} cs_axis;

typedef struct cs_space {
    int n_options, n_axes;
    cs_range *ranges; /* [n_options] */
    int *axis_of;     /* [n_options] the axis that sets the option; -1: only included cells have it */
    cs_axis *axes;
    int *order;         /* [n_axes] the axes, each behind those that its condition refers to */
    cs_match *excluded; /* [n_excluded] cells that match one are left out */
    int n_excluded;
    int *included;    /* [n_included,n_options] cells that are added to a grid */
    int *included_by; /* [n_included] the index of the map under include: that adds the cell */
    int n_included;
} cs_space;

void cs_space_clear(cs_space *space);
/* Fills space->order. `circular`: conditions refer to each other in a circle, and there is no order. */
CS_MUST_CHECK cs_status cs_space_sort(cs_space *space, bool *circular);
/* Fills the cell at these positions [n_axes] of the axes. An option with a range gets the index 0 if it applies. */
void cs_space_cell(const cs_space *space, const int *positions, int *cell);
bool cs_match_holds(const cs_match *match, const int *cell);

/* The cells of a grid, and what the maps of the job file did to them. */
typedef struct cs_grid_cells {
    int *cells; /* [n,n_options] */
    int n;
    bool too_large; /* there are more than CS_MAX_TRIALS, and not all are in `cells` */
    int *matched;   /* [n_excluded] how many cells each map of exclude: matched */
    int *added;     /* [n_included] whether each included cell is new */
} cs_grid_cells;

/* Makes the cells of the grid. Those of the last axis change fastest, and the included cells come last. */
CS_MUST_CHECK cs_status cs_grid_cells_open(const cs_space *space, cs_grid_cells *out);
void cs_grid_cells_close(cs_grid_cells *grid);

/* The combinations so far, by their checksums. */
typedef struct cs_seen {
    uint64_t *sums; /* [size] a hash table; 0: a free entry */
    size_t size;
} cs_seen;

/* Makes room for `n` combinations. */
CS_MUST_CHECK cs_status cs_seen_open(size_t n, cs_seen *out);
/* Adds a combination; returns whether it is new. One with the checksum of another counts as the other. */
bool cs_seen_add(cs_seen *seen, const void *combination, size_t bytes);
void cs_seen_close(cs_seen *seen);

#endif
