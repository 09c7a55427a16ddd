/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the training room: one pass of inference programs through a split. Each batch comes from a feed, runs through
 * the trunk once and then through every program. Each program has its own evaluation, which collects its results. */
#ifndef CNNSWEEP_EVALUATE_H
#define CNNSWEEP_EVALUATE_H

#include "criterion.h"
#include "team.h"
#include "trunk.h"

#include "cnnsweep/metrics.h"

/* What a trial has spent on a split since the beginning. The cost of work that a group shares is divided evenly. */
typedef struct cs_effort {
    double seconds, stall;
    int64_t images;
    int64_t rows;   /* images on this rank */
    int64_t reused; /* those of them whose trunk output was in the cache */
} cs_effort;

/* The cost of loading a batch and running the trunk on it, for each of the programs that share it. */
typedef struct cs_batch_cost {
    double seconds, stall;
} cs_batch_cost;
/* Gets the next batch of the feed, or this rank's part of it, and runs the trunk on it up to `cut`. The cost is divided
 * by the `n_programs` that share it. */
CS_MUST_CHECK cs_status cs_batch_prepare(cs_feed *feed, cs_trunk *trunk, int cut, int n_programs, cs_batch *batch,
                                         cs_batch_cost *cost);
/* Adds a batch to the effort of a program that begins at layer `cut`. `images` counts those of all ranks if they make a
 * step together. `seconds` is the program's own time. */
void cs_effort_add(cs_effort *effort, const cs_batch *batch, int images, int cut, const cs_batch_cost *cost,
                   double seconds);
/* Runs forward and loss on this rank's rows. `reads_batch`: the input is the batch itself, not another program's
 * output. */
CS_MUST_CHECK cs_status cs_predict(cs_program *program, const cs_targets *targets, bool reads_batch,
                                   const cs_feed *feed, const cs_batch *batch, cs_tally *sums);

/* The logits [n,K] of the last forward. The one of a binary head becomes two, 0 and itself, whose softmax has its
 * probabilities. */
CS_MUST_CHECK cs_status cs_read_logits(cs_program *program, int output, float *logits, int n);

/* A program that is evaluated; all members are borrowed. */
typedef struct cs_evaluated {
    void *owner;         /* for the caller */
    cs_program *program; /* INFER */
    const cs_criterion *criterion;
    int output; /* which of its outputs are the logits */
    int cut;    /* its first layer, where it reads the trunk's output */
    bool reads_batch;
    float *logits; /* [batch,K] a buffer, used if the evaluation needs more than the tally */
    cs_evaluation *evaluation;
    cs_effort *effort;
} cs_evaluated;

typedef struct cs_evaluate_pass {
    cs_feed *feed;
    cs_trunk *trunk;
    /* NULL: this rank alone. Else each rank evaluates its own part of the split, and the sums are added at the end */
    cs_team *team;
    void *context;
    /* Returns a failure if the sum of losses is not finite. It is called for every batch, or with a team once at the
     * end for the sum over all rows. */
    cs_status (*check)(void *context, const cs_evaluated *program, double loss);
    /* Called when a program failed and leaves the pass. A failure that this returns ends the pass. With a team, a
     * failure during a batch ends the pass without this call. */
    cs_status (*failed)(void *context, const cs_evaluated *program, cs_status status);
    cs_status (*after_batch)(void *context); /* a failure that it returns ends the pass */
} cs_evaluate_pass;

/* Runs one pass of the programs [*n]. Programs that failed are no longer in the list afterwards. The evaluations then
 * cover the whole split, over all ranks. Allocates nothing. With a team the call is collective. */
CS_MUST_CHECK cs_status cs_evaluate(const cs_evaluate_pass *pass, cs_evaluated **programs, int *n);

#endif
