/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the training room: a pass of inference programs through a split. Each batch comes from a feed, goes through
 * the trunk once and then through every program, which collects in its own evaluation. */
#ifndef CNNSWEEP_EVALUATE_H
#define CNNSWEEP_EVALUATE_H

#include "team.h"
#include "trunk.h"

#include "cnnsweep/metrics.h"

/* Spent on a split since the beginning. What a group does once for all is shared out evenly. */
typedef struct cs_effort {
    double seconds, stall;
    int64_t images;
    int64_t rows;   /* images on this rank, */
    int64_t reused; /* and of those, the ones that the trunk had in its cache */
} cs_effort;

/* A batch that `sharers` programs go through together: what making it cost each of them. */
typedef struct cs_batch_cost {
    double seconds, stall;
} cs_batch_cost;
/* The next batch of the feed, or this rank's part of it, through the trunk as far as `cut`. */
CS_MUST_CHECK cs_status cs_batch_make(cs_feed *feed, cs_trunk *trunk, int cut, int sharers, cs_batch *batch,
                                      cs_batch_cost *cost);
/* Adds a batch of `images` (of all ranks, where they make a step together) to what a program that begins at layer `cut`
 * has spent; `seconds` are its own. */
void cs_effort_add(cs_effort *effort, const cs_batch *batch, int images, int cut, const cs_batch_cost *cost,
                   double seconds);
/* Forward and loss of this rank's rows. `reads_batch`: the input is the batch itself, no other program's output. */
CS_MUST_CHECK cs_status cs_predict(cs_program *program, bool reads_batch, const cs_feed *feed, const cs_batch *batch,
                                   cs_tally *sums);

/* A program that is evaluated; all borrowed. */
typedef struct cs_evaluated {
    void *owner;         /* the caller's */
    cs_program *program; /* INFER */
    int output;          /* which of its outputs are the logits */
    int cut;             /* its first layer, at which it hangs off the trunk */
    bool reads_batch;
    float *logits; /* [batch,K] room, where the evaluation needs more than the tally */
    cs_evaluation *evaluation;
    cs_effort *effort;
} cs_evaluated;

typedef struct cs_evaluate_pass {
    cs_feed *feed;
    cs_trunk *trunk;
    cs_team *team; /* NULL: this rank alone; else each goes through a part of its own, and they add up at the end */
    void *context;
    /* Is the sum of losses one to go on with? Of a batch, with a team of all rows at the end. */
    cs_status (*check)(void *context, const cs_evaluated *program, double loss);
    /* A program failed, and leaves. A failure returned ends the pass, as one during a batch of a team does. */
    cs_status (*failed)(void *context, const cs_evaluated *program, cs_status status);
    cs_status (*after_batch)(void *context); /* a failure returned ends the pass */
} cs_evaluate_pass;

/* One pass of the programs [*n]; those that failed have left the list when it returns. The evaluations have the split
 * of all ranks. Allocates nothing. With a team collective. */
CS_MUST_CHECK cs_status cs_evaluate(const cs_evaluate_pass *pass, cs_evaluated **programs, int *n);

#endif
