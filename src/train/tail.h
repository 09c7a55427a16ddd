/* SPDX-License-Identifier: Apache-2.0 */
/* The tail of a trial in its group: the layers it trains, its progress, and its best weights so far. */
#ifndef CNNSWEEP_TAIL_H
#define CNNSWEEP_TAIL_H

#include "early_stopping.h"
#include "evaluate.h"
#include "exchange.h"
#include "plateau.h"

typedef struct cs_tail {
    int trial; /* index in the group */
    const cs_trial_config *config;
    cs_graph *graph;
    cs_params *params; /* the values that `infer` has */
    /* Parameters of the best epoch, if they are to be restored or saved, or with train.swa_start the average so far;
     * else NULL. */
    float *best;
    int averaged; /* epochs in that average */
    int cut;      /* first layer of the tail */
    cs_segment *segment;
    cs_criterion criterion;
    cs_program *train, *infer;
    cs_team *team;         /* NULL: alone */
    cs_exchange *exchange; /* with a team */
    bool reads_batch;      /* there is no trunk before it: the input is the batch, of images or of features */
    float *logits;         /* [batch,classes] */
    const unsigned *needs; /* [CS_SPLIT_COUNT] CS_NEEDS_* of the callback `finished` */
    cs_metric_set metrics;
    /* Of an epoch: val, and train as far as this rank's rows go. */
    cs_evaluation *training, *validation;
    cs_evaluated validated;                 /* the program of this tail in a pass through val */
    cs_evaluation *tested[CS_SPLIT_COUNT];  /* after training; without rows for splits that are not evaluated */
    cs_evaluated evaluated[CS_SPLIT_COUNT]; /* the program of this tail in the passes after training */
    cs_early_stopping stopping;
    cs_plateau plateau;
    cs_epoch_row tested_row; /* of the epoch whose weights would be tested if the trial ended now */
    int epoch;               /* the current epoch, from 0; those of earlier phases count */
    int first_epoch;         /* of this phase */
    int batch;               /* how many batches of the epoch are done */
    cs_trial_ending ending;  /* why its last epoch is done, so that only the test is left */
    int64_t step;            /* batches done since the optimizer was new */
    int64_t first_step;      /* `step` at the beginning of this phase; the schedule counts from there */
    int64_t steps;           /* batches in an epoch */
    cs_tally running;        /* the sums of the current epoch, while the weights change */
    cs_tally last;           /* those of the last train step */
    double rate;             /* the learning rate of that step */
    cs_effort effort[CS_SPLIT_COUNT];
    double reported; /* the seconds in the rows of the epochs so far */
    cs_trial_files files;
    bool checkpoint_complete;  /* the checkpoint exists and is complete, so that it can become the previous one */
    uint64_t dataset_checksum; /* a checkpoint of another dataset is not used, */
    uint64_t initial_checksum; /* nor one with other initial values; set when the checkpoint is read */
} cs_tail;

/* Builds the network and everything that does not depend on other trials. config, trial, team and needs must be
 * set. `dataset` gives classes and splits. `like` has the initial values if another trial of the group has loaded them,
 * else it is NULL. After a failure the caller still calls cs_tail_close. */
CS_MUST_CHECK cs_status cs_tail_open(cs_tail *tail, const cs_dataset *dataset, const cs_params *like);
/* Compiles the programs. They read the output of the trunk's program that ends at `cut`, if there is one. `steps` are
 * the batches the updates in an epoch. */
CS_MUST_CHECK cs_status cs_tail_compile(cs_tail *tail, cs_engine *engine, const cs_trunk *trunk, int steps);
/* With a team: opens the exchange. Collective; all ranks must have compiled. */
CS_MUST_CHECK cs_status cs_tail_open_exchange(cs_tail *tail, cs_engine *engine);
void cs_tail_close(cs_tail *tail); /* call it before the trunk is freed */

/* Makes a train step on a batch of the feed; the trunk has already run on it. CS_ERR_DIVERGED if the loss is not
 * finite. Allocates nothing. With a team it is collective: a rank must call it even if it has no rows. */
CS_MUST_CHECK cs_status cs_tail_train(cs_tail *tail, const cs_feed *feed, const cs_batch *batch);
/* CS_ERR_DIVERGED if a loss of the split is not finite. `rows` of the split came before. */
CS_MUST_CHECK cs_status cs_tail_check_loss(const cs_tail *tail, cs_split split, int64_t rows, double loss);
/* Copies the trained values, or with train.ema their averages, into the evaluation program. */
CS_MUST_CHECK cs_status cs_tail_sync(cs_tail *tail);
/* With a team: makes `training` that of all ranks, before a checkpoint in the middle of an epoch and at its end.
 * Collective. */
CS_MUST_CHECK cs_status cs_tail_sum_training(cs_tail *tail);
/* Ends the epoch: fills its row, keeps the weights if they are the best, and sets `ending` after the last epoch. With a
 * team it is collective. */
CS_MUST_CHECK cs_status cs_tail_end_epoch(cs_tail *tail, cs_epoch_row *row);
/* Loads the weights to be tested into the evaluation program. */
CS_MUST_CHECK cs_status cs_tail_restore(cs_tail *tail);
/* Fills tail->params with the weights that train.save_weights writes. */
CS_MUST_CHECK cs_status cs_tail_choose_saved(cs_tail *tail);
void cs_tail_result(const cs_tail *tail, const cs_trunk *trunk, cs_trial_result *result);

#endif
