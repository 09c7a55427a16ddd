/* SPDX-License-Identifier: Apache-2.0 */
/* What trials cost, alone and in groups: the estimates that a sweep is planned by. No number of a trial depends on
 * them. Multiply-adds (cs_layer_macs) are split at the cuts and become seconds by the rates of a machine. */
#ifndef CNNSWEEP_COST_H
#define CNNSWEEP_COST_H

#include "cnnsweep/train.h"

/* What a network asks for, a sample. */
typedef struct cs_work {
    int cut;            /* cs_trial_cut */
    double trunk, tail; /* multiply-adds forward of the layers before the cut, and of those from it on */
    double tap;         /* bytes of what goes over the cut */
    double activations; /* bytes that the tail keeps */
    double params;      /* bytes of all parameters */
    double own_params;  /* bytes of those of the tail */
} cs_work;
cs_work cs_work_of(const cs_graph *graph);

/* Multiply-adds of a trial by itself, forward and backward over all epochs. In mode features the frozen part counts
 * once. */
double cs_trial_macs(const cs_trial_config *trial, const cs_work *work, int64_t train_images, int64_t val_images);

/* Multiply-adds forward a second: of frozen layers, and of a tail in a training step (which runs backward and updates
 * too) and in an evaluation. */
typedef struct cs_rates {
    double trunk, train, infer;
    double step;  /* seconds of a tail's step beside that */
    double trial; /* seconds to build a trial's network and programs, and to end it */
} cs_rates;
/* Of an ordinary CPU. */
cs_rates cs_rates_default(int threads);
/* Measures them on the trial's own network at its batch size, timing calls for about `seconds`. */
CS_MUST_CHECK cs_status cs_rates_measure(cs_engine *engine, const cs_trial_config *trial, int classes, double seconds,
                                         cs_rates *out);

/* What a trial adds to a group. */
typedef struct cs_cost {
    int trial;      /* its number in the job */
    uint64_t share; /* cs_trial_share_key, or a number for it: trials with equal ones may be a group */
    int cut, epochs;
    double trunk[CS_SPLIT_COUNT]; /* seconds of one pass of a split as far as the cut */
    double tail;                  /* seconds of its own over all epochs */
    double memory;                /* bytes of its own */
    double kept;     /* share of what the trunk gives up to the first cut of a group that is kept for later epochs */
    double variants; /* that a train image comes in; 0: no end of them, none is kept */
    double cache;    /* bytes kept when its cut is the first of the group */
    double checkpoint, weights; /* bytes of a file of each */
} cs_cost;
/* `images` a split; `room`: bytes in which outputs of trunks are kept for later epochs. */
cs_cost cs_cost_of(const cs_trial_config *trial, const cs_work *work, const cs_rates *rates,
                   const int64_t images[CS_SPLIT_COUNT], double room);

/* The same, were nothing kept. */
cs_cost cs_cost_uncached(const cs_cost *cost);

/* The sums over a group, from its last trial to its first in the order of their cuts. */
typedef struct cs_group_cost {
    int n, epochs;
    double tails, links; /* seconds; links: of the trunk behind the first cut */
    double seconds;      /* all together */
    double memory;       /* bytes, without what is kept */
} cs_group_cost;
/* Puts a trial in front of the group; `cost` is one of an array whose next items, ascending in their cuts, are those
 * of the group. */
void cs_group_cost_add(cs_group_cost *group, const cs_cost *cost);

#endif
