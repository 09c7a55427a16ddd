/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules: how the learning rate changes from update to update.
 *
 * Below, e is train.lr, m is train.min_lr, r is train.decay_rate, and t counts from 0 from the end of the warm-up on,
 * in updates or in epochs (train.schedule_interval); L is the length of the decay in the same unit, from
 * train.decay_steps or train.decay_epochs. K: keras.optimizers.schedules; T: torch.optim.lr_scheduler.
 *
 * constant      e
 * step          e r^floor(t/L)                              T.StepLR
 * multistep     e r^(how many milestones were reached)      T.MultiStepLR
 * piecewise     one of train.values by the milestones       K.PiecewiseConstantDecay
 * exponential   e r^(t/L)                                   K.ExponentialDecay; T.ExponentialLR with L = 1 epoch
 * inverse_time  e / (1 + r t/L)                             K.InverseTimeDecay
 * polynomial    m + (e-m)(1-t/L)^power                      K.PolynomialDecay, T.PolynomialLR
 * cosine        m + (e-m)(1+cos(pi t^k/L^k))/2, k: k_decay  K.CosineDecay, T.CosineAnnealingLR, timm's cosine
 * restarts      the same; cycle i has length L t_mul^i and starts at m_mul^i of the first
 *                                                           K.CosineDecayRestarts, T.CosineAnnealingWarmRestarts
 * linear        e times start_factor to end_factor in L     T.LinearLR
 * one_cycle     from e/div_factor up to e in pct_start of L, then down to e/div_factor/final_div_factor; the momentum
 *               goes the other way                          T.OneCycleLR (max_lr = e)
 * cyclic        from m up to e and down in L, over and over, with the amplitudes m_mul^cycle r^t; the momentum goes the
 *               other way                                   T.CyclicLR (base_lr = m, max_lr = e; m_mul = 1: triangular,
 *                                                           0.5: triangular2; r = gamma: exp_range)
 * plateau       e, reduced by r when a metric stops improving (plateau.h)
 *
 * After L, polynomial and cosine stay at m, or begin again with train.cycle: polynomial as Keras' cycle=True does,
 * cosine by going up again, as torch's does. With train.staircase, t/L is rounded down. A milestone is reached at the
 * beginning of its epoch (torch), a boundary after its update (Keras). The warm-up goes linearly from train.warmup_lr
 * to e. Without train.warmup_prefix, t counts from the beginning of training, and the warm-up replaces the first part
 * of the schedule, as in timm.
 *
 * To add a schedule: a function and a row in src/config/schedule.c; train.schedule then accepts its name. If it needs a
 * setting of its own: a member of cs_schedule_config and a row in src/config/schedule_options.c. */
#ifndef CNNSWEEP_SCHEDULE_H
#define CNNSWEEP_SCHEDULE_H

#include "cnnsweep/config.h"

/* Where a schedule is. t, length and epoch have the same unit, updates or epochs. */
typedef struct cs_schedule_time {
    double lr;      /* e */
    double t;       /* from the beginning of the schedule, a whole number */
    double length;  /* L */
    double epoch;   /* the length of an epoch */
    double updates; /* the updates in a unit */
} cs_schedule_time;

/* The length of a decay for which neither train.decay_steps nor train.decay_epochs is set. */
typedef enum cs_schedule_length {
    CS_LENGTH_NONE,     /* the schedule has no length */
    CS_LENGTH_TRAINING, /* all epochs after the warm-up */
    CS_LENGTH_EPOCH,    /* one epoch */
    CS_LENGTH_REQUIRED  /* this is an error */
} cs_schedule_length;

typedef struct cs_schedule {
    const char *name;
    /* The learning rate. `config` has no `auto` left, except for lengths. The rate depends on nothing else, so that a
     * trial that resumes from a checkpoint gets the same rates. */
    double (*rate)(const cs_schedule_config *config, const cs_schedule_time *at);
    const char *uses; /* the options of the schedule besides lr and the warm-up, "decay_rate staircase"; NULL: none */
    cs_schedule_length length;
    double decay_rate; /* where train.decay_rate is auto; 0: that is an error */
    bool by_step;      /* train.schedule_interval auto is `step` in torch's dialect too */
    bool torch_cycles; /* train.cycle auto is true in torch's dialect */
    /* How far the momentum is from max_momentum to base_momentum, 0 to 1; NULL: the schedule leaves it alone. */
    double (*height)(const cs_schedule_config *config, const cs_schedule_time *at);
    double pct_start, base_momentum, max_momentum; /* where they are auto */
} cs_schedule;

/* The names of the schedules, which are the choices of train.schedule; NULL after the last. */
const char *cs_schedule_name(int i);
const cs_schedule *cs_schedule_at(int kind);
/* Is the rate reduced by cs_plateau (train room)? */
bool cs_schedule_is_plateau(const cs_train_config *config);
/* Does the schedule read the option with this key, "train.power"? */
bool cs_schedule_uses(int kind, const char *key);

/* Returns CS_ERR_ARG if settings of the schedule are missing or contradict each other. */
CS_MUST_CHECK cs_status cs_schedule_check(const cs_train_config *config);
/* The same for a list of numbers above 0, "30,60"; `key` names the option. */
CS_MUST_CHECK cs_status cs_schedule_check_list(const char *key, const char *text, bool increases);
/* Sets the optimizer's momentum (for Adam beta_1) to where a schedule that changes it begins. */
void cs_schedule_prepare(cs_train_config *config);
/* The settings with every `auto` but the lengths resolved. */
cs_schedule_config cs_schedule_resolve(const cs_train_config *config);

/* The learning rate in batch `step`, counted from 0 over all epochs; an epoch has `steps` batches, and an update
 * follows config->optimizer.accumulate of them. `lr` is config->optimizer.lr, or what a plateau has left of it. */
double cs_schedule_rate(const cs_train_config *config, double lr, int64_t step, int64_t steps);
/* The optimizer in that batch: its rate and momentum are those of the schedule. */
cs_optimizer cs_schedule_optimizer(const cs_train_config *config, double lr, int64_t step, int64_t steps);
/* The batches of the warm-up. */
int64_t cs_schedule_warmup(const cs_train_config *config, int64_t steps);
/* The setting that gives the schedule the same rates when fewer epochs are trained, "train.decay_epochs=20"; "": none
 * is needed. Returns false if its length is not known in epochs. */
bool cs_schedule_keep_length(const cs_train_config *config, char *out, size_t size);

#endif
