/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: which test images a trial predicts rightly, to compare the two best trials by. */
#ifndef CNNSWEEP_HITS_H
#define CNNSWEEP_HITS_H

#include "results.h"

/* Writes which rows of an evaluation with CS_NEEDS_HITS were predicted rightly, as the journal has it: a bit for each
 * row, four rows a hexadecimal digit, the first row in the lowest bit. The caller frees the text. */
CS_MUST_CHECK cs_status cs_hits_text(const cs_evaluation *test, char **out);

/* The hits of the two best of the trials that were offered. */
typedef struct cs_best_hits {
    struct cs_trial_hits {
        int trial;
        char *text; /* NULL: there is no such trial yet */
    } of[2];
} cs_best_hits;

/* Keeps a copy of the hits of a finished trial if it is one of the two best; NULL hits are never kept. */
CS_MUST_CHECK cs_status cs_best_hits_offer(cs_best_hits *best, const cs_job *job, const cs_outcome *outcomes, int trial,
                                           const char *hits);
void cs_best_hits_drop(cs_best_hits *best);
/* Prints McNemar's test of the two best trials, if both have hits. */
CS_MUST_CHECK cs_status cs_best_hits_print(const cs_best_hits *best, const cs_job *job, const cs_outcome *outcomes,
                                           FILE *out);

#endif
