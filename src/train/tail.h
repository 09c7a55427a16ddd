/* SPDX-License-Identifier: Apache-2.0 */
/* A trial in its group: what it trains, how far it is, and its best weights so far. */
#ifndef CNNSWEEP_TAIL_H
#define CNNSWEEP_TAIL_H

#include "early_stopping.h"
#include "evaluate.h"
#include "exchange.h"

typedef struct cs_tail {
    int trial; /* index in the group */
    const cs_trial_config *config;
    cs_graph *graph;
    cs_params *params; /* as in `infer` */
    float *best;       /* parameters of best_row, when early stopping is on; else NULL */
    int cut;           /* first layer of the tail */
    cs_segment *segment;
    cs_program *train, *infer;
    cs_team *team;         /* NULL: alone */
    cs_exchange *exchange; /* with a team */
    bool reads_batch;      /* nothing is upstream: the input is the batch, of images or of features */
    float *logits;         /* [batch,classes] */
    unsigned test_needs;   /* CS_NEEDS_* of the listener */
    cs_evaluation *evaluation[CS_SPLIT_COUNT];
    cs_evaluated evaluated[CS_SPLIT_COUNT]; /* val, test: this tail in a pass through them */
    cs_early_stopping stopping;
    cs_epoch_row best_row;
    int epoch;        /* under way, from 0 */
    int batch;        /* of which so many batches are done */
    bool ended;       /* after its last epoch: only the test is left */
    int64_t step;     /* updates done */
    int64_t steps;    /* of an epoch */
    cs_tally running; /* of the epoch under way, while the weights move */
    cs_effort effort[CS_SPLIT_COUNT];
    double reported;           /* seconds in the rows of the epochs so far */
    const char *checkpoint;    /* its file, or NULL */
    bool checkpoint_whole;     /* it is there, and can become the previous one */
    uint64_t dataset_checksum; /* checkpoints of another dataset are not gone on from, */
    uint64_t initial_checksum; /* nor those that began with other values; set with a checkpoint, by its reading */
} cs_tail;

/* The network and all that does not depend on other trials. `dataset` says classes and splits; `like` has the values
 * before training where another trial of the group has them already, or is NULL. On failure the tail is left for
 * cs_tail_close. config, trial, team and test_needs are set. */
CS_MUST_CHECK cs_status cs_tail_open(cs_tail *tail, const cs_dataset *dataset, const cs_params *like);
/* The programs, hanging off the trunk where it has a program that ends at `cut`. `steps` are those of an epoch. */
CS_MUST_CHECK cs_status cs_tail_compile(cs_tail *tail, cs_engine *engine, const cs_trunk *trunk, int steps);
/* With a team: collective, when all its ranks have compiled. */
CS_MUST_CHECK cs_status cs_tail_join(cs_tail *tail, cs_engine *engine);
void cs_tail_close(cs_tail *tail); /* before the trunk */

/* A training step on a batch of the feed, the trunk having run on it where it does. CS_ERR_DIVERGED when the loss is
 * not finite. Allocates nothing. With a team it is collective, whatever became of this rank's rows. */
CS_MUST_CHECK cs_status cs_tail_train(cs_tail *tail, const cs_feed *feed, const cs_batch *batch);
/* CS_ERR_DIVERGED when a loss of the split is not finite. */
CS_MUST_CHECK cs_status cs_tail_check_loss(const cs_tail *tail, cs_split split, double loss);
/* Brings what was trained into the evaluation program. */
CS_MUST_CHECK cs_status cs_tail_sync(cs_tail *tail);
/* Ends the epoch: fills its row, keeps the weights if they are the best; `ended` when it was the last one. */
void cs_tail_end_epoch(cs_tail *tail, cs_epoch_row *row);
/* Puts the best weights into the evaluation program. */
CS_MUST_CHECK cs_status cs_tail_restore(cs_tail *tail);
void cs_tail_result(const cs_tail *tail, const cs_trunk *trunk, cs_trial_result *result);

#endif
