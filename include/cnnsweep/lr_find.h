/* SPDX-License-Identifier: Apache-2.0 */
/* The learning-rate range test (Smith 2017, arXiv:1506.01186) as fastai's lr_find and Lightning's have it: a trial is
 * trained from its beginning while its rate rises exponentially with every update, and the loss shows which rates it
 * learns at. */
#ifndef CNNSWEEP_LR_FIND_H
#define CNNSWEEP_LR_FIND_H

#include "cnnsweep/config.h"
#include "cnnsweep/engine.h"

typedef struct cs_lr_find_config {
    const cs_trial_config *trial; /* its schedule does not count */
    double min, max;              /* the rates of the first update and of the last, 0 < min < max */
    int steps;                    /* updates, at least 2 */
} cs_lr_find_config;

typedef struct cs_lr_point {
    double rate;
    double loss;     /* of the batch, or the mean of those of the update */
    double smoothed; /* s / (1 - 0.98^k) in update k from 1, where s = 0.98*s + 0.02*loss begins at 0 */
} cs_lr_point;

typedef struct cs_lr_range {
    cs_lr_point *points; /* [n] */
    int n;
    bool rose;     /* the test ended before its last step, as the smoothed loss was above 4 times its lowest, */
    bool diverged; /* or as the loss after the last point was not finite */
    /* fastai's suggestions, from the points without the first tenth of `steps` and the last 5; NaN: there are fewer
     * than 2. `steep`: where the smoothed loss falls most for a change of log(rate). `valley`: in the longest run of
     * points, not all neighbours, of which each is lower than the one before, half of the way through. */
    double steep, valley;
} cs_lr_range;

/* Trains the trial on the engine. CS_ERR_DIVERGED if the first loss is not finite. The caller frees the range. */
CS_MUST_CHECK cs_status cs_lr_find(cs_engine *engine, const cs_lr_find_config *config, cs_lr_range *out);
void cs_lr_range_free(cs_lr_range *range);

#endif
