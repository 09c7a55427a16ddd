/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: draws the values of a sweep. */
#ifndef CNNSWEEP_SEARCH_H
#define CNNSWEEP_SEARCH_H

#include "cnnsweep/random.h"
#include "space.h"

/* Draws `wanted` different cells of the space. Options with a range get the drawn values, in ascending order. `cells`
 * [wanted,n_options] gets the index of each value. `drawn` is less than `wanted` if no new cell was found: a finite
 * space of up to 10^7 combinations is drawn to the last cell. A cell depends only on job->seed, its index, its options,
 * and what was drawn before it, so a larger budget keeps the first cells. */
CS_MUST_CHECK cs_status cs_search_draw(cs_job *job, const cs_space *space, int wanted, int *cells, int *drawn);

/* Draws a number of a range, as the type of its option holds it. */
double cs_search_draw_number(const cs_range *range, cs_rng *rng);
/* Writes a number of a range as its option takes it. */
void cs_search_number_text(const cs_range *range, double value, char *out, size_t size);

#endif
