/* SPDX-License-Identifier: Apache-2.0 */
/* Estimates of what trials cost, alone and in groups; sweeps are planned with them. The results of a trial never depend
 * on them. The multiply-adds of the layers (cs_layer_macs) are split at the cuts, and the rates of a machine turn them
 * into seconds. */
#ifndef CNNSWEEP_COST_H
#define CNNSWEEP_COST_H

#include "cnnsweep/train.h"

/* The work that a network needs for one sample. */
typedef struct cs_work {
    int cut;             /* cs_trial_cut */
    double trunk, tail;  /* forward multiply-adds of the layers before the cut, and of the others */
    double trunk_output; /* bytes of the value that crosses the cut */
    double activations;  /* bytes of all outputs of the tail's layers */
    double params;       /* bytes of all parameters */
    double own_params;   /* bytes of the tail's parameters */
} cs_work;
cs_work cs_work_of(const cs_graph *graph);

/* The multiply-adds of a trial alone, forward and backward over all epochs. In mode features the frozen part runs once
 * over the images. */
double cs_trial_macs(const cs_trial_config *trial, const cs_work *work, int64_t train_images, int64_t val_images);

/* Forward multiply-adds per second: of frozen layers, of a tail in a train step (whose time includes backward and
 * update), and of a tail in an evaluation. */
typedef struct cs_rates {
    double trunk, train, infer;
    double step;  /* seconds that a step of a tail takes in addition */
    double trial; /* seconds to build a trial's network and programs, and to end it */
} cs_rates;
/* The rates of an ordinary CPU. */
cs_rates cs_rates_default(int threads);
/* Measures the rates with the trial's own network at its batch size, for about `seconds`. */
CS_MUST_CHECK cs_status cs_rates_measure(cs_engine *engine, const cs_trial_config *trial, int classes, double seconds,
                                         cs_rates *out);

/* What a trial adds to the cost of a group. */
typedef struct cs_cost {
    int trial;          /* index in the job */
    uint64_t share_key; /* cs_trial_share_key, or an index of it: trials with equal keys can form a group */
    int cut, epochs;
    double trunk[CS_SPLIT_COUNT]; /* seconds of one pass of each split through the trunk */
    bool tested[CS_SPLIT_COUNT];  /* is the split evaluated once more after training? */
    double tail;                  /* seconds of the tail over all epochs */
    double memory;                /* bytes that the trial needs for itself */
    /* The next three are about the outputs of the trunk at this trial's cut, which are cached if the cut is the first
     * of a group. */
    double cached_fraction; /* of the outputs, which then need not be computed again in later epochs */
    /* How many augmented variants an image of a split has; 0: too many to count, none is cached. */
    double variants[CS_SPLIT_COUNT];
    double cache;               /* bytes of all outputs that can be cached */
    double checkpoint, weights; /* bytes of its checkpoint file and of its weights file */
} cs_cost;
/* `images`: how many each split has. `room`: bytes for cached outputs of trunks. */
cs_cost cs_cost_of(const cs_trial_config *trial, const cs_work *work, const cs_rates *rates,
                   const int64_t images[CS_SPLIT_COUNT], double room);

/* The same cost without a cache. */
cs_cost cs_cost_uncached(const cs_cost *cost);

/* The sums over the trials of a group, which are added from the last to the first in the order of their cuts. */
typedef struct cs_group_cost {
    int n, epochs;
    double tails, links; /* seconds; links: of the parts of the trunk after the first cut */
    double seconds;      /* total */
    double memory;       /* bytes, without the cache */
} cs_group_cost;
/* Adds a trial in front of the group. `cost` points into an array, ascending by cut, in which the trials that are
 * already in the group follow it. */
void cs_group_cost_add(cs_group_cost *group, const cs_cost *cost);

#endif
