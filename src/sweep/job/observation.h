/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: what a method that learns knows of the result of a trial. */
#ifndef CNNSWEEP_OBSERVATION_H
#define CNNSWEEP_OBSERVATION_H

#include "cnnsweep/status.h"

/* What is known of a trial. */
typedef enum cs_known {
    CS_KNOWN_NOTHING, /* it has no values yet, or it failed, or its result is no number: it is left out */
    CS_KNOWN_VALUES,  /* it is under way */
    CS_KNOWN_RESULT
} cs_known;

typedef struct cs_observation {
    cs_known known;
    double loss; /* RESULT: smaller is better */
} cs_observation;

/* Fills order [n] with the indices of those of the trials [n] that have a result, those with the smallest loss first,
 * of equal ones the earlier. `n_results` is their number. */
CS_MUST_CHECK cs_status cs_observation_rank(const cs_observation *trials, int n, int *order, int *n_results);

#endif
